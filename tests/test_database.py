"""A file has a version: older ones are brought up to date with what is in them."""

from __future__ import annotations

import gc
import sqlite3
import sys
from pathlib import Path
from threading import Barrier, Thread

import pytest

from tokenfare.database import Database, expanded, file_or_switch
from tokenfare.errors import DatabaseError
from tokenfare.ledger import ledger_path

FIRST = ("CREATE TABLE things (name TEXT)",)
SECOND = (
    "ALTER TABLE things ADD COLUMN mood TEXT DEFAULT 'good'",
    "CREATE INDEX i ON things (mood)",
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    database = Database(tmp_path / "file", "list", [FIRST])
    with database.writing() as connection:
        connection.execute("INSERT INTO things VALUES ('hat')")
    database.close()
    return tmp_path / "file"


def rows(database: Database) -> list[tuple[str, ...]]:
    with database.reading() as connection:
        return connection.execute("SELECT * FROM things").fetchall()


def test_an_older_file_is_brought_up_to_date_with_what_is_in_it(path: Path) -> None:
    database = Database(path, "list", [FIRST, SECOND])
    assert rows(database) == [("hat", "good")]
    with database.reading() as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (2,)
    database.close()


def test_a_migration_that_fails_changes_nothing(path: Path) -> None:
    with pytest.raises(DatabaseError, match="syntax error"):
        rows(Database(path, "list", [FIRST, [*SECOND, "no SQL"]]))
    database = Database(path, "list", [FIRST])
    assert rows(database) == [("hat",)]
    database.close()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no full device")
def test_a_file_that_cannot_be_begun_says_why() -> None:
    """SQLite had ended the transaction itself: the error was that there was none to end."""
    with (
        pytest.raises(DatabaseError, match="disk"),
        Database("/dev/full", "list", [FIRST]).writing(),
    ):
        pass


def test_a_later_file_is_not_touched(path: Path) -> None:
    database = Database(path, "list", [FIRST, SECOND])
    rows(database)
    database.close()
    with pytest.raises(DatabaseError, match=r"list .*: it is of version 2, .* up to 1"):
        rows(Database(path, "list", [FIRST]))


@pytest.mark.parametrize("versions", [1, 2])
def test_a_file_of_this_librarys_for_another_end_is_not_touched(path: Path, versions: int) -> None:
    """Of the same version, and of one that would be brought up to date by another's steps."""
    before = path.read_bytes()
    steps = [["CREATE TABLE hats (size INTEGER)"], ["CREATE TABLE more (a)"]][:versions]
    with pytest.raises(DatabaseError, match=r"hats .*: a database of something else; name another"):
        rows(Database(path, "hats", steps))
    with pytest.raises(DatabaseError, match=r"hats .*: a database of something else; name another"):
        rows(Database(path, "hats", steps, read_only=True))
    assert path.read_bytes() == before
    assert rows(Database(path, "list", [FIRST], read_only=True)) == [("hat",)]


def test_what_failed_is_undone(path: Path) -> None:
    database = Database(path, "list", [FIRST])

    def fail() -> None:
        with database.writing() as connection:
            connection.execute("DELETE FROM things")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert rows(database) == [("hat",)]
    database.close()


def test_writing_inside_of_writing_is_part_of_it(tmp_path: Path) -> None:
    database = Database(tmp_path / "new", "list", [FIRST])
    with database.writing(), database.writing() as inner:
        inner.execute("INSERT INTO things (name) VALUES ('hat')")
    assert rows(database) == [("hat",)]

    def fail() -> None:
        with database.writing():
            with database.writing() as inner:
                inner.execute("DELETE FROM things")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert rows(database) == [("hat",)]
    with database.reading(), pytest.raises(DatabaseError, match="within a transaction"):
        database.writing().__enter__()
    database.close()


def test_a_database_that_is_forgotten_is_closed(tmp_path: Path) -> None:
    """SQLite's connections are in a cycle with what they keep, and warn when that is collected."""
    database = Database(tmp_path / "forgotten", "list", [FIRST])
    with database.writing() as connection:
        connection.execute("INSERT INTO things (name) VALUES ('hat')")
    del database
    gc.collect()
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        connection.execute("SELECT 1")


def test_many_can_make_a_file_at_once(tmp_path: Path) -> None:
    together = Barrier(8)

    def make() -> None:
        database = Database(tmp_path / "new", "list", [FIRST, SECOND])
        together.wait()
        with database.writing() as connection:
            connection.execute("INSERT INTO things (name) VALUES ('hat')")
        database.close()

    threads = [Thread(target=make) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with sqlite3.connect(tmp_path / "new") as connection:
        assert connection.execute("SELECT count(*) FROM things").fetchone() == (8,)
    connection.close()


def test_an_older_file_is_read_as_a_copy_of_this_version_and_left_as_it_is(path: Path) -> None:
    """Who asks what was spent after an upgrade is answered, also where nothing can be written."""
    before = path.read_bytes()
    database = Database(path, "list", [FIRST, SECOND], read_only=True)
    assert rows(database) == [("hat", "good")]
    database.close()
    assert path.read_bytes() == before
    with pytest.raises(DatabaseError, match="syntax error"):
        rows(Database(path, "list", [FIRST, [*SECOND, "no SQL"]], read_only=True))
    assert path.read_bytes() == before


@pytest.mark.skipif(sys.platform == "win32", reason="a file in use cannot be removed there")
@pytest.mark.parametrize("how", ["removed", "moved away", "replaced"])
def test_a_file_that_is_not_there_any_more_takes_nothing(path: Path, how: str) -> None:
    """What were written would be lost with the file, or missing in the one that others use."""
    database = Database(path, "list", [FIRST])
    assert rows(database) == [("hat",)]
    away = path.with_name("away")
    if how == "removed":
        path.unlink()
    else:
        path.rename(away)
    if how == "replaced":
        with Database(path, "list", [FIRST]).writing() as connection:
            connection.execute("INSERT INTO things VALUES ('glove')")
    for use in (database.writing, database.reading):
        with pytest.raises(DatabaseError, match="removed or replaced while it was in use"), use():
            pytest.fail("it was used")
    if how == "moved away":
        away.rename(path)
        assert rows(database) == [("hat",)], "it is back"
    database.close()
    new = Database(path, "list", [FIRST])
    assert rows(new) == {"removed": [], "moved away": [("hat",)], "replaced": [("glove",)]}[how]
    new.close()


def test_a_relative_path_means_one_file_wherever_the_process_goes(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = path.with_name("elsewhere")
    elsewhere.mkdir()
    monkeypatch.chdir(path.parent)
    database = Database(path.name, "list", [FIRST])
    unopened = Database(path.name, "list", [FIRST], read_only=True)
    assert rows(database) == [("hat",)]
    monkeypatch.chdir(elsewhere)
    assert rows(database) == [("hat",)], "it was not removed"
    database.close()
    assert rows(database) == [("hat",)], "it is opened again"
    assert rows(unopened) == [("hat",)]
    assert list(elsewhere.iterdir()) == []
    for each in (database, unopened):
        each.close()


@pytest.mark.skipif(sys.platform == "win32", reason="a file in use cannot be removed there")
def test_what_was_begun_is_ended_in_the_file_that_it_began_in(path: Path) -> None:
    database = Database(path, "list", [FIRST])
    away = path.with_name("away")
    with database.writing() as connection:
        path.rename(away)
        connection.execute("INSERT INTO things VALUES ('glove')")
        with database.writing() as inner:
            inner.execute("INSERT INTO things VALUES ('scarf')")
    away.rename(path)
    assert rows(database) == [("hat",), ("glove",), ("scarf",)]
    database.close()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", None),
        ("  ", None),
        ("off", False),
        (" OFF ", False),
        ("false", False),
        ("no", False),
        ("0", False),
        ("on", True),
        ("True", True),
        ("yes", True),
        ("1", True),
        ("./on", "./on"),
        (" calls.sqlite3 ", "calls.sqlite3"),
        ("redis://host:6379/0", "redis://host:6379/0"),
    ],
)
def test_a_variable_names_a_file_or_switches(text: str, says: object) -> None:
    assert file_or_switch(text) == says
    assert type(file_or_switch(text)) is type(says)


def test_a_ledger_that_is_switched_on_is_the_default_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert ledger_path({"TOKENFARE_LEDGER": "on"}) == ledger_path({})
    assert ledger_path({"TOKENFARE_LEDGER": "off"}) is None
    assert ledger_path({"TOKENFARE_LEDGER": "mine"}) == Path("mine")


def test_a_tilde_is_the_home_directory_and_at_the_head_of_a_files_name_a_character(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HOME", "/home/ours")
    assert expanded("ledger", "~/calls.sqlite3") == Path("/home/ours/calls.sqlite3")
    assert expanded("ledger", "~calls.sqlite3") == Path("~calls.sqlite3")
    assert expanded("ledger", "~nobody-here/calls.sqlite3") == Path("~nobody-here/calls.sqlite3")

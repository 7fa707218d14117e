"""Whose ledger it is, and whether a call fails without it."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from tokenfare.client.bookkeeping import Books, books
from tokenfare.errors import DatabaseError, InvalidRequestError
from tokenfare.ledger import Ledger

AT = "https://example.org/v1"


def opened(ledger: Any, folder: Path, *, ceilings: Any = None, named: str = "") -> Books:
    environment = {"HOME": str(folder), "XDG_DATA_HOME": str(folder), "XDG_STATE_HOME": str(folder)}
    if named:
        environment["TOKENFARE_LEDGER"] = str(folder / named)
    return books(ledger, ceilings, None, AT, environment)


def test_a_ledger_is_required_if_it_is_named_or_has_ceilings(tmp_path: Path) -> None:
    asked: list[tuple[Any, Any, str, bool]] = [
        (None, None, "", False),
        (True, None, "", False),
        (tmp_path / "own.sqlite", None, "", True),
        (None, None, "named.sqlite", True),
        (True, None, "named.sqlite", True),
        (None, ["5 CNY"], "", True),
        (tmp_path / "both.sqlite", ["5 CNY"], "", True),
    ]
    for ledger, ceilings, named, required in asked:
        found = opened(ledger, tmp_path, ceilings=ceilings, named=named)
        try:
            assert found.required is required, (ledger, ceilings, named)
        finally:
            found.close()


def test_a_ledger_of_ours_is_closed_and_one_that_was_handed_in_is_not(tmp_path: Path) -> None:
    ours, theirs = opened(tmp_path / "ours.sqlite", tmp_path), Ledger(tmp_path / "theirs.sqlite")
    with patch.object(Ledger, "close", autospec=True) as closed:
        opened(theirs, tmp_path).close()
        assert closed.call_args_list == []
        ours.close()
        assert closed.call_args_list == [((ours.ledger,),)]
    ours.close()


@pytest.mark.parametrize(
    ("project", "variable", "says"),
    [
        ("\udcff", "", r"project: '\\udcff' cannot be written as UTF-8"),
        (b"docs", "", "project is a text, not b'docs'"),
        (["docs"], "", r"project is a text, not \['docs'\]"),
        (None, "\udcff", r"TOKENFARE_PROJECT: '\\udcff' cannot be written as UTF-8"),
    ],
)
def test_a_project_that_no_ledger_can_hold_is_refused_before_a_call(
    tmp_path: Path, project: Any, variable: str, says: str
) -> None:
    environment = {"TOKENFARE_PROJECT": variable}
    with pytest.raises(InvalidRequestError, match=says):
        books(tmp_path / "ledger.sqlite", None, project, AT, environment)


def test_a_ceiling_without_a_ledger_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequestError, match="the ledger is switched off"):
        opened(False, tmp_path, ceilings=["5 CNY"])
    off = opened(False, tmp_path)
    assert off.ledger is None
    off.close()


def test_the_variable_that_names_an_unusable_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("Buy milk.\n" * 100)
    for named, problem in [("notes.txt", "file is not a database"), (".", "unable to open")]:
        found = opened(None, tmp_path, named=named)
        assert found.ledger is not None
        with pytest.raises(DatabaseError, match=problem) as error:
            found.ledger.check()
        assert str(error.value).startswith(f"TOKENFARE_LEDGER: ledger {tmp_path / named}: ")
        found.close()
    given = opened(tmp_path / "notes.txt", tmp_path, named="other.sqlite")
    assert given.ledger is not None
    with pytest.raises(DatabaseError, match=r"^ledger "):
        given.ledger.check()
    given.close()


def test_a_url_names_no_ledger_and_is_not_repeated(tmp_path: Path) -> None:
    for url in ("redis://user:secret@host:6379", "sqlite:///calls.sqlite3"):
        scheme, _, rest = url.partition("://")
        with pytest.raises(InvalidRequestError) as error:
            books(None, None, None, AT, {"TOKENFARE_LEDGER": url})
        assert str(error.value).startswith("TOKENFARE_LEDGER: a ledger is a file on this machine")
        assert f"({scheme}://…)" in str(error.value)
        assert rest not in str(error.value)
        with pytest.raises(InvalidRequestError, match=r"^a ledger is a file on this machine"):
            books(url, None, None, AT, {})


def test_an_address_that_lacks_a_slash_names_no_ledger(tmp_path: Path) -> None:
    for named in ("redis:/user:secret@host:6379", Path("redis://user:secret@host:6379")):
        with pytest.raises(InvalidRequestError, match="a ledger is a file") as error:
            books(named, None, None, AT, {})
        assert "redis:/…@host:6379 looks like" in str(error.value)
        assert "limiter='redis://HOST:PORT/DB'" in str(error.value)
        assert "secret" not in str(error.value)
    with pytest.raises(InvalidRequestError, match=r"^TOKENFARE_LEDGER: a ledger is a file"):
        books(None, None, None, AT, {"TOKENFARE_LEDGER": "rediss:/host"})
    assert books(tmp_path / "redis:notes", None, None, AT, {}).ledger is not None

"""Files that a caller names: what is read of them, and what is said of those that cannot be."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tokenfare.errors import InputError, MissingExtra
from tokenfare.extras import required
from tokenfare.reading import bytes_of, opened, text_of, toml_of


def test_what_is_in_a_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "notes.toml"
    path.write_bytes('title = "你好"\r\n'.encode())
    assert bytes_of(path) == b'title = "\xe4\xbd\xa0\xe5\xa5\xbd"\r\n'
    assert text_of(str(path)) == 'title = "你好"\r\n'
    assert toml_of(path) == {"title": "你好"}


def test_the_mark_that_an_editor_put_before_a_text_is_none_of_it(tmp_path: Path) -> None:
    """As Windows' editors do; a second one is a character of the text."""
    path = tmp_path / "notes.toml"
    path.write_bytes(b"\xef\xbb\xbftitle = 1")
    assert text_of(path) == "title = 1"
    assert toml_of(path) == {"title": 1}
    path.write_bytes(b"\xef\xbb\xbf\xef\xbb\xbfa")
    assert text_of(path) == "\ufeffa"
    path.write_bytes(b"\xef\xbb\xbfa\xff")
    with pytest.raises(InputError, match="not UTF-8 at byte 4"):
        text_of(path)


def test_what_goes_wrong_while_a_file_is_read_is_said_by_its_name(tmp_path: Path) -> None:
    path = tmp_path / "notes"
    path.write_bytes(b"all")
    broken = OSError(errno.EIO, "the disk is broken")
    with pytest.raises(InputError) as caught, opened(path):
        raise broken
    assert str(caught.value) == f"{path}: cannot be read: the disk is broken"


@pytest.mark.parametrize("raised", [TimeoutError("too long"), InterruptedError(), ValueError("x")])
def test_what_a_signals_handler_raises_meanwhile_is_no_fault_of_the_file(
    tmp_path: Path, raised: Exception
) -> None:
    path = tmp_path / "notes"
    path.write_bytes(b"all")
    with pytest.raises(type(raised)) as caught, opened(path):
        raise raised
    assert caught.value is raised


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"title = '\xff'", "not UTF-8 at byte 9"),
        (b"title = ", "not TOML: Invalid value"),
        (b"a=" + b"[" * 5_000, "not TOML: "),  # deeper than Python's stack
        (b"a=" + b"1" * 5_000, "not TOML: "),  # more digits than Python reads
    ],
)
def test_what_is_wrong_with_a_file_is_said_by_its_name(
    tmp_path: Path, content: bytes, problem: str
) -> None:
    path = tmp_path / "broken.toml"
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        toml_of(path)
    assert caught.value.name == str(path)
    assert str(caught.value).startswith(f"{path}: {problem}")


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("nowhere.txt", "no such file"),
        (".", "is a directory, not a file"),
        ("a\0b", "cannot be read: embedded null byte"),
        ("a" * 300, "cannot be read: File name too long"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, problem: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError) as caught:
        bytes_of(name)
    assert str(caught.value) == f"{name}: {problem}"


@pytest.mark.parametrize(
    ("extra", "way"), [("batch", "pip install 'tokenfare[batch]'"), ("", "pip install not_there")]
)
def test_a_package_that_is_missing_is_named_with_the_way_to_it(extra: str, way: str) -> None:
    with pytest.raises(MissingExtra) as caught:
        required("not_there.inside", "flying", extra)
    assert str(caught.value) == f"flying needs not_there, which is not installed: {way}"


def test_of_a_clone_that_is_not_installed_pip_is_to_take_the_clone() -> None:
    """Without `site` nothing is installed; the library is only on the path."""
    clone = Path(__file__).resolve().parents[1]
    script = "from tokenfare.extras import required; required('not_there', 'flying', 'redis')"
    ran = subprocess.run(
        [sys.executable, "-S", "-c", script],
        env=os.environ | {"PYTHONPATH": str(clone / "src")},
        capture_output=True,
        text=True,
        check=False,
    )
    said = f"flying needs not_there, which is not installed: pip install '{clone}[redis]'"
    assert ran.stderr.splitlines()[-1].endswith(f"MissingExtra: {said}"), ran.stderr

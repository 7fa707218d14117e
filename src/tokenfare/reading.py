"""Reads files that a caller names; problems become an `InputError` with the file's name."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import Any

from tokenfare.errors import InputError


def bytes_of(path: str | os.PathLike[str]) -> bytes:
    """The content of a file."""
    with opened(path) as file:
        return file.read()


@contextmanager
def opened(path: str | os.PathLike[str]) -> Iterator[BufferedReader]:
    """Open a file. Errors while it is read are an `InputError` too.

    Only an `OSError` with an `errno` counts as such. One without, such as `TimeoutError("too
    long")` raised by a signal handler, has nothing to do with the file.
    """
    name = os.fspath(path)
    try:
        file = Path(path).open("rb")  # noqa: SIM115 - closed below; only opening it is in this block
    except FileNotFoundError:
        raise InputError(name, "no such file") from None
    except IsADirectoryError:
        raise InputError(name, "is a directory, not a file") from None
    except (OSError, ValueError) as error:  # ValueError: a NUL or a lone surrogate in the name
        raise _unreadable(name, error) from None
    with file:
        try:
            yield file
        except OSError as error:
            if error.errno is None:
                raise
            raise _unreadable(name, error) from None


def _unreadable(name: str, error: Exception) -> InputError:
    return InputError(name, f"cannot be read: {getattr(error, 'strerror', None) or error}")


def text_of(path: str | os.PathLike[str]) -> str:
    """The text of a file in UTF-8, without the mark that some editors put before it."""
    try:
        return bytes_of(path).decode().removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise InputError(os.fspath(path), f"not UTF-8 at byte {error.start}") from None


def toml_of(path: str | os.PathLike[str]) -> dict[str, Any]:
    """The tables of a TOML file."""
    import tomllib

    try:
        return tomllib.loads(text_of(path))
    except (RecursionError, ValueError) as error:  # also nested too deeply, or thousands of digits
        raise InputError(os.fspath(path), f"not TOML: {error}") from None

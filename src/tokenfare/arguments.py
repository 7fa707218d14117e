"""Checks of the common kinds of arguments, in one place for the whole library.

A check returns the value in one canonical form that all other code can rely on: a whole number as
an `int`, whatever integer type was passed; a list of words as a tuple of `str`. An invalid value
raises `InvalidRequestError`, with a message that begins with the argument's name, or with the
environment variable that gave it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from operator import index

from tokenfare.errors import InvalidRequestError

TYPE_CHECKING = False  # as in typing, which takes long to import
if TYPE_CHECKING:
    from typing import Any

_LISTS = (tuple, list, frozenset, set)
_NO_LISTS = (str, bytes, Mapping)


def whole(name: str, number: object, least: int | None = None, because: str = "") -> int:
    """A whole number of at least `least`; the error for a lower one gives the reason `because`.

    Integers of other libraries (`numpy.int64`) are whole numbers, `True` and `2.0` are not.
    """
    # Nearly always an `int`, which needs no call.
    value = number if type(number) is int else _index(name, number)
    if least is not None and value < least:
        raise InvalidRequestError(f"{name} is {value:,}; {because or f'it is at least {least:,}'}")
    return value


def _index(name: str, number: Any) -> int:
    try:
        if not isinstance(number, bool):
            return index(number)
    except TypeError:
        pass
    raise InvalidRequestError(f"{name} is a whole number, not {number!r}")


def token_limit(number: object, name: str = "max_tokens") -> int:
    """A limit in tokens, at least 1."""
    return whole(name, number, 1, "a limit is at least 1 token")


def check_text(text: object) -> None:
    """Refuse what is no `str`."""
    if not isinstance(text, str):
        raise InvalidRequestError(f"a text is expected, not {type(text).__name__}")


def flag(name: str, value: object) -> bool:
    """A `bool`; other values are not converted."""
    if not isinstance(value, bool):
        raise InvalidRequestError(f"{name} is True or False, not {value!r}")
    return value


def text_in_utf8(name: str, given: object) -> str:
    """A text that can be written as UTF-8.

    Arguments and variables whose bytes are not UTF-8 reach Python as halves of surrogate pairs.
    """
    if not isinstance(given, str):
        raise InvalidRequestError(f"{name} is a text, not {given!r}")
    try:
        given.encode()
    except UnicodeEncodeError:
        raise InvalidRequestError(
            f"{name}: {given!r} cannot be written as UTF-8; give it as UTF-8"
        ) from None
    return given


def words(name: str, given: object) -> tuple[str, ...]:
    """Words or patterns from any collection; a single text is refused."""
    # Built-in classes first: checking an abstract base class takes many times as long.
    if not isinstance(given, _LISTS) and (
        isinstance(given, _NO_LISTS) or not isinstance(given, Iterable)
    ):
        raise InvalidRequestError(
            f"{name}: a list of words or patterns is expected, not {given!r}; leave it out to "
            "ask for nothing"
        )
    listed = tuple(given)
    odd = [word for word in listed if not isinstance(word, str)]
    if odd:
        raise InvalidRequestError(
            f"{name}: a list of texts is expected, and {odd[0]!r} in it is not one"
        )
    return listed

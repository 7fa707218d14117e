"""What callers may give for an argument, checked in one place for the whole library.

A check gives the value back in the one form that everything behind it can rely on: a whole number
as an `int`, whatever integer type it came in, a list of words as a tuple of `str`. What can mean
nothing raises `InvalidRequestError`, whose text begins with the argument's name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from operator import index
from typing import SupportsIndex

from tokenfare.errors import InvalidRequestError

_LISTS = (tuple, list, frozenset, set)
_NO_LISTS = (str, bytes, Mapping)


def whole(name: str, number: object, least: int | None = None, because: str = "") -> int:
    """A whole number, at least `least`; the message of a lower one says `because`.

    Integers of other libraries (`numpy.int64`) are whole numbers, `True` and `2.0` are not.
    """
    if type(number) is int:  # nearly all; to ask for a protocol takes a tenth of routing a call
        value = number
    elif isinstance(number, bool) or not isinstance(number, SupportsIndex):
        raise InvalidRequestError(f"{name} is a whole number, not {number!r}")
    else:
        value = index(number)
    if least is not None and value < least:
        raise InvalidRequestError(f"{name} is {value:,}; {because or f'it is at least {least:,}'}")
    return value


def token_limit(number: object, name: str = "max_tokens") -> int:
    """A limit in tokens that a text can be cut to."""
    return whole(name, number, 1, "a limit is at least 1 token")


def flag(name: str, value: object) -> bool:
    """`True` or `False`; nothing else is taken for one of them."""
    if not isinstance(value, bool):
        raise InvalidRequestError(f"{name} is True or False, not {value!r}")
    return value


def words(name: str, given: object) -> tuple[str, ...]:
    """Words or patterns from any collection of them; one text alone is refused."""
    # Built-in classes first: an abstract one takes many times as long to ask for.
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

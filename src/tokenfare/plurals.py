"""A number and what it counts, for messages: `1 token`, `2 tokens`, with a comma for thousands.

Only for words whose plural is an added s. It is no translation: messages are in English.
"""

from __future__ import annotations


def number_of(number: int, thing: str) -> str:
    """`1 request`, `1,000 requests`, `0 requests`."""
    return f"{number:,} {thing if number == 1 else thing + 's'}"


def does(number: int, verb: str, verbs: str) -> str:
    """`1 takes`, `2 take`: the number with its verb, in the singular or the plural."""
    return f"{number:,} {verb if number == 1 else verbs}"

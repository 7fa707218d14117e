"""The exit code for each error, and the line that reports it."""

from __future__ import annotations

from tokenfare.errors import (
    CeilingReached,
    DeadlineTooShort,
    FareOverCeiling,
    NoModelFits,
    ProviderError,
    TokenfareError,
)

DONE = 0
ANSWER_IS_NO = 1
WRONG_USE = 2
NO_MODEL_FITS = 3
PROVIDER_FAILED = 4
CEILING_REACHED = 5
DEADLINE_TOO_SHORT = 6
INTERRUPTED = 130


def code_of(error: TokenfareError) -> int:
    """The exit code for an error of this library; what is not listed is wrong use."""
    if isinstance(error, NoModelFits):
        return NO_MODEL_FITS
    if isinstance(error, ProviderError):
        return PROVIDER_FAILED
    if isinstance(error, CeilingReached | FareOverCeiling):
        return CEILING_REACHED
    if isinstance(error, DeadlineTooShort):
        return DEADLINE_TOO_SHORT
    return WRONG_USE


def line_of(error: BaseException) -> str:
    """The error on one line, without characters that could move a terminal's cursor."""
    return "tokenfare: " + printable(" ".join(str(error).split()))


def printable(text: str) -> str:
    """A text with all unprintable characters replaced, which could control a terminal."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)

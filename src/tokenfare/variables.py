"""Errors about values that environment variables give."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tokenfare.errors import TokenfareError


@contextmanager
def given_by(variable: str | None) -> Iterator[None]:
    """Begin the message of an error in here with the variable that gave the value, if one did."""
    try:
        yield
    except TokenfareError as error:
        if variable is not None:
            error.args = (f"{variable}: {error}",)  # its class and its attributes stay
        raise

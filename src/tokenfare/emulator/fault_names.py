"""Faults by name: what a script in a file, a request's header and the command line say.

A fault is a name and, where it has some, values: `cut;after_events=2`. Several are separated by
commas. The names and their values are those of the functions below, with hyphens.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping

from tokenfare.errors import InvalidRequestError

from . import refusal as says
from .faults import (
    Break,
    Delay,
    Drop,
    Fault,
    Interrupt,
    Misbill,
    Page,
    Parse,
    Refuse,
    Spoil,
    Spoiling,
    Stall,
    Trickle,
)
from .refusal import Refusal

NAMES: dict[str, Callable[..., Fault]] = {}
"""Every fault that has a name, and what makes it."""


def named(name: str, values: Mapping[str, object] | None = None) -> Fault:
    """The fault of this name. Raises `InvalidRequestError` for a name or value there is not."""
    make = NAMES.get(name)
    if make is None:
        raise InvalidRequestError(f"no fault is called {name!r}; known: {', '.join(NAMES)}")
    given, known = dict(values or {}), list(inspect.signature(make).parameters)
    for value in given:
        if value not in known:
            has = f"it has {', '.join(known)}" if known else "it has no values"
            raise InvalidRequestError(f"{name} has no value {value!r}; {has}")
    from pydantic import ConfigDict, ValidationError, validate_call

    finite = validate_call(config=ConfigDict(allow_inf_nan=False))
    try:
        fault: Fault = finite(make)(**given)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise InvalidRequestError(f"{name}: {where}: {first['msg']}") from None
    return fault


def in_header(text: str) -> tuple[Fault, ...]:
    """The faults that a header names."""
    return tuple(named(*split(part)) for part in text.split(",") if part.strip())


def split(text: str) -> tuple[str, dict[str, object]]:
    """A name and its values: `cut;after_events=2` is `("cut", {"after_events": "2"})`."""
    name, *values = (part.strip() for part in text.split(";"))
    found: dict[str, object] = {}
    for value in values:
        key, equals, given = value.partition("=")
        if not equals:
            raise InvalidRequestError(
                f"{text!r}: {value!r} is not a value; they look like KEY=VALUE"
            )
        found[key.strip()] = given.strip()
    return name, found


def _named(make: Callable[..., Fault]) -> Callable[..., Fault]:
    NAMES[make.__name__.replace("_", "-").strip("-")] = make
    return make


def _refusing(name: str, make: Callable[[], Refusal]) -> None:
    NAMES[name] = lambda: Refuse.saying(make())


@_named
def throttled_requests(retry_after_seconds: float | None = None) -> Fault:
    """429: too many requests in this minute."""
    return Refuse.saying(says.too_many_requests(retry_after_seconds))


@_named
def throttled_tokens(retry_after_seconds: float | None = None) -> Fault:
    """429: too many tokens in this minute."""
    return Refuse.saying(says.too_many_tokens(retry_after_seconds))


@_named
def throttled_burst(retry_after_seconds: float | None = None) -> Fault:
    """429: the rate rose too quickly."""
    return Refuse.saying(says.too_sudden(retry_after_seconds))


_refusing("allowance-spent", says.allowance_spent)
_refusing("free-tier-only", says.trial_spent)
_refusing("arrears", says.arrears)
_refusing("bill-overdue", says.bill_overdue)
_refusing("wrong-key", says.wrong_key)
_refusing("no-access", says.not_approved)
_refusing("retired", lambda: says.retired_model("the model"))
_refusing("unknown-model", lambda: says.unknown_model("the model"))
_refusing("not-supported", lambda: says.not_supported("the model"))
_refusing("filtered-input", lambda: says.filtered("Input"))
_refusing("server-error", says.failed)
_refusing("serving-error", says.serving_failed)
_refusing("unavailable", says.unavailable)
_refusing("timed-out", says.timed_out)


@_named
def too_long(limit: int = 30_720) -> Fault:
    """400: the input is longer than this limit."""
    return Refuse.saying(says.input_too_long(limit))


@_named
def refused(
    status: int, code: str, message: str = "", retry_after_seconds: float | None = None
) -> Fault:
    """Any other error."""
    return Refuse(status, code, message, retry_after_seconds)


@_named
def bad_gateway() -> Fault:
    """502, with a page of HTML."""
    return Page(502, "502 Bad Gateway")


@_named
def gateway_timeout() -> Fault:
    """504, with a page of HTML."""
    return Page(504, "504 Gateway Time-out")


@_named
def cut(after_events: int = 0) -> Fault:
    """The connection is closed: at once, or after so many events of a stream."""
    return Drop(after_events)


@_named
def cut_download(after_bytes: int = 1) -> Fault:
    """The connection is closed in the middle of a file's content."""
    return Break(after_bytes)


@_named
def filtered_output(after_events: int = 2) -> Fault:
    """The content filter stops the answer in the middle."""
    return Interrupt(Refuse.saying(says.filtered("Output")), after_events)


@_named
def interrupted(
    after_events: int = 2, status: int = 500, code: str = "internal_error", message: str = ""
) -> Fault:
    """An error inside an answer whose status is 200."""
    words = message or says.failed().message
    return Interrupt(Refuse(status, code, words), after_events)


@_named
def delay(seconds: float) -> Fault:
    """The whole answer comes later."""
    return Delay(seconds)


@_named
def stall(seconds: float, after_events: int = 1) -> Fault:
    """Silence in the middle of an answer."""
    return Stall(seconds, after_events)


@_named
def trickle(seconds: float) -> Fault:
    """Time before every event of a stream."""
    return Trickle(seconds)


@_named
def wrong_usage(input_tokens: int = 0, output_tokens: int = 0) -> Fault:
    """The bill is so many tokens too high, or too low."""
    return Misbill(input_tokens, output_tokens)


@_named
def malformed(how: Spoiling = "not-json") -> Fault:
    """An answer that is none."""
    return Spoil(how)


@_named
def slow_parsing(looks: int = 3, seconds: float = 0.0) -> Fault:
    """An uploaded file takes long to be read."""
    return Parse(looks, seconds)


@_named
def unreadable_file(looks: int = 1) -> Fault:
    """An uploaded file turns out to be unreadable."""
    return Parse(looks, fails=True)

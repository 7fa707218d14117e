"""Reads inputs: texts from files or standard input, chat messages, dates, amounts.

An input that cannot be read raises `InputError` or a usage error, which names it and the place in
it; nothing is guessed or replaced.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from io import BufferedReader
from typing import Any, TypeVar, cast

import click

from tokenfare import api, reading
from tokenfare.catalog.catalog import today
from tokenfare.errors import InputError, InvalidRequestError
from tokenfare.interruptible import awaited
from tokenfare.messages import Document, Prompt
from tokenfare.money import Money, shown

F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T")

STANDARD_INPUT = "-"

_SOON = timedelta(days=180)
"""For how long the newest known prices are used without a warning."""


def _in_yuan(_: click.Context, __: click.Parameter, given: tuple[str, ...]) -> tuple[str, ...]:
    """Add the currency to ceilings that are bare numbers: yuan, as in `Amount`."""
    from tokenfare.ledger import Ceiling

    texts = tuple(f"{each} CNY" if _NUMBER_ALONE.search(each) else each for each in given)
    for text in texts:
        try:
            Ceiling.parse(text)
        except InvalidRequestError as error:
            raise click.BadParameter(str(error)) from None
    return texts


_NUMBER_ALONE = re.compile(r"(^|:)\s*[\d.]+\s*$")

ceilings_option: Callable[[F], F] = click.option(
    "--ceiling",
    "ceilings",
    multiple=True,
    metavar="C",
    callback=_in_yuan,
    help="Most to spend in a day: 5 (in yuan), '5 USD', '200000 tokens', 'project: 5', '*: 5' for "
    "each project by itself; may be repeated.",
)


@dataclass(frozen=True, slots=True)
class Input:
    """A text and where it came from; `size` is its length in bytes as read."""

    name: str
    text: str
    size: int


def read(name: str) -> Input:
    """The text of a file, or of standard input for `-`. It must be UTF-8."""
    raw = _bytes(name)
    try:
        return Input(name, raw.decode(), len(raw))
    except UnicodeDecodeError as error:
        bad = raw[error.start]
        raise InputError(
            name, f"not UTF-8: byte 0x{bad:02x} at offset {error.start}; convert it first"
        ) from None


@contextmanager
def opened(name: str) -> Iterator[BufferedReader]:
    """Open a file, or standard input for `-`; Ctrl-C interrupts waiting for its content."""
    if name == STANDARD_INPUT:
        if sys.stdin is None:
            raise InputError(name, "standard input is closed")
        yield awaited(cast("BufferedReader", sys.stdin.buffer))
        return
    if not name:  # `Path("")` is the current folder
        raise InvalidRequestError("a file's name is empty; a dash is standard input")
    with reading.opened(name) as file:
        yield awaited(file)


def read_document(name: str) -> Document:
    """Read a document: UTF-8 text, PDF or DOCX."""
    return api.document_of(name, _bytes(name))


def read_prompt(name: str, *, as_messages: bool) -> Prompt:
    """Read a prompt: a text or, with `as_messages`, a JSON array of messages."""
    source = read(name)
    if as_messages:
        return parse_messages(source)
    if not source.text:
        raise InputError(name, "empty; a request needs at least one character")
    return source.text


def parse_messages(source: Input) -> Prompt:
    """The JSON array of messages in an input."""
    try:
        value = json.loads(without_mark(source.text))
    except json.JSONDecodeError as error:
        raise InputError(
            source.name, f"not JSON: {error.msg} in line {error.lineno}, column {error.colno}"
        ) from None
    except RecursionError:
        raise InputError(source.name, "not messages: JSON nested too deeply") from None
    except ValueError as error:  # an integer of thousands of digits
        raise InputError(source.name, f"not messages: {error}") from None
    if not isinstance(value, list):
        raise InputError(source.name, "a JSON array of messages is expected")
    return value


def read_json(name: str, kind: type[T]) -> T:
    """The JSON of a file, which must be an array or an object, as `kind` says."""
    source, wanted = read(name), "a JSON object" if kind is dict else "a JSON array"
    try:
        value = json.loads(without_mark(source.text))
    except (ValueError, RecursionError) as error:
        raise InputError(source.name, f"{wanted} is expected: {error}") from None
    if not isinstance(value, kind):
        raise InputError(source.name, f"{wanted} is expected")
    return value


def without_mark(text: str) -> str:
    """JSON without the byte order mark (U+FEFF) that some editors write, which JSON forbids."""
    return text.removeprefix("\ufeff")


class Day(click.ParamType[date]):
    """A date written as 2024-12-18."""

    name = "date"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> date:
        """Parse a date, or fail with the expected form."""
        if isinstance(value, date):
            return value
        try:
            return date.fromisoformat(str(value))
        except ValueError:
            self.fail(f"{value!r} is not a date; write it as 2024-12-18", param, ctx)


class AsOf(Day):
    """A day of the catalogue; warns on stderr if its prices cannot be known yet."""

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> date:
        """Parse a day; warn about a future one that is long after the newest known price."""
        day = super().convert(value, param, ctx)
        if day > today():
            newest = api.default_catalog(day).newest_price
            if newest is not None and day - newest > _SOON:
                supposed = f"{day} is still to come; the newest price known is of {newest}"
                click.echo(f"tokenfare: warning: {supposed}", err=True)
        return day


class Amount(click.ParamType[Money]):
    """An amount of money: `0.05`, in yuan, or `0.05 USD`."""

    name = "amount"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> Money:
        """Parse an exact amount, or fail with the expected form."""
        if isinstance(value, Money):
            return value
        number, _, currency = str(value).partition(" ")
        try:
            return Money.parse(number, currency or "CNY")
        except (ValueError, TypeError):
            self.fail(f"{shown(value)} is not an amount; write 0.05 or '0.05 USD'", param, ctx)


class Duration(click.ParamType[timedelta]):
    """A duration: `90m`, `2h`, `1d12h`."""

    name = "duration"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> timedelta:
        """Parse a duration, or fail with the expected form."""
        if isinstance(value, timedelta):
            return value
        found = _DURATION.fullmatch(str(value))
        if found is None or not any(found.groups()):
            known = (said for form, said in _NO_DURATION if form.match(str(value)))
            what = next(known, "is not a time")
            self.fail(f"{value!r} {what}; write it as 30s, 90m, 2h or 1d12h", param, ctx)
        try:
            return timedelta(**{unit: int(n) for unit, n in found.groupdict().items() if n})
        except OverflowError:
            self.fail(f"{value!r} is longer than can be said", param, ctx)


_DURATION = re.compile(
    r"(?:(?P<days>[0-9]{1,9})d)?(?:(?P<hours>[0-9]{1,9})h)?"
    r"(?:(?P<minutes>[0-9]{1,9})m)?(?:(?P<seconds>[0-9]{1,9})s)?"
)


_NO_DURATION = (
    (re.compile(r"[0-9.]+$"), "has no unit"),
    (re.compile(r"-[0-9]"), "is over before it begins"),
    (re.compile(r"[0-9]+[-:][0-9]"), "is a moment, and not how long something may take"),
)


class Words(click.ParamType[tuple[str, ...]]):
    """Words separated by commas, each from a known set if there is one."""

    name = "words"

    def __init__(self, known: frozenset[str]) -> None:
        """Accept only these words."""
        self.known = known

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, ...]:
        """Split the text, or fail with the known words."""
        if isinstance(value, tuple):
            return value
        words = tuple(word.strip() for word in str(value).split(",") if word.strip())
        for word in words:
            if word not in self.known:
                known = ", ".join(sorted(self.known))
                self.fail(f"{word!r} is not one of {known}", param, ctx)
        return words


def _bytes(name: str) -> bytes:
    with opened(name) as file:
        return file.read()

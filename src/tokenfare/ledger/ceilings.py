"""Ceilings on what is spent in a day, in tokens or in money, and whether a call stays below them.

A ceiling counts what was billed, the most that open calls may be billed, and the most that the new
call may be billed. So calls under way can never exceed it together, whichever process they are in.
Not covered is what a provider bills beyond the room that was asked for, such as the reasoning of a
thinking model.

A ceiling is for all calls, for one project, or for each project that matches a pattern separately,
so that it applies to future customers too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo
from decimal import Decimal
from fnmatch import fnmatchcase

from tokenfare.arguments import whole
from tokenfare.errors import CeilingReached, InvalidRequestError
from tokenfare.money import Money, total
from tokenfare.plurals import number_of

from .day_bounds import day_around
from .entry import Intent


@dataclass(frozen=True, slots=True)
class Ceiling:
    """The most that may be spent in a day, in tokens or in money.

    Attributes:
        limit: Tokens, as a whole number, or `Money`.
        project: Count only the calls of this project. A pattern (`*`, `demo-?`) gives each project
            that matches a ceiling of its own; calls without a project are one more. By default all
            calls in the ledger count.
        zone: The time zone of the day, UTC by default. A call belongs to the day on which it began.

    Examples:
        >>> from tokenfare.ledger import Ceiling
        >>> print(Ceiling.parse("demo: 5 CNY"))
        5 CNY a day in project demo
    """

    limit: int | Money
    project: str | None = None
    zone: tzinfo = UTC

    def __post_init__(self) -> None:
        limit: object = self.limit  # what a caller without a type checker may have given
        amount = limit.amount if isinstance(limit, Money) else whole("a ceiling", limit)
        if amount < 0:
            raise InvalidRequestError(f"a ceiling is not below zero: {limit}")

    @classmethod
    def parse(cls, text: str, zone: tzinfo = UTC) -> Ceiling:
        """Read `5 CNY`, `200000 tokens`, `demo: 5 CNY` or `*: 2 CNY`.

        Raises `InvalidRequestError`.
        """
        project, colon, amount = text.rpartition(":")
        number, _, unit = amount.strip().partition(" ")
        try:
            limit: int | Money = (
                int(number.replace(",", "").replace("_", ""))
                if unit.strip() in {"tokens", "token"}
                else Money.parse(number, unit.strip())
            )
        except (ValueError, ArithmeticError, TypeError) as error:
            raise InvalidRequestError(
                f"a ceiling is written as '5 CNY', '200000 tokens', 'project: 5 CNY' or, for each "
                f"project by itself, '*: 5 CNY', not {text!r}"
            ) from error
        return cls(limit, project.strip() if colon else None, zone)

    def day(self, now: float) -> tuple[int, int]:
        """The day of a moment (epoch seconds): its beginning and end in milliseconds."""
        return day_around(now, self.zone).milliseconds()

    def __str__(self) -> str:
        """`5 CNY a day`, `200,000 tokens a day in project demo`."""
        limit = str(self.limit) if isinstance(self.limit, Money) else number_of(self.limit, "token")
        if self.project is None:
            return f"{limit} a day"
        if not self.project:
            return f"{limit} a day without a project"
        each = "each " if any(sign in self.project for sign in "*?[") else ""
        return f"{limit} a day in {each}project {self.project}"


def held_to(ceilings: Sequence[Ceiling], project: str) -> list[Ceiling]:
    """The ceilings that a call of a project is held to, each naming what is added up under it.

    Those for everything and those that name the project all hold. Of the patterns that match, the
    first in each unit does, unless the project has a ceiling in that unit by its own name: so one
    customer may be allowed more than the others.
    """
    held = [ceiling for ceiling in ceilings if ceiling.project in {None, project}]
    settled = {type(ceiling.limit) for ceiling in held if ceiling.project is not None}
    for ceiling in ceilings:
        pattern, unit = ceiling.project, type(ceiling.limit)
        if pattern is None or pattern == project or unit in settled:
            continue
        if fnmatchcase(project, pattern):
            settled.add(unit)
            held.append(replace(ceiling, project=project))
    return held


@dataclass(frozen=True, slots=True)
class Taken:
    """What counts under a ceiling so far: spent by settled calls, held by open ones."""

    spent: int | Money
    held: int | Money


def check(ceiling: Ceiling, intent: Intent, taken: Taken, resets_ms: int) -> None:
    """Raise `CeilingReached` if the call might go above the ceiling."""
    amount: int | Money = intent.fare if isinstance(ceiling.limit, Money) else intent.most_tokens
    if total(map(_number, (taken.spent, taken.held, amount))) <= _number(ceiling.limit):
        return
    resets = datetime.fromtimestamp(resets_ms / 1_000, ceiling.zone)
    raise CeilingReached(
        f"{intent.model}: the call may take {_text(amount)}; of {ceiling}, earlier calls took "
        f"{_text(taken.spent)} and open calls hold {_text(taken.held)}; it resets at "
        f"{resets.isoformat(timespec='minutes')}",
        ceiling=ceiling,
        spent=taken.spent,
        held=taken.held,
        asked=amount,
        resets_at=resets,
    )


def check_currency(ceiling: Ceiling, intent: Intent) -> None:
    """Raise `InvalidRequestError` if the call costs another currency than the ceiling is in."""
    limit = ceiling.limit
    if isinstance(limit, Money) and limit.currency != intent.fare.currency:
        raise InvalidRequestError(
            f"{intent.model} costs {intent.fare.currency} and the ceiling is {ceiling}: "
            f"converting needs a dated rate; set a ceiling in {intent.fare.currency} or in tokens"
        )


def _number(amount: int | Money) -> Decimal:
    return amount.amount if isinstance(amount, Money) else Decimal(amount)


def _text(amount: int | Money) -> str:
    return str(amount) if isinstance(amount, Money) else number_of(amount, "token")

"""Decide a recorded request again, on other facts or another day: what changed, and why."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from tokenfare.catalog import Model

from .decide import decide
from .decision import Decision
from .filters import first_refusal
from .recorded import Outcome, Record

_NEW = Outcome(None, "not in the catalogue")
_UNCOUNTED = Outcome(None, "the request was not counted with its tokenizer then")


@dataclass(frozen=True, slots=True)
class Change:
    """A model whose outcome differs from the record."""

    model: str
    then: Outcome
    now: Outcome

    def __str__(self) -> str:
        """One sentence."""
        return f"{self.model}: {self.now}; then: {self.then}"


@dataclass(frozen=True, slots=True, repr=False)
class Replay:
    """A record, the new decision, and every model whose outcome has changed.

    `changes` starts with the model chosen then and the one chosen now.
    """

    record: Record
    now: Decision
    changes: tuple[Change, ...]

    def __repr__(self) -> str:
        """Show the model then and now, and the number of changes."""
        now = self.now.winner.id if self.now.winner else None
        return f"<Replay: {self.record.model} then, {now} now, {len(self.changes)} changes>"

    @property
    def same(self) -> bool:
        """Whether the same model is chosen again, or none both times."""
        return self.record.model == (self.now.winner and self.now.winner.id)

    @property
    def same_facts(self) -> bool:
        """Whether the catalogue's content is the same; the day may differ."""
        return self.record.digest == self.now.digest


def replay(record: Record, models: Sequence[Model], *, day: date, digest: str) -> Replay:
    """Decide a recorded request again among these models of `day`."""
    able = [m for m in models if first_refusal(m, record.requirements) or record.sizes.known(m)]
    now = decide(able, record.sizes, record.requirements, day=day, digest=digest)
    outcomes = {model.id: _UNCOUNTED for model in models} | dict(_outcomes(now))
    chosen = (record.model, now.winner and now.winner.id)
    changes = (
        Change(name, then, after)
        for name in sorted(
            record.outcomes.keys() | outcomes.keys(), key=lambda n: (n not in chosen, n)
        )
        if (then := record.outcomes.get(name, _NEW)) != (after := outcomes.get(name, _NEW))
    )
    return Replay(record, now, tuple(changes))


def _outcomes(decision: Decision) -> Iterator[tuple[str, Outcome]]:
    for entry in decision.ranked:
        yield entry.model.id, Outcome(entry.fare.high, "ranked")
    for refusal in decision.rejected:
        detail = refusal.detail.removeprefix(f"{refusal.model.id}: ")
        yield refusal.model.id, Outcome(None, detail)

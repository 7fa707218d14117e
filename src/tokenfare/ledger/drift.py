"""Drift: models whose bills differ from their predictions, by how much, and since when.

A call misses if the provider billed fewer input tokens than the prediction's low end or more than
its high end. Misses with fewer than `STEADY` good calls between them are one episode; an episode
is over once as many good calls have followed it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from .day_bounds import ALWAYS, Span
from .entry import ANSWERED
from .ledger import Ledger

STEADY = 20

_MISSES = """
SELECT model, nth, started_ms, predicted, input_tokens, answered FROM (
    SELECT model, started_ms, predicted, input_tokens, missed,
        row_number() OVER (PARTITION BY model ORDER BY id) AS nth,
        count(*) OVER (PARTITION BY model) AS answered
    FROM calls
    WHERE outcome = :answered AND started_ms >= :since AND started_ms < :until
        AND (:model = '' OR model = :model) AND (:project = '' OR project = :project)
)
WHERE missed ORDER BY model, nth
"""


@dataclass(frozen=True, slots=True)
class Drift:
    """A period in which a model's bills were outside their predictions.

    Attributes:
        model: The model's id.
        calls: How many calls it had since the first miss.
        missed: How many of them were billed outside their prediction.
        predicted: The input tokens predicted for those, together.
        billed: The input tokens billed for those, together.
        since: When the first miss was.
        good_since: How many calls were right after the last miss.
    """

    model: str
    calls: int
    missed: int
    predicted: int
    billed: int
    since: datetime
    good_since: int

    @property
    def over(self) -> bool:
        """Whether enough good calls followed for the period to be over."""
        return self.good_since >= STEADY

    def __str__(self) -> str:
        """One sentence for people."""
        off = self.billed - self.predicted
        share = f" ({off / self.predicted:+.1%})" if self.predicted else ""
        right = "was" if self.good_since == 1 else f"{self.good_since} were"
        end = f"; the last {right} right" if self.good_since else ""
        return (
            f"{self.model}: {self.missed} of {self.calls} calls since "
            f"{self.since.isoformat(timespec='minutes')} were billed other than predicted: "
            f"{self.billed:,} input tokens, {self.predicted:,} predicted, {off:+,}{share}{end}"
        )


def drifts(
    ledger: Ledger, span: Span = ALWAYS, *, model: str = "", project: str = ""
) -> list[Drift]:
    """The latest drift of each model that has one, or of one model.

    Args:
        ledger: The ledger.
        span: The days to look at.
        model: Only this model.
        project: Only this project.
    """
    since, until = span.milliseconds()
    parameters = {
        "answered": ANSWERED,
        "since": since,
        "until": until,
        "model": model,
        "project": project,
    }
    with ledger.reading() as database:
        rows = database.execute(_MISSES, parameters).fetchall()
    return [_latest(list(misses), span) for _, misses in groupby(rows, key=lambda row: row[0])]


def _latest(misses: Sequence[tuple[str, int, int, int, int, int]], span: Span) -> Drift:
    first = len(misses) - 1
    while first and misses[first][1] - misses[first - 1][1] <= STEADY:
        first -= 1
    episode = misses[first:]
    model, nth, started, _, _, answered = episode[0]
    return Drift(
        model=model,
        calls=answered - nth + 1,
        missed=len(episode),
        predicted=sum(row[3] for row in episode),
        billed=sum(row[4] for row in episode),
        since=datetime.fromtimestamp(started / 1_000, span.zone),
        good_since=answered - episode[-1][1],
    )

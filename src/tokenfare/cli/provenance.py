"""One model for people: every fact, and under it how it is known, since when, and by whom.

Sources have numbers and stand at the end; what is disputed stands before them, with both sides.
"""

from __future__ import annotations

from collections.abc import Iterator

from tokenfare.catalog import Dispute, Evidence, Model
from tokenfare.catalog.told import told

_WIDTH = 24


def lines_of(model: Model) -> Iterator[str]:
    """The lines."""
    sources: dict[str, int] = {}
    disputes: dict[Dispute, str] = {}
    note: str | None = None
    yield f"{model.id} on {model.day}: {model.status}"
    for fact, value in told(model).items():
        yield f"  {fact:<{_WIDTH}}{value}"
        evidence = model.evidence.get(fact)
        if evidence is None:
            continue
        number = sources.setdefault(evidence.source, len(sources) + 1)
        yield f"  {'':<{_WIDTH}}  {_known(evidence)} [{number}]"
        if evidence.note not in (None, note):
            note = evidence.note
            yield f"  {'':<{_WIDTH}}  {note}"
        for dispute in evidence.disputes:
            disputes.setdefault(dispute, fact.partition(".")[0])
    for dispute, fact in disputes.items():
        number = sources.setdefault(dispute.source, len(sources) + 1)
        yield f"disputed: {fact}: {dispute.says} [{number}]; not used: {dispute.because}"
    yield from (f"[{number}] {source}" for source, number in sources.items())


def _known(evidence: Evidence) -> str:
    origin = f" from {evidence.inherited_from}" if evidence.inherited_from else ""
    return f"{evidence.mark}{origin}, {evidence.since}, {evidence.confidence} confidence"

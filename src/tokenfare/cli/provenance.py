"""One model for people: every fact, and under it how it is known, since when, and by whom.

Who serves it follows in the same form. Sources have numbers and stand at the end; what is disputed
comes before them, with both sides.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tokenfare.catalog import Dispute, Evidence, Model, Provider
from tokenfare.catalog.description import evidence_name, model_facts, provider_facts

_WIDTH = 26


def lines_of(model: Model, provider: Provider) -> Iterator[str]:
    """The lines; `provider` is who serves the model."""
    page = _Page()
    yield f"{model.id} on {model.day}: {model.status}"
    yield from page.facts(model_facts(model), model.evidence)
    yield f"served by {provider.name}, in {provider.default_region} by default"
    yield from page.facts(provider_facts(provider), provider.evidence)
    yield from page.end()


class _Page:
    """What was printed so far: the sources by number, the disputes, and the last note."""

    def __init__(self) -> None:
        self._sources: dict[str, int] = {}
        self._disputes: dict[Dispute, str] = {}
        self._note: str | None = None

    def facts(self, said: Mapping[str, str], evidence: Mapping[str, Evidence]) -> Iterator[str]:
        """Each fact with its value, and how it is known."""
        for fact, value in said.items():
            yield f"  {fact:<{_WIDTH}}{value}"
            name = evidence_name(fact)
            if name in evidence:
                yield from self._origin_of(fact, evidence[name])

    def end(self) -> Iterator[str]:
        """What is disputed, and the sources."""
        for dispute, fact in self._disputes.items():
            number = self._number(dispute.source)
            yield f"disputed: {fact}: {dispute.says} [{number}]; not used: {dispute.because}"
        yield from (f"[{number}] {source}" for source, number in self._sources.items())

    def _origin_of(self, fact: str, evidence: Evidence) -> Iterator[str]:
        origin = f" from {evidence.inherited_from}" if evidence.inherited_from else ""
        known = f"{evidence.mark}{origin}, {evidence.since}, {evidence.confidence} confidence"
        yield f"  {'':<{_WIDTH}}  {known} [{self._number(evidence.source)}]"
        if evidence.note not in (None, self._note):
            self._note = evidence.note
            yield f"  {'':<{_WIDTH}}  {evidence.note}"
        for dispute in evidence.disputes:
            self._disputes.setdefault(dispute, fact.partition(".")[0])

    def _number(self, source: str) -> int:
        return self._sources.setdefault(source, len(self._sources) + 1)

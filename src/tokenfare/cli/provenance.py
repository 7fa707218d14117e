"""Shows one model to people: every fact, how and since when it is known, and its source.

The facts of its provider follow in the same form. At the end are the disputed facts, with both
sides, and the numbered list of sources.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tokenfare.catalog import Dispute, Evidence, Model, Provider
from tokenfare.catalog.description import evidence_name, model_facts, provider_facts

_WIDTH = 26


def lines_of(model: Model, provider: Provider) -> Iterator[str]:
    """The lines for a model and its provider."""
    page = _Page()
    yield f"{model.id} on {model.day}: {model.status}"
    yield from page.facts(model_facts(model), model.evidence)
    yield f"served by {provider.name}, in {provider.default_region} by default"
    yield from page.facts(provider_facts(provider), provider.evidence)
    yield from page.end()


class _Page:
    """The state of the page so far: the sources by number, the disputes, and the last note."""

    def __init__(self) -> None:
        self._sources: dict[str, int] = {}
        self._disputes: dict[Dispute, str] = {}
        self._note: str | None = None

    def facts(self, said: Mapping[str, str], evidence: Mapping[str, Evidence]) -> Iterator[str]:
        """The lines of facts, each with its value and its evidence."""
        for fact, value in said.items():
            yield f"  {fact:<{_WIDTH}}{value}"
            name = evidence_name(fact)
            if name in evidence:
                yield from self._origin_of(fact, evidence[name])

    def end(self) -> Iterator[str]:
        """The lines of the disputed facts and of the sources."""
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

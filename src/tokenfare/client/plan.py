"""What a client does before and after the network: decide, arrange the call, settle the bill.

Pure: both clients share it. It joins the router, which chooses, with dispatch, which sends, and
neither of those knows the other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath
from types import MappingProxyType

from tokenfare import dispatch
from tokenfare.api import needing, route_sized
from tokenfare.budget import Carriage, Carriages, Fare, RequestCount, billed, options_of
from tokenfare.catalog import Catalog, Model
from tokenfare.dispatch import Answer, Attempt, Call
from tokenfare.errors import InvalidRequestError, ProviderError
from tokenfare.messages import Document, Prompt, parse
from tokenfare.money import Money
from tokenfare.router import Decision, Ranked, Requirements
from tokenfare.tokenizers import measurer
from tokenfare.usage import Usage

# Of the formats that the provider's file service reads, those that are plain text.
_READ_AS_TEXT = frozenset({".txt", ".md", ".csv", ".json"})


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer, what was billed for it, and what was predicted.

    `decision` chose the model; `model` is the one that answered, another one of the ranking if the
    chosen one could not. `fare` is the bill at the catalogue's price, `None` where there is none.
    `attempts` has every sending, of every model tried.
    """

    text: str
    model: str
    usage: Usage
    fare: Money | None
    predicted: RequestCount
    decision: Decision
    attempts: tuple[Attempt, ...]
    answer: Answer


@dataclass(frozen=True, slots=True)
class Step:
    """One model to try: the call for it and what it should come to."""

    model: Model
    carriage: Carriage
    call: Call
    fare: Fare


@dataclass(frozen=True)
class Ladder:
    """A decision and the calls it leads to, cheapest model first, each made when it is needed."""

    decision: Decision
    carriages: Carriages
    extra: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))
    escalate: bool = True

    def steps(self) -> Iterator[Step]:
        """The calls in the order in which they are to be tried."""
        entries = self.decision.ranked if self.escalate else self.decision.ranked[:1]
        return (self._step(entry) for entry in entries)

    def _step(self, entry: Ranked) -> Step:
        carriage = self.carriages.to(entry.model)
        documents = tuple(
            dispatch.Document(_file_name(document.name), document.text.encode(errors="replace"))
            for document in carriage.documents
        )
        call = Call(
            entry.model,
            carriage.messages,
            self.decision.asked.max_output_tokens,
            extra=self.extra,
            documents=documents,
        )
        return Step(entry.model, carriage, call, entry.fare)

    def reply(self, step: Step, answer: Answer, failed: Sequence[Attempt]) -> Reply:
        """What came of the call that was answered."""
        price = step.model.price
        return Reply(
            text=answer.text,
            model=answer.model,
            usage=answer.usage,
            fare=billed(price, answer.usage) if price is not None else None,
            predicted=step.carriage.count,
            decision=self.decision,
            attempts=(*failed, *answer.attempts),
            answer=answer,
        )


def ladder(  # noqa: PLR0913 - what a call is made of
    prompt: Prompt,
    documents: Sequence[Document],
    asked: Requirements,
    catalog: Catalog,
    *,
    extra: Mapping[str, object],
    escalate: bool,
) -> Ladder:
    """Decide on a request. Raises `NoModelFits`."""
    if asked.batch:
        raise InvalidRequestError(
            "a call is answered at once and has no batch price; do without `batch` here"
        )
    messages = parse(prompt)
    carriages = Carriages(messages, documents, measurer, options_of(extra))
    decision = route_sized(carriages.size_for, needing(asked, messages), catalog)
    return Ladder(decision, carriages, extra, escalate)


def _file_name(name: str) -> str:
    """A document's name at the provider: no folder of this machine, and a suffix that it reads."""
    path = PurePath(name)
    return path.name if path.suffix.lower() in _READ_AS_TEXT else f"{path.name}.txt"


class Climb:
    """Which step is next: the first, then one more after each failure that another model may mend.

    A stream that has begun is never followed by another model's answer: its error ends the climb.
    """

    def __init__(self, ladder: Ladder) -> None:
        """Stand before the first step."""
        self._ladder = ladder
        self._steps = ladder.steps()
        self._failed: list[Attempt] = []
        self._last: ProviderError | None = None

    def next(self) -> Step:
        """The next call to try. Raises the last error if no step is left."""
        step = next(self._steps, None)
        if step is not None:
            return step
        if self._last is None:
            raise InvalidRequestError("this decision found no model; see its `rejected`")
        raise self._last

    def failed(self, error: ProviderError) -> None:
        """Note a failure. Raises it again where no other model would do better."""
        self._failed += (a for a in error.attempts if isinstance(a, Attempt))
        error.attempts = tuple(self._failed)
        if not error.another_model_may or error.text:
            raise error
        self._last = error

    def answered(self, step: Step, answer: Answer) -> Reply:
        """What came of it."""
        return self._ladder.reply(step, answer, self._failed)

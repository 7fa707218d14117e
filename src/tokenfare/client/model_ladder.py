"""The models that a request may go to, in the order in which they are asked, as prepared calls.

No I/O; both clients share it. It joins the router, which chooses, with `dispatch`, which sends:
neither of these knows the other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePath
from types import MappingProxyType

from tokenfare import dispatch
from tokenfare.api import Documents, documents_of, needing, route_arranged, route_sized
from tokenfare.budget import (
    Fare,
    PreparedRequest,
    RequestPreparer,
    billed,
    largest_answer,
    options_of,
)
from tokenfare.catalog import Catalog, Model
from tokenfare.dispatch import Answer, Attempt, Call
from tokenfare.errors import InvalidRequestError, NoModelFits
from tokenfare.messages import Document, Prompt, parse
from tokenfare.plurals import number_of
from tokenfare.router import Decision, MeasurerFor, Ranked, Requirements, served_as
from tokenfare.tokenizers import measurer_or_bounds

from .reply import Reply

# The formats of the provider's file service that are plain text.
_READ_AS_TEXT = frozenset({".txt", ".md", ".csv", ".json"})


@dataclass(frozen=True, slots=True)
class Step:
    """One model to try: the prepared call, and the fare of all its `answers`.

    With more than one answer (`n`), the provider bills the input once, and all answers.
    """

    model: Model
    prepared: PreparedRequest
    call: Call
    fare: Fare
    answers: int = 1
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Ladder:
    """A decision and the calls that follow from it, cheapest model first, prepared when needed.

    If `escalate` is requirements, the models after the first are those that meet them. Models in
    `without` are left out.
    """

    decision: Decision
    preparer: RequestPreparer
    parameters: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))
    escalate: bool | Requirements = True
    without: frozenset[str] = frozenset()

    def steps(self, catalog: Catalog) -> Iterator[Step]:
        """The calls, in the order in which they are to be tried.

        Each is checked again against the limits of its model as they are known by then, and its
        room for the answer is reduced to what they leave.
        """
        for entry in self._entries(catalog):
            if entry.model.id in self.without:
                continue
            step = self._step(replace(entry, model=catalog.get(entry.model.id)))
            if step is not None:
                yield step

    def _entries(self, catalog: Catalog) -> Iterator[Ranked]:
        """The ranking. The models after the chosen one are ranked only when they are needed."""
        yield self.decision.chosen
        others = self._others(catalog) if self.escalate else ()
        yield from (entry for entry in others if entry.model.id != self.decision.model.id)

    def _others(self, catalog: Catalog) -> Sequence[Ranked]:
        if isinstance(self.escalate, bool):
            return self.decision.ranked
        try:
            return route_sized(self.preparer.size_for, self.escalate, catalog).ranked
        except NoModelFits:
            return ()

    def again(self, catalog: Catalog, without: Model) -> Ladder:
        """Decide the same request again by what is known now, without a model that refused it.

        Raises `NoModelFits`.
        """
        decision = route_sized(self.preparer.size_for, self.decision.requirements, catalog)
        return replace(self, decision=decision, without=self.without | {without.id})

    def _step(self, entry: Ranked) -> Step | None:
        """The call to a model, with the room that it has; `None` if the input does not fit."""
        prepared = self.preparer.for_model(entry.model)
        max_output = self.decision.requirements.max_output_tokens
        served = served_as(entry.model, self.decision.requirements)
        most = largest_answer(served, prepared.count.total)
        if most == 0:
            return None
        room = max_output if most is None else min(max_output, most)
        documents = tuple(
            dispatch.Attachment(_file_name(document), _file_content(document))
            for document in prepared.documents
        )
        call = Call(
            entry.model,
            prepared.messages,
            room,
            parameters=self.parameters,
            documents=documents,
        )
        notes = (
            (f"{entry.model.id} has room for {number_of(room, 'token')} only",)
            if room != max_output
            else ()
        )
        return Step(
            entry.model, prepared, call, entry.fare, self.decision.requirements.answers, notes
        )

    def reply(self, step: Step, answer: Answer, failed: Sequence[Attempt]) -> Reply:
        """The reply for an answered call."""
        price = step.model.price
        return Reply(
            text=answer.text,
            model=answer.model,
            usage=answer.usage,
            fare=billed(price, answer.usage) if price is not None else None,
            predicted=step.prepared.count,
            decision=self.decision,
            attempts=(*failed, *answer.attempts),
            answer=replace(answer, notes=answer.notes + step.notes),
        )


def ladder(  # noqa: PLR0913 - what a call is made of
    prompt: Prompt,
    documents: Documents,
    requirements: Requirements,
    catalog: Catalog,
    *,
    parameters: Mapping[str, object],
    escalate: bool | Requirements,
) -> Ladder:
    """Read the documents of a request, and decide. Raises `NoModelFits`."""
    if requirements.batch:
        raise InvalidRequestError(
            "a call is answered at once and has no batch price; do without `batch` here"
        )
    messages, options = parse(prompt), options_of(parameters)
    along = documents_of(documents)
    wanted = needing(requirements, messages, options)
    if wanted.thinking:
        parameters = {**parameters, "enable_thinking": True}  # what is priced is what is sent
    if wanted.answers > 1:
        parameters = {**parameters, "n": wanted.answers}
    preparer = RequestPreparer(messages, along, measurer_or_bounds, options)

    def arrange(by: MeasurerFor) -> RequestPreparer:
        return RequestPreparer(messages, along, by, options, itemized=False)

    # The winner is found by bounds as far as possible; its fare is then counted exactly.
    decision = route_arranged(arrange, wanted, catalog)
    if not isinstance(escalate, bool):
        escalate = replace(
            needing(escalate, messages, options), thinking=wanted.thinking, answers=wanted.answers
        )
    return Ladder(replace(decision, sizes=preparer.size_for), preparer, parameters, escalate)


def _file_name(document: Document) -> str:
    """A document's name at the provider: without folders, and with a suffix that it accepts."""
    path = PurePath(document.name)
    as_it_is = document.parsed or path.suffix.lower() in _READ_AS_TEXT
    return path.name if as_it_is else f"{path.name}.txt"


def _file_content(document: Document) -> bytes:
    return document.content or document.text.encode(errors="replace")

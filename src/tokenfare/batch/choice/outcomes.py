"""What is decided for requests, by number: the model, the service, and where their lines go.

For requests that the core has read: it knows numbers, and adds up how many requests had each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from json.encoder import encode_basestring
from typing import NamedTuple, TypeAlias

from tokenfare import _core
from tokenfare.batch.inputs.requests import METHOD, URL
from tokenfare.catalog import BatchRules, Model
from tokenfare.errors import InvalidRequestError

from .services import Choice, Service

Rules: TypeAlias = Callable[[Model, Service], BatchRules | None]
"""What a batch file of a model may be, or an error where nothing can go there."""


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """What is decided for requests of one size: the model, and the service that they go to."""

    service: Service
    choice: Choice


@dataclass(frozen=True, slots=True)
class Address:
    """A model, how it is called where it is asked, and what a file of the batch service may be."""

    model: str
    wire_id: str
    rules: BatchRules | None

    @property
    def longest(self) -> int | None:
        """The bytes that a line may have, if they are bounded."""
        return None if self.rules is None else self.rules.max_line_bytes

    @property
    def front(self) -> bytes:
        """What stands in a line between the request's id and the first name of its body."""
        return (
            f', "method": "{METHOD}", "url": "{URL}", '
            f'"body": {{"model":{encode_basestring(self.wire_id)},'
        ).encode()


class Planned(NamedTuple):
    """Requests of one outcome: sent, of these said before, carried by others; the first sent."""

    outcome: Outcome
    sent: int
    repeated: int
    carried: int
    first: tuple[int, int] | None


class Outcomes:
    """All that was decided. `rules` says what a batch file of a model may be, or raises."""

    def __init__(self, rules: Rules) -> None:
        """Know of nothing."""
        self.all: list[Outcome] = []
        self.core: _core.Outcomes = _core.Outcomes()
        self._rules = rules
        self._numbers: dict[int, int] = {}
        self._addresses: list[Address | InvalidRequestError] = []
        self._places: dict[tuple[str, bool], int] = {}
        self.going: list[tuple[Model, BatchRules | None]] = []
        """The model of each address, and what a file of the batch service that it is in may be."""

    def again(self, rules: Rules) -> None:
        """Forget how many requests had each, for another pass, whose owner knows the rules."""
        self._rules = rules
        self.core.forget_numbers()

    def number(self, service: Service, choice: Choice) -> int:
        """The number of an outcome, the same for the same choice."""
        key = id(choice)  # whoever made it keeps it, so that none takes another's
        if key not in self._numbers:
            self._numbers[key] = len(self.all)
            self.all.append(Outcome(service, choice))
            size = choice.size
            self.core.add(self._place(choice.model, service), (size.low, size.high))
        return self._numbers[key]

    def address(self, place: int) -> Address:
        """The address of a number. Raises what `rules` raised for it: nothing can go there."""
        found = self._addresses[place]
        if isinstance(found, InvalidRequestError):
            raise found
        return found

    def planned(self) -> Iterator[Planned]:
        """The numbers of each outcome that some request has."""
        for outcome, numbers in zip(self.all, self.core.numbers(), strict=True):
            if numbers[0] or numbers[2]:
                yield Planned(outcome, *numbers)

    def _place(self, model: Model, service: Service) -> int:
        key = (model.id, service.requirements.batch)
        if key not in self._places:
            self._places[key] = len(self._addresses)
            rules = None
            try:
                rules = self._rules(model, service)
            except InvalidRequestError as error:
                self._addresses.append(error)
                self.core.add_address(b"", None)
            else:
                found = Address(model.id, model.wire_id, rules)
                self._addresses.append(found)
                self.core.add_address(found.front, found.longest)
            self.going.append((model, rules))
        return self._places[key]

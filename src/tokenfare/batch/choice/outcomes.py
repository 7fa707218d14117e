"""What is decided for requests, by number: the model, the service, and where their lines go.

For requests that the core has read. The core knows outcomes by number only, and counts how many
requests have each.
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
"""Gives the limits of a batch file for a model, or raises if nothing can be sent there."""


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """The decision for requests of one size: the model, and the service that they go to."""

    service: Service
    choice: Choice


@dataclass(frozen=True, slots=True)
class Address:
    """A model in one of the services, its name there, and the limits of a batch file if any."""

    model: str
    wire_id: str
    rules: BatchRules | None

    @property
    def longest(self) -> int | None:
        """The most bytes that a line may have, if there is a limit."""
        return None if self.rules is None else self.rules.max_line_bytes

    @property
    def front(self) -> bytes:
        """The bytes of a line between the request's id and the first name of its own body."""
        return (
            f', "method": "{METHOD}", "url": "{URL}", '
            f'"body": {{"model":{encode_basestring(self.wire_id)},'
        ).encode()


class Planned(NamedTuple):
    """How many requests have an outcome: sent, repeated (of these), carried; the first one sent."""

    outcome: Outcome
    sent: int
    repeated: int
    carried: int
    first: tuple[int, int] | None


class Outcomes:
    """All outcomes so far."""

    def __init__(self, rules: Rules) -> None:
        """Start empty. `rules` gives the limits of a batch file for a model, or raises."""
        self.all: list[Outcome] = []
        self.core: _core.Outcomes = _core.Outcomes()
        self._rules = rules
        self._numbers: dict[int, int] = {}
        self._addresses: list[Address | InvalidRequestError] = []
        self._places: dict[tuple[str, bool], int] = {}
        self.going: list[tuple[Model, BatchRules | None]] = []
        """The model of each address, and the limits of its batch files (`None` for live)."""

    def again(self, rules: Rules) -> None:
        """Set all numbers of requests to zero, for another pass, which has its own `rules`."""
        self._rules = rules
        self.core.forget_numbers()

    def number(self, service: Service, choice: Choice) -> int:
        """The number of an outcome, the same for the same choice."""
        key = id(choice)  # the service keeps it alive, so the id is not reused
        if key not in self._numbers:
            self._numbers[key] = len(self.all)
            self.all.append(Outcome(service, choice))
            size = choice.size
            self.core.add(self._place(choice.model, service), (size.low, size.high))
        return self._numbers[key]

    def address(self, place: int) -> Address:
        """An address by its number. Raises what `rules` raised for it."""
        found = self._addresses[place]
        if isinstance(found, InvalidRequestError):
            raise found
        return found

    def planned(self) -> Iterator[Planned]:
        """The numbers of each outcome that any request has."""
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

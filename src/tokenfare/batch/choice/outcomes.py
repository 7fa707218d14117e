"""What is decided for requests, by number: the model, the service, and where their lines go.

For requests that the core has read. The core knows outcomes by number only, and counts how many
requests have each.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from json.encoder import encode_basestring
from typing import NamedTuple, TypeAlias

from tokenfare import _core
from tokenfare.batch.inputs.requests import METHOD, URL
from tokenfare.catalog import BatchRules, Model
from tokenfare.errors import InvalidRequestError
from tokenfare.tokenizers import Count

from .services import Service
from .sizes import Pair, count_of

Rules: TypeAlias = Callable[[Model, Service], BatchRules | None]
"""Gives the limits of a batch file for a model, or raises if nothing can be sent there."""

_AT_ONCE = 4_096  # outcomes whose numbers are Python's objects at a time


class Outcome(NamedTuple):
    """The decision for requests of one size: the model, and the service that they go to."""

    service: Service
    model: Model
    size: Count


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
    """All outcomes so far, as columns: there may be as many as requests."""

    def __init__(self, rules: Rules) -> None:
        """Start empty. `rules` gives the limits of a batch file for a model, or raises."""
        self.core: _core.Outcomes = _core.Outcomes()
        self._rules = rules
        self._low, self._high = array("Q"), array("Q")
        self._service, self._place = array("I"), array("I")
        self._services: list[Service] = []
        self._service_numbers: dict[Service, int] = {}
        self._numbers: dict[tuple[Service, str, int, int], int] = {}
        self._addresses: list[Address | InvalidRequestError] = []
        self._places: dict[tuple[str, bool], int] = {}
        self.going: list[tuple[Model, BatchRules | None]] = []
        """The model of each address, and the limits of its batch files (`None` for live)."""

    def __len__(self) -> int:
        """How many there are."""
        return len(self._place)  # the last column that `add` appends to

    def __getitem__(self, number: int) -> Outcome:
        """An outcome by its number."""
        service, model = self._services[self._service[number]], self.going[self._place[number]][0]
        return Outcome(service, model, count_of((self._low[number], self._high[number])))

    def again(self, rules: Rules) -> None:
        """Set all numbers of requests to zero, for another pass, which has its own `rules`."""
        self._rules = rules
        self.core.forget_numbers()

    def add(self, service: Service, model: Model, size: Pair) -> int:
        """The number of a new outcome: requests of this size go to this model of a service."""
        number, place = len(self), self._place_of(model, service)
        if service not in self._service_numbers:
            self._service_numbers[service] = len(self._services)
            self._services.append(service)
        low, high = size
        self._low.append(low)
        self._high.append(high)
        self._service.append(self._service_numbers[service])
        self._place.append(place)
        self.core.add(place, size)
        return number

    def number(self, service: Service, model: Model, size: Count) -> int:
        """As `add`, but the same number for the same outcome."""
        key = (service, model.id, size.low, size.high)
        if key not in self._numbers:
            self._numbers[key] = self.add(service, model, (size.low, size.high))
        return self._numbers[key]

    def address(self, place: int) -> Address:
        """An address by its number. Raises what `rules` raised for it."""
        found = self._addresses[place]
        if isinstance(found, InvalidRequestError):
            raise found
        return found

    def planned(self) -> Iterator[Planned]:
        """The numbers of each outcome that any request has."""
        for first in range(0, len(self), _AT_ONCE):
            numbers = range(first, min(first + _AT_ONCE, len(self)))
            for number, found in zip(numbers, self.core.numbers(first, _AT_ONCE), strict=True):
                if found[0] or found[2]:
                    yield Planned(self[number], *found)

    def _place_of(self, model: Model, service: Service) -> int:
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

"""What live models charge for requests, by size or, in large jobs, by the size's leading digits.

A bid is a size on a kind of a service's models; a request's bids on all kinds are its class
(`_core.Classes`). If there would be too many classes, sizes with the same leading binary digits are
joined into one bid, provided that the same models take them, in the same price tiers. A joined bid
has the least and the most of what it represents, so what is computed from the most is an upper
bound for each. How many digits are kept follows from the job alone and not from the order of its
requests. Everything is in columns: there may be a million bids.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

from tokenfare import _core
from tokenfare.batch.choice.prices import Drawn, Prices
from tokenfare.batch.choice.services import Service
from tokenfare.batch.extra import required
from tokenfare.catalog import Model
from tokenfare.router import Requirements
from tokenfare.tokenizers import Count

from .mix_table import row_numbers

MOST_CLASSES = 120_000
"""The most classes of a job, as long as there are digits that can be dropped."""

EXACT = 64
FEWER = (EXACT, *range(12, 0, -1))
"""How many leading digits distinguish sizes, in the order in which they are tried."""

_Group: TypeAlias = tuple[tuple[str, ...], bool, tuple[str, ...]]
"""Models for the same requests: their names, whether they reason, and the modalities needed."""


class Offered(NamedTuple):
    """What models charge for bids, as columns: a row for each bid and each model that takes it.

    `model` is an index into the names of all models. `fare`, `input_tokens` and `room` are the most
    of what the bid represents, `low_…` the least.
    """

    bid: Any
    model: Any
    fare: Any
    input_tokens: Any
    room: Any
    low_fare: Any
    low_input: Any
    low_room: Any


@dataclass(frozen=True, slots=True)
class _Asked:
    """The bids of one group: their numbers, their requests, and the answers of each model."""

    names: tuple[str, ...]
    number: Any
    drawn: Drawn
    taken: Any
    tier: Any
    fare: Any


class Bids:
    """The services of the bids, and what their models charge."""

    def __init__(self, classes: _core.Classes) -> None:
        """Start empty; the bids themselves are in `classes`."""
        self._classes = classes
        self._services: list[Service] = []
        self._numbers: dict[Requirements, int] = {}
        self._known: dict[Service, int] = {}

    def service(self, service: Service) -> int:
        """The number of a service; services with the same requirements have the same number."""
        if service not in self._known:
            number = self._numbers.setdefault(service.requirements, len(self._services))
            if number == len(self._services):
                self._services.append(service)
            self._known[service] = number
        return self._known[service]

    def joined(self, digits: int) -> Any:
        """For each bid the one that represents it, with sizes told apart by this many digits."""
        np = required("numpy")
        stands = np.arange(len(self._columns()[0]))
        if digits == EXACT:
            return stands
        for group in self._asked():
            key = _pattern(group)
            for sizes in (group.drawn.high, group.drawn.room):
                begun, code = np.unique(_begun(sizes, digits), return_inverse=True)
                key = key * len(begun) + code.reshape(-1)
            _, first, code = np.unique(key, return_index=True, return_inverse=True)
            stands[group.number] = group.number[first][code.reshape(-1)]
        return stands

    def offered(self, stands: Any, digits: int, names: Sequence[str]) -> tuple[Offered, Any]:
        """The offers for the representing bids, and each bid's rank in an order of all bids.

        The order does not depend on the order of the requests; the rows are sorted by it.
        """
        np = required("numpy")
        place = {name: i for i, name in enumerate(names)}
        rank = np.zeros(len(stands), dtype=np.int64)
        parts: list[list[Any]] = []
        ranked = 0
        for group in self._asked():
            d = group.drawn
            begun = [
                _begun(column, digits) for column in (d.room, d.high, d.low * (digits == EXACT))
            ]
            order = np.lexsort((*reversed(begun), _pattern(group)))
            for_whom = stands[group.number][order]
            is_new = np.diff(for_whom, prepend=-1) != 0
            starts = np.flatnonzero(is_new)
            rank[group.number[order]] = ranked + np.cumsum(is_new) - 1
            ranked += len(starts)
            rows, at = np.nonzero(group.taken[order][starts])
            number = for_whom[starts][rows].astype(np.int32)
            # A model that is missing in `names` takes none of these bids.
            model = np.array([place.get(name, -1) for name in group.names], dtype=np.int32)[at]
            ends = [
                which.reduceat(column[order], starts, axis=0)[index]
                for which in ([np.maximum] if digits == EXACT else [np.maximum, np.minimum])
                for column, index in ((group.fare, (rows, at)), (d.high, rows), (d.room, rows))
            ]
            parts.append([number, model, *ends])
        if not parts:
            nothing = np.zeros(0, dtype=np.int64)
            return Offered(*[nothing] * len(Offered._fields)), rank
        bid, on, *ends = map(np.concatenate, zip(*parts, strict=True))
        # Without joining, the least and the most of a bid are the same: the same columns.
        return Offered(bid, on, *(ends * 2)[:_ENDS]), rank

    def _columns(self) -> list[Any]:
        np = required("numpy")
        types = (np.uint32, np.uint32, np.uint64, np.uint64)
        packed = zip(self._classes.bids(), types, strict=True)
        return [np.frombuffer(column, dtype=kind).astype(np.int64) for column, kind in packed]

    def _asked(self) -> Iterator[_Asked]:
        """All bids by group, in an order that does not depend on the order of the requests."""
        np = required("numpy")
        service, kind, low, high = self._columns()
        found: dict[_Group, list[tuple[int, int]]] = {}
        services = self._services
        of_service, kinds = np.unique(service * _KINDS + kind, return_inverse=True)
        kinds = kinds.reshape(-1)
        for i, both in enumerate(of_service.tolist()):
            number, place = divmod(both, _KINDS)
            requirements = services[number].requirements
            names = tuple(model.id for model in _promising(services[number], place))
            group = (names, requirements.thinking, tuple(sorted(requirements.needs)))
            found.setdefault(group, []).append((i, place))
        rooms = np.array([each.requirements.max_output_tokens for each in services], dtype=np.int64)
        answers = np.array([each.requirements.output_tokens for each in services], dtype=np.int64)
        group_of = np.zeros(len(of_service), dtype=np.int64)
        groups = sorted(found)
        for number, group in enumerate(groups):
            group_of[[i for i, _ in found[group]]] = number
        by_group = np.argsort(group_of[kinds], kind="stable")
        ends = np.cumsum(np.bincount(group_of[kinds], minlength=len(groups))).tolist()
        for group, start, end in zip(groups, [0, *ends], ends, strict=False):
            rows = by_group[start:end]
            one = services[int(service[rows[0]])]
            its = service[rows]
            drawn = Drawn(low[rows], high[rows], rooms[its], answers[its])
            place = found[group][0][1]
            prices = one.prices(place)
            if prices is not None:
                columns = _by_prices(prices, drawn)
            else:
                each = [(services[s], int(k)) for s, k in zip(its, kind[rows], strict=True)]
                columns = _one_by_one(group[0], each, drawn)
            yield _Asked(group[0], rows, drawn, *columns)


_ENDS = len(Offered._fields) - 2
_KINDS = 1 << 20  # more kinds than any service has


def rates_known(model: Model) -> bool:
    """Whether both rates of a model are known: without them, no time can be promised."""
    return None not in (model.rates.requests_per_minute, model.rates.tokens_per_minute)


def _promising(service: Service, kind: int) -> tuple[Model, ...]:
    """The models of a kind that can promise a time, even if they do not take this room."""
    prices = service.prices(kind)
    models = service.kinds[kind] if prices is None else prices.models
    return tuple(model for model in models if rates_known(model))


def _by_prices(prices: Prices, drawn: Drawn) -> list[Any]:
    np = required("numpy")
    places = [i for i, model in enumerate(prices.models) if rates_known(model)]
    columns = zip(*(prices.drawn(place, drawn) for place in places), strict=True)
    return [np.stack(column, axis=1) for column in columns]


def _one_by_one(
    names: Sequence[str], services: Sequence[tuple[Service, int]], drawn: Drawn
) -> list[Any]:
    """As `_by_prices`, for models whose requests can only be priced one by one."""
    np = required("numpy")
    shape = (len(services), len(names))
    taken, tier, fare = np.zeros(shape, dtype=bool), np.zeros(shape, dtype=int), np.zeros(shape)
    place = {name: i for i, name in enumerate(names)}
    ends = zip(drawn.low.tolist(), drawn.high.tolist(), strict=True)
    for row, ((service, kind), (low, high)) in enumerate(zip(services, ends, strict=True)):
        size = Count(high, low, high, "bounds") if low < high else Count.exactly(high)
        for model, amount in service.compared(kind, size):
            if (at := place.get(model.id)) is not None:
                taken[row, at], fare[row, at] = True, amount
                tier[row, at] = _tier(model, high)
    return [taken, tier, fare]


def _tier(model: Model, tokens: int) -> int:
    """The index of the price tier of a model that an input is in."""
    tiers = model.price.tiers if model.price is not None else ()
    return bisect_left([tier.up_to for tier in tiers if tier.up_to is not None], tokens)


def _pattern(group: _Asked) -> Any:
    """A number for each bid: equal if the same models take it in the same price tiers."""
    np = required("numpy")
    return row_numbers(np.where(group.taken, group.tier + 1, 0).astype(np.uint8))


def _begun(numbers: Any, digits: int) -> Any:
    """Numbers with all but their first binary digits set to zero."""
    np = required("numpy")
    left_out = np.maximum(0, np.frexp(numbers.astype(float))[1] - digits)
    return numbers >> left_out << left_out

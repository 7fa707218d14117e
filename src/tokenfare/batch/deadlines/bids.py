"""What live models ask for a request: told apart exactly, or by the first digits of its size.

A bid is what the models that count alike and can promise a time ask for a request of one size; a
request's bids on all models are its class (`_core.Classes`). Where there would be more classes than
memory is for, sizes that begin with the same binary digits have one bid: it knows the least and the
most that it stands for, so that what is worked out by the most is an upper bound for each. Which
digits these are follows from the job alone, whatever order its requests come in.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from typing import Any, NamedTuple

from tokenfare.batch.choice.batch_or_live import Service
from tokenfare.catalog import Model
from tokenfare.limiter import Claim
from tokenfare.tokenizers import Count

MOST_CLASSES = 40_000
"""Classes that a job is cut into at most, as far as digits can be left out."""

EXACT = 64
_DIGITS = (EXACT, *range(12, 0, -1))


class Offer(NamedTuple):
    """A model that takes requests of a class: its fare as it is compared, and what it asks.

    Both at most; at least they are `low_fare` and `low_claim`.
    """

    model: str
    fare: float
    claim: Claim
    low_fare: float
    low_claim: Claim


class _Key(NamedTuple):
    """What tells bids apart: who takes it, in which price tiers, and the size or its beginning."""

    models: tuple[str, ...]
    tiers: tuple[int, ...]
    input_tokens: int
    room: int
    fares: tuple[float, ...]

    def cut(self, digits: int) -> _Key:
        if digits == EXACT:
            return self
        size, room = _begun(self.input_tokens, digits), _begun(self.room, digits)
        return _Key(self.models, self.tiers, size, room, ())


class _Ends(NamedTuple):
    """The least or the most that a bid stands for."""

    input_tokens: int
    room: int
    fares: tuple[float, ...]


class Bids:
    """All bids of a job, by number."""

    def __init__(self) -> None:
        """Know none, and tell all apart."""
        self._digits = EXACT
        self._numbers: dict[_Key, int] = {}
        self._least: list[_Ends] = []
        self._most: list[_Ends] = []

    @property
    def spread(self) -> float:
        """By what share of the smaller one two sizes may differ that are not told apart."""
        return 0.0 if self._digits == EXACT else 2.0 ** (1 - self._digits)

    def number(self, service: Service, kind: int, size: Count) -> int | None:
        """The number of what a class of a service asks for a request; `None` if none promises it.

        Models of which a rate is not known promise nothing.
        """
        taken = [each for each in service.compared(kind, size) if rates_known(each[0])]
        if not taken:
            return None
        names = tuple(model.id for model, _ in taken)
        tiers = tuple(_tier(model, size) for model, _ in taken)
        fares = tuple(fare for _, fare in taken)
        room = service.asked.max_output_tokens
        ends = _Ends(size.high, room, fares)
        return self._note(_Key(names, tiers, *ends).cut(self._digits), ends, ends)

    def coarsen(self) -> list[int] | None:
        """Leave out a digit; gives the new number of each bid, `None` where no digit is left."""
        at = _DIGITS.index(self._digits) + 1
        if at == len(_DIGITS):
            return None
        self._digits = _DIGITS[at]
        keys, least, most = list(self._numbers), self._least, self._most
        self._numbers, self._least, self._most = {}, [], []
        return [
            self._note(key.cut(self._digits), low, high)
            for key, low, high in zip(keys, least, most, strict=True)
        ]

    def in_order(self) -> list[int]:
        """The numbers of all bids in an order that does not depend on which came first."""
        return [number for _, number in sorted(self._numbers.items())]

    def offers(self) -> list[tuple[Offer, ...]]:
        """What each bid is, by its number."""
        found = []
        for key, low, high in zip(self._numbers, self._least, self._most, strict=True):
            claim = Claim(high.input_tokens, high.room)
            low_claim = claim if low is high else Claim(low.input_tokens, low.room)
            both = zip(key.models, high.fares, low.fares, strict=True)
            found.append(tuple(Offer(m, most, claim, least, low_claim) for m, most, least in both))
        return found

    def _note(self, key: _Key, low: _Ends, high: _Ends) -> int:
        number = self._numbers.setdefault(key, len(self._least))
        if number == len(self._least):
            self._least.append(low)
            self._most.append(high)
        elif low is not high or self._digits != EXACT:
            self._least[number] = _joined(min, self._least[number], low)
            self._most[number] = _joined(max, self._most[number], high)
        return number


def rates_known(model: Model) -> bool:
    """Whether both rates of a model are known, without which nobody can say how long it takes."""
    return None not in (model.rates.requests_per_minute, model.rates.tokens_per_minute)


def _joined(which: Callable[..., Any], one: _Ends, other: _Ends) -> _Ends:
    return _Ends(
        which(one.input_tokens, other.input_tokens),
        which(one.room, other.room),
        tuple(map(which, one.fares, other.fares)),
    )


def _begun(number: int, digits: int) -> int:
    """A number with zeros behind its first binary digits."""
    left_out = max(0, number.bit_length() - digits)
    return number >> left_out << left_out


def _tier(model: Model, size: Count) -> int:
    """The place of the price tier of a model that a request is in."""
    tiers = model.price.tiers if model.price is not None else ()
    return bisect_left([tier.up_to for tier in tiers if tier.up_to is not None], size.high)

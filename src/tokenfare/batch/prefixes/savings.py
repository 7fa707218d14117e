"""Shared prefixes of a job, and what a cache would save for them, as values."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from itertools import islice
from typing import NamedTuple

from tokenfare.batch.choice.totals import Share
from tokenfare.budget import Fare
from tokenfare.catalog import BatchRules, CacheRules, Model
from tokenfare.money import Money, exactly, plain, quotient
from tokenfare.tokenizers import Count

_LINES = 5
_PLACES = 12
_WORTH_A_LINE = 20


@dataclass(frozen=True, slots=True)
class Prefix:
    """A prefix that many requests of one model share.

    It consists of `messages` whole messages and `characters` of the next one.

    Attributes:
        model: The model's id.
        batch: Whether the requests go through the batch service.
        requests: How many requests have it, at least.
        messages: How many whole messages it has.
        characters: How many characters of the next message belong to it.
        tokens: Its input tokens, whatever follows.
        file: The file of the first such request.
        line: Its line.
        saving: What a cache would save if it kept this prefix from the first request on. Prefixes
            may contain each other, so savings do not add up.
        reason: Why nothing is saved, or what is not known about the cache.
    """

    model: str
    batch: bool
    requests: int
    messages: int
    characters: int
    tokens: Count
    file: str
    line: int
    saving: Fare
    reason: str

    @property
    def again(self) -> int:
        """The input tokens that are sent again, at the high end."""
        return (self.requests - 1) * self.tokens.high

    def as_data(self) -> dict[str, object]:
        """As values for JSON."""
        return {
            "model": self.model,
            "batch": self.batch,
            "requests": self.requests,
            "messages": self.messages,
            "characters": self.characters,
            "tokens": {"low": self.tokens.low, "high": self.tokens.high},
            "first": {"file": self.file, "line": self.line},
            "saving": fare_as_data(self.saving),
            "reason": self.reason,
        }

    def sentence(self) -> str:
        """How many, how long, where, and what it saves."""
        size = _span(self.tokens.low, self.tokens.high)
        saved = f"up to {self.saving.high} saved" if self.saving.high.amount else "nothing saved"
        why = f": {self.reason}" if self.reason else ""
        return (
            f"{self.requests:,} requests on {self.model} begin with the same {size} tokens "
            f"({self.file}:{self.line}); {saved}{why}"
        )


@dataclass(frozen=True, slots=True)
class Repeat:
    """What the requests on one model send again: the prefixes that they share with earlier ones.

    Of `requests`, `alike` share a prefix with an earlier one, of `low_tokens` to `high_tokens` in
    total. `saving` ranges from nothing, since a cache hit is never guaranteed, to what the model's
    cache would save if it kept everything; `live` is the same for live requests, and `factor` that
    of the batch price (`None` for live requests). `reason` is as in `Prefix`.
    """

    model: str
    batch: bool
    requests: int
    alike: int
    low_tokens: int
    high_tokens: int
    saving: Fare
    live: Fare
    factor: Decimal | None
    reason: str

    def as_data(self) -> dict[str, object]:
        """As values for JSON."""
        return {
            "model": self.model,
            "batch": self.batch,
            "requests": self.requests,
            "alike": self.alike,
            "tokens": {"low": self.low_tokens, "high": self.high_tokens},
            "saving": fare_as_data(self.saving),
            "saving_live": fare_as_data(self.live),
            "reason": self.reason,
        }

    def sentence(self, share: Share) -> str:
        """A sentence on how much of a model's share is sent again, and what live requests save."""
        said = (
            f"{self.model}: {_span(self.low_tokens, self.high_tokens)} of "
            f"{share.high_tokens:,} input tokens are sent again"
        )
        if self.saving.high.amount:
            return f"{said}; up to {self.saving.high} saved"
        said += f"; nothing saved: {self.reason}"
        if self.factor and self.live.high.amount:
            most = quotient(share.fare.high.amount, self.factor, _PLACES, ROUND_CEILING)
            live = Money(most, share.fare.currency)
            said += (
                f"; live, all is up to {live} less up to {self.live.high}, here up to "
                f"{share.fare.high}"
            )
        return said


@dataclass(frozen=True, slots=True)
class SharedPrefixes:
    """The prefixes that a job's requests share. Counts of requests are lower bounds.

    `prefixes` are those with the most input, most first; `repeats` are the sums by model. A prefix
    that is not listed has at most `missed` requests: 0 if there was memory for all prefixes.
    """

    prefixes: tuple[Prefix, ...] = ()
    repeats: tuple[Repeat, ...] = ()
    missed: int = 0

    def as_data(self) -> dict[str, object]:
        """As values for JSON."""
        return {
            "prefixes": [each.as_data() for each in self.prefixes],
            "by_model": [each.as_data() for each in self.repeats],
            "missed_requests": self.missed,
        }

    def sentences(self, shares: Iterable[Share]) -> Iterator[str]:
        """Sentences on the largest prefixes, and on what each model's requests share in all.

        Only what is a twentieth of its model's input or more has one.
        """
        by_model = {(share.model, share.batch): share for share in shares}
        named = (p for p in self.prefixes if _is_worth_a_line(p.again, by_model[p.model, p.batch]))
        for prefix in islice(named, _LINES):
            yield f"  {prefix.sentence()}"
        for repeat in self.repeats:
            share = by_model[repeat.model, repeat.batch]
            if _is_worth_a_line(repeat.high_tokens, share):
                yield f"  {repeat.sentence(share)}"


def _is_worth_a_line(tokens: int, share: Share) -> bool:
    return tokens * _WORTH_A_LINE >= share.high_tokens


def fare_as_data(fare: Fare) -> dict[str, str]:
    """Both ends of a fare as values for JSON."""
    low, high = plain(fare.low.amount), plain(fare.high.amount)
    return {"low": low, "high": high, "currency": fare.currency}


def _span(low: int, high: int) -> str:
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


class Worth(NamedTuple):
    """The most that cache hits save, in input tokens that need not be paid, by kind of cache."""

    by_itself: Decimal
    marked: Decimal

    @exactly
    def __add__(self, other: object) -> Worth:
        """The sum of both."""
        if not isinstance(other, Worth):
            return NotImplemented
        return Worth(self.by_itself + other.by_itself, self.marked + other.marked)

    @property
    def best(self) -> Decimal:
        """The better of the two caches: a request uses only one."""
        return max(self)


NO_WORTH = Worth(Decimal(0), Decimal(0))


@exactly
def worth_of(hits: int, tokens: Count, rules: CacheRules | None) -> Worth:
    """What `hits` on a prefix of this size save if the cache never evicts it.

    With an explicit cache, writing the prefix costs extra the first time; the worth is zero if that
    exceeds what the hits save. A minimum size that is not stated is taken as zero.
    """
    if rules is None:
        return NO_WORTH
    by_itself = marked = Decimal(0)
    if rules.hit is not None and tokens.high >= (rules.min_tokens or 0):
        by_itself = hits * tokens.high * (1 - rules.hit)
    marking = rules.marked
    if marking is not None and tokens.high >= (marking.min_tokens or 0):
        back = hits * tokens.high * (1 - marking.hit)
        marked = max(back - tokens.low * (marking.write - 1), Decimal(0))
    return Worth(by_itself, marked)


@exactly
def saving_of(worth: Worth, model: Model, sizes: tuple[int, int]) -> Decimal:
    """The most that hits save at a model's live price, for requests of `sizes` input tokens.

    It is computed with the most expensive price tier that these sizes may fall into.
    """
    price = model.price
    if price is None:
        return Decimal(0)
    low, high = sizes
    bounds = [t.up_to for t in price.tiers if t.up_to is not None and low <= t.up_to < high]
    dearest = max(price.tier(n).input for n in (low, high, *(bound + 1 for bound in bounds)))
    return worth.best * dearest / price.per


@exactly
def in_batch(live: Decimal, model: Model, service: BatchRules) -> Decimal:
    """The most that a saving at live prices is in the batch service."""
    factor = model.price.batch if model.price else None
    return Decimal(0) if factor is None or service.caches is False else live * factor


def reason_of(model: Model, tokens: Count, service: BatchRules | None) -> str:
    """Why nothing is saved, or what is not known about the cache; "" if neither applies.

    `service` is the batch service that the requests go to, `None` for live ones.
    """
    if service is not None and service.caches is False:
        return "the batch service has no cache"
    rules = model.cache
    if rules is None or (rules.hit is None and rules.marked is None):
        return f"no cache is known of {model.id}"
    least = [rules.min_tokens] if rules.hit is not None else []
    least += [rules.marked.min_tokens] if rules.marked is not None else []
    needed = min(each or 0 for each in least)
    if tokens.high < needed:
        return f"shorter than the {needed:,} tokens that its cache takes"
    if service is not None and service.caches is None:
        return "whether the batch service has a cache is not stated"
    return ""

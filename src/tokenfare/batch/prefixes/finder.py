"""Which prefixes the requests of a job share, found in one pass and in bounded memory.

The core keeps a tree of prefixes for each model and service (`PrefixTrees` in `tokenfare-jobs`): a
request unlike all others costs one node, and the nodes with the lowest counts are evicted when the
memory is used up. Here the tokens of each shared prefix are counted, once. Counts of requests are
lower bounds; `missed` says by how much they can be too low.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from heapq import nlargest
from typing import NamedTuple, TypeAlias

from tokenfare import _core
from tokenfare.budget import NO_OPTIONS, Fare, Options, count_beginning
from tokenfare.catalog import BatchRules, Model
from tokenfare.messages import Wire, parse
from tokenfare.money import Money
from tokenfare.tokenizers import Count, measurer_or_bounds

from .digests import Digester, place_of
from .savings import (
    NO_WORTH,
    Prefix,
    Repeat,
    SharedPrefixes,
    Worth,
    in_batch,
    reason_of,
    saving_of,
    worth_of,
)

Said: TypeAlias = tuple[Sequence[Wire], Options]
Key: TypeAlias = tuple[Model, BatchRules | None]
"""A model, and the batch service that its requests go to (`None` for live ones)."""

NAMED = 20
CAPACITY = 200_000
"""How many numbers the trees may hold, of some 60 bytes each."""

_MOST_CHARACTERS = 4_000_000
_NOTHING = Count.exactly(0)


class _Place(NamedTuple):
    """A prefix: its whole messages, its characters of the next one, and its tokens."""

    messages: int
    characters: int
    tokens: Count


class _Pending(NamedTuple):
    """A prefix whose tokens are not counted yet, in a request that has it."""

    number: int
    digest_index: int
    model: Model
    said: Said


@dataclass(slots=True)
class _Sums:
    """What the requests of a tree share with earlier ones, added up."""

    alike: int = 0
    low: int = 0
    high: int = 0
    deepest: Count = _NOTHING
    worth: Worth = NO_WORTH

    def add(self, ended: int, tokens: Count, model: Model) -> None:
        """Add `ended` requests whose longest shared prefix has this many tokens."""
        self.alike += ended
        self.low += ended * tokens.low
        self.high += ended * tokens.high
        self.deepest = max(self.deepest, tokens, key=lambda each: each.high)
        self.worth += worth_of(ended, tokens, model.cache)


@dataclass(slots=True)
class _Tree:
    """The model and service of a tree, and the sums of its evicted prefixes."""

    model: Model
    service: BatchRules | None
    evicted: _Sums = field(default_factory=_Sums)


class Prefixes:
    """Collects the shared prefixes of a job's requests, which it is shown one after the other."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        """Start without requests; `capacity` bounds the memory."""
        self.digester: Digester = Digester()
        self._core = _core.PrefixTrees(capacity)
        self._trees: list[_Tree] = []
        self._numbers: dict[tuple[str, bool], int] = {}
        self._files: dict[str, int] = {}
        self._places: dict[int, _Place] = {}
        self._pending: list[_Pending] = []
        self._pending_characters = 0

    @property
    def nodes(self) -> int:
        """How many prefixes are kept."""
        return self._core.nodes

    def tree(self, model: Model, service: BatchRules | None) -> int:
        """The number of a tree, for `see_lines`."""
        key = (model.id, service is not None)
        if key not in self._numbers:
            self._numbers[key] = len(self._trees)
            self._trees.append(_Tree(model, service))
        return self._numbers[key]

    def see(  # noqa: PLR0913, PLR0917 - a request, and where it goes
        self,
        model: Model,
        service: BatchRules | None,
        messages: Sequence[Wire],
        size: Count,
        place: tuple[str, int],
        options: Options = NO_OPTIONS,
    ) -> None:
        """Add the next request: where it goes, its messages, its size, its file and line.

        `service` is the batch service, `None` for a live request.
        """
        digests = self.digester.of(messages, options)
        where = (self._file(place[0]), place[1])
        tree = self.tree(model, service)
        first = self._core.add(tree, digests, (size.low, size.high), where)
        if first is not None:
            number, index = first
            self._add_pending(number, index, model, (messages, options))
        self._add_evicted()

    def see_lines(
        self,
        lines: _core.Lines,
        outcomes: _core.Outcomes,
        trees: Sequence[int],
        file: str,
        said: Callable[[int], Said],
    ) -> None:
        """Add the requests of a block that are sent, whose digests `digester` has made.

        `trees` has the tree of each address; `said` gives the messages and options of a row.
        """
        found = lines.add_prefixes(self._core, outcomes, list(trees), self._file(file))
        for row, tree, number, index in found:
            self._add_pending(number, index, self._trees[tree].model, said(row))
        self._add_evicted()

    def found(self, currency: str) -> SharedPrefixes:
        """What the requests so far share, and what a cache may save for it."""
        self._count_pending()
        files = list(self._files)
        prefixes: list[Prefix] = []
        repeats = []
        for number, requests, shortest, longest in self._core.groups():
            tree = self._trees[number]
            sums = replace(tree.evicted)
            named = []
            for prefix, count, ended, (file, line) in self._core.of(number):
                place = self._places[prefix]
                sums.add(ended, place.tokens, tree.model)
                named.append((count, place, (files[file], line)))
            prefixes += [
                _prefix(tree, count, place, where, (shortest, longest), currency)
                for count, place, where in nlargest(NAMED, named, key=_weight)
            ]
            if named or sums.alike:
                repeats.append(_repeat(tree, requests, sums, (shortest, longest), currency))
        prefixes.sort(key=lambda each: (-each.again, each.file, each.line, each.model))
        return SharedPrefixes(tuple(prefixes[:NAMED]), tuple(repeats), self._core.missed)

    def _file(self, name: str) -> int:
        return self._files.setdefault(name, len(self._files))

    def _add_pending(self, number: int, index: int, model: Model, said: Said) -> None:
        """Keep a request's messages until the tokens of its prefix are counted."""
        self._pending.append(_Pending(number, index, model, said))
        self._pending_characters += sum(len(str(message.get("content", ""))) for message in said[0])
        if self._pending_characters > _MOST_CHARACTERS:
            self._count_pending()

    def _add_evicted(self) -> None:
        """Add the prefixes that were evicted to the sums of their trees."""
        evicted = self._core.take_evicted()
        if evicted:
            self._count_pending()
        for number, prefix, ended in evicted:
            tree = self._trees[number]
            tree.evicted.add(ended, self._places.pop(prefix).tokens, tree.model)

    def _count_pending(self) -> None:
        """Count the tokens of the prefixes that are kept with their requests, and let these go."""
        for number, index, model, (messages, options) in self._pending:
            whole, characters = place_of(messages, index)
            counter = measurer_or_bounds(model.tokenizer)
            parsed = parse(messages)
            tokens = count_beginning(parsed, whole, characters, model, counter, options)
            self._places[number] = _Place(whole, characters, tokens)
        self._pending.clear()
        self._pending_characters = 0


def _weight(named: tuple[int, _Place, tuple[str, int]]) -> int:
    count, place, _ = named
    return (count - 1) * place.tokens.high


def _prefix(  # noqa: PLR0913, PLR0917 - where it goes, what it is, among what
    tree: _Tree,
    count: int,
    place: _Place,
    where: tuple[str, int],
    sizes: tuple[int, int],
    currency: str,
) -> Prefix:
    model, service, tokens = tree.model, tree.service, place.tokens
    worth = worth_of(count - 1, tokens, model.cache)
    live = saving_of(worth, model, sizes)
    file, line = where
    return Prefix(
        model.id,
        service is not None,
        count,
        place.messages,
        place.characters,
        tokens,
        file,
        line,
        _up_to(live if service is None else in_batch(live, model, service), currency),
        reason_of(model, tokens, service),
    )


def _repeat(
    tree: _Tree, requests: int, sums: _Sums, sizes: tuple[int, int], currency: str
) -> Repeat:
    model, service = tree.model, tree.service
    live = saving_of(sums.worth, model, sizes)
    return Repeat(
        model.id,
        service is not None,
        requests,
        sums.alike,
        sums.low,
        sums.high,
        _up_to(live if service is None else in_batch(live, model, service), currency),
        _up_to(live, currency),
        model.price.batch if service is not None and model.price else None,
        reason_of(model, sums.deepest, service),
    )


def _up_to(amount: Decimal, currency: str) -> Fare:
    """A saving of at most this: from nothing, since a cache hit is never promised."""
    return Fare(Money(Decimal(0), currency), Money(amount, currency))

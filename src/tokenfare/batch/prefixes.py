"""Which requests of a job begin alike, found in one pass and in bounded memory.

A tree of beginnings for each model and service: a node for each rung of a ladder (see `ladders`)
that a request stood on. A node that one request alone has been to keeps that request's other rungs
and hands the next one down when a second comes by, so that a request unlike all others costs one
node. When there is no room, the nodes that count least go, and those below them. What a node counts
was really seen: all that is said is a lower bound, and `missed` bounds what is not said.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from heapq import nlargest
from typing import TypeAlias

from tokenfare.budget import NO_OPTIONS, Fare, Options, count_beginning
from tokenfare.catalog import BatchRules, Model
from tokenfare.messages import Wire, parse
from tokenfare.money import Money
from tokenfare.tokenizers import Count, measurer_or_bounds

from .ladders import ladder_of, place_of
from .shared import (
    NO_WORTH,
    Prefix,
    Repeat,
    Shared,
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
ROOM = 200_000
"""Numbers that the nodes may hold, some 60 bytes each."""

_NODE = 5  # a node beside the rungs that it keeps, in such numbers
_HELD_CHARACTERS = 4_000_000
_NOTHING = Count.exactly(0)


_Loner: TypeAlias = "tuple[Beginning | None, int, Sequence[int], tuple[str, int], int]"
"""A beginning that one request has had: the node above, its rung, the ladder, the place, `missed`.

Most are never seen again, and a tuple is made in a third of a node's time.
"""


class Beginning:
    """A beginning: how many requests had it, and how many were like one before no further."""

    __slots__ = ("above", "count", "ended", "missed", "place", "rung", "said", "tokens")

    def __init__(self, first: _Loner) -> None:
        self.above, self.rung, _, self.place, self.missed = first
        self.count: int = 1
        self.ended = 0
        self.said: Said | None = None
        self.tokens: tuple[int, int, Count] | None = None


@dataclass(slots=True)
class _Tree:
    """The beginnings of the requests on one model, and sums of those that had to go."""

    nodes: dict[int, Beginning | _Loner] = field(default_factory=dict)
    requests: int = 0
    shortest: int = 0
    longest: int = 0
    alike: int = 0
    low: int = 0
    high: int = 0
    deepest: Count = _NOTHING
    worth: Worth = NO_WORTH

    def met(self) -> Iterator[Beginning]:
        """The beginnings that several requests had."""
        return (node for node in self.nodes.values() if not isinstance(node, tuple))

    def add(self, node: Beginning, model: Model) -> None:
        """Add up what requests repeated as far as this node and no further."""
        if node.tokens is None:
            return
        tokens = node.tokens[2]
        self.alike += node.ended
        self.low += node.ended * tokens.low
        self.high += node.ended * tokens.high
        self.deepest = max(self.deepest, tokens, key=lambda each: each.high)
        self.worth += worth_of(node.ended, tokens, model.cache)


class Prefixes:
    """Sees the requests of a job, one after the other."""

    def __init__(self, room: int = ROOM) -> None:
        """Begin with nothing; `room` bounds the memory."""
        self._room = room
        self._free = room
        self._missed = 0
        self._trees: dict[tuple[str, bool], tuple[Key, _Tree]] = {}
        self._unsettled: list[tuple[Beginning, Model]] = []
        self._held = 0
        self._last: tuple[Model | None, BatchRules | None, _Tree] = (None, None, _Tree())

    def see(  # noqa: PLR0913, PLR0917 - a request, and where it goes
        self,
        model: Model,
        service: BatchRules | None,
        messages: Sequence[Wire],
        size: Count,
        place: tuple[str, int],
        options: Options = NO_OPTIONS,
    ) -> None:
        """Take the next request: where it goes, what it says, its size, its file and line.

        `service` is the batch service, `None` for a live request.
        """
        node = self.climb(model, service, ladder_of(messages, options), size, place)
        if node is not None:
            self.hold(node, model, messages, options)

    def climb(
        self,
        model: Model,
        service: BatchRules | None,
        ladder: Sequence[int],
        size: Count,
        place: tuple[str, int],
    ) -> Beginning | None:
        """Take the next request by its ladder; what is answered wants `hold` with its messages.

        For callers that make ladders by themselves. Two makers' rungs do not compare, so one job
        has one maker; where its rungs are must be what `place_of` says.
        """
        if self._free < 0:
            self._make_room()
        if model is not self._last[0] or service is not self._last[1]:
            self._last = (model, service, self._tree(model, service, size.low))
        tree = self._last[2]
        tree.requests += 1
        if size.high > tree.longest:  # noqa: PLR1730 - called by the million
            tree.longest = size.high
        if size.low < tree.shortest:  # noqa: PLR1730
            tree.shortest = size.low
        nodes = tree.nodes
        last: Beginning | None = None
        for rung, key in enumerate(ladder):
            found = nodes.get(key)
            if found is None:
                nodes[key] = (last, rung, ladder, place, self._missed)
                self._free -= _NODE + len(ladder)
                break
            last = self._met(found, nodes) if isinstance(found, tuple) else found
            last.count += 1
        if last is None:
            return None
        last.ended += 1
        return last if last.tokens is None and last.said is None else None

    def hold(
        self, node: Beginning, model: Model, messages: Sequence[Wire], options: Options = NO_OPTIONS
    ) -> None:
        """Keep a request's messages until the tokens of what it began with are counted."""
        node.said = (messages, options)
        self._unsettled.append((node, model))
        self._held += sum(len(str(message.get("content", ""))) for message in messages)
        if self._held > _HELD_CHARACTERS:
            self._settle()

    def found(self, currency: str) -> Shared:
        """What the requests until now share, and what that may save."""
        self._settle()
        prefixes: list[Prefix] = []
        repeats = []
        for (model, service), tree in self._trees.values():
            named = [node for node in tree.met() if node.tokens is not None]
            prefixes += [
                _prefix(node, model, service, tree, currency)
                for node in nlargest(NAMED, named, key=_weight)
            ]
            if named or tree.alike:
                repeats.append(_repeat(model, service, tree, currency))
        prefixes.sort(key=lambda each: (-each.again, each.file, each.line, each.model))
        return Shared(tuple(prefixes[:NAMED]), tuple(repeats), self._missed)

    def _tree(self, model: Model, service: BatchRules | None, size: int) -> _Tree:
        key = (model.id, service is not None)
        found = self._trees.get(key)
        if found is None:
            found = self._trees[key] = ((model, service), _Tree(shortest=size))
        return found[1]

    def _met(self, first: _Loner, nodes: dict[int, Beginning | _Loner]) -> Beginning:
        """Make a node where a second request comes by; the first one stands on its next rung."""
        node = Beginning(first)
        _, rung, ladder, place, missed = first
        nodes[ladder[rung]] = node
        if rung + 1 < len(ladder):
            nodes.setdefault(ladder[rung + 1], (node, rung + 1, ladder, place, missed))
            self._free -= _NODE
        return node

    def _settle(self) -> None:
        for node, model in self._unsettled:
            if node.said is not None:
                messages, options = node.said
                whole, characters = place_of(messages, node.rung)
                counter = measurer_or_bounds(model.tokenizer)
                parsed = parse(messages)
                tokens = count_beginning(parsed, whole, characters, model, counter, options)
                node.tokens = (whole, characters, tokens)
                node.said = None
        self._unsettled.clear()
        self._held = 0

    def _make_room(self) -> None:
        """Let a quarter of the nodes go, or more: those that were counted least.

        With a node go those below it, which nobody had more often. So of a beginning without a
        node there were `_missed` requests at most.
        """
        self._settle()
        trees = [(model, tree) for (model, _), tree in self._trees.values()]
        most = sorted([_at_most(node) for _, tree in trees for node in tree.nodes.values()])
        self._missed = most[len(most) // 4]
        self._free = self._room
        for model, tree in trees:
            kept: dict[int, Beginning | _Loner] = {}
            gone: set[int] = set()
            for key, node in tree.nodes.items():  # what is above stands before what is below
                above = node[0] if isinstance(node, tuple) else node.above
                if _at_most(node) > self._missed and id(above) not in gone:
                    kept[key] = node
                    self._free -= _NODE + (len(node[2]) if isinstance(node, tuple) else 0)
                elif not isinstance(node, tuple):
                    gone.add(id(node))
                    tree.add(node, model)
            tree.nodes = kept


def _at_most(node: Beginning | _Loner) -> int:
    """How many requests can have had this beginning."""
    return 1 + node[4] if isinstance(node, tuple) else node.count + node.missed


def _weight(node: Beginning) -> int:
    return 0 if node.tokens is None else (node.count - 1) * node.tokens[2].high


def _prefix(
    node: Beginning, model: Model, service: BatchRules | None, tree: _Tree, currency: str
) -> Prefix:
    whole, characters, tokens = node.tokens or (0, 0, _NOTHING)
    worth = worth_of(node.count - 1, tokens, model.cache)
    live = saving_of(worth, model, (tree.shortest, tree.longest))
    file, line = node.place
    return Prefix(
        model.id,
        service is not None,
        node.count,
        whole,
        characters,
        tokens,
        file,
        line,
        _up_to(live if service is None else in_batch(live, model, service), currency),
        reason_of(model, tokens, service),
    )


def _repeat(model: Model, service: BatchRules | None, tree: _Tree, currency: str) -> Repeat:
    whole = _Tree(
        alike=tree.alike, low=tree.low, high=tree.high, deepest=tree.deepest, worth=tree.worth
    )
    for node in tree.met():
        whole.add(node, model)
    live = saving_of(whole.worth, model, (tree.shortest, tree.longest))
    return Repeat(
        model.id,
        service is not None,
        tree.requests,
        whole.alike,
        whole.low,
        whole.high,
        _up_to(live if service is None else in_batch(live, model, service), currency),
        _up_to(live, currency),
        model.price.batch if service is not None and model.price else None,
        reason_of(model, whole.deepest, service),
    )


def _up_to(amount: Decimal, currency: str) -> Fare:
    """From nothing: a hit is never promised."""
    return Fare(Money(Decimal(0), currency), Money(amount, currency))

"""A request's size on any model, as far as it is known, and how much was counted for it.

At first sizes are bounds from the length of the texts. They are narrowed by counting, where the
tokenizer has a vocabulary; counting stops as soon as a limit is passed. Models of one class share a
size, and a text is counted once for each tokenizer.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from tokenfare.budget import PreparedRequest, RequestPreparer, counting_key
from tokenfare.catalog import Model
from tokenfare.tokenizers import Bounds, ByLength, Count, Measurer, Tokenizer
from tokenfare.tokenizers.by_length import guess

MeasurerFor: TypeAlias = Callable[[str], Measurer]

Arrange: TypeAlias = Callable[[MeasurerFor], RequestPreparer]
"""Makes the request's `RequestPreparer`, from a function that gives the measurer of a name."""

_UNKNOWN = Count(value=1, low=1, high=1 << 40, how="length")
"""The size while it is not known whether texts travel inside messages or as files."""


@dataclass(frozen=True, slots=True)
class Effort:
    """What was counted to decide: the number of `tokens`, and of `passes` over a text."""

    tokens: int = 0
    passes: int = 0


class _Counting:
    """Counts texts with one tokenizer, up to the limit of a round, and remembers the results."""

    def __init__(self, of: Measurer) -> None:
        """Start with bounds from the length only."""
        self.name = of.name
        self.tokens = self.passes = 0
        self.used: dict[str, Count] = {}
        self._of = of
        self._length = ByLength(of)
        self._known: dict[str, Count] = {}
        self.begin(0)

    def bounds_as(self, other: Measurer) -> bool:
        """Whether both tokenizers have no vocabulary, and the same bounds."""
        if isinstance(self._of, Bounds) and isinstance(other, Bounds):
            return self._of.at_most is other.at_most
        return False

    def begin(self, limit: int | None) -> None:
        """Begin a round that counts until all texts are more than `limit`; `None` for no limit."""
        self._left = limit
        self._seen: set[str] = set()

    def measure(self, text: str) -> Count:
        """The best known count of a text, after counting as far as the limit allows."""
        known = self._known.get(text) or self._from_length(text)
        if text not in self._seen:
            self._seen.add(text)
            if not known.exact and self._left != 0:
                known = self._measured(text, known)
            if self._left is not None:
                self._left = max(self._left - known.low, 0)
        self._known[text] = self.used[text] = known
        return known

    def _from_length(self, text: str) -> Count:
        """Bounds from the length, or the count of a text that is short enough to be counted."""
        found = self._length.measure(text)
        if found.exact and text and not isinstance(self._of, Bounds):
            self.passes += 1
            self.tokens += found.value
        return found

    def _measured(self, text: str, known: Count) -> Count:
        if isinstance(self._of, Tokenizer):
            return self._count_up_to(self._of, text, known)
        if known.how == "bounds":
            return known
        if isinstance(self._of, Bounds):  # its own estimate would be another tokenizer's count
            return Count.within(guess(text), known.low, self._of.at_most(text))
        return self._of.measure(text)

    def _count_up_to(self, tokenizer: Tokenizer, text: str, known: Count) -> Count:
        limit = known.high if self._left is None else self._left
        if limit < known.low:
            return known
        found = tokenizer.count_up_to(text, limit)
        self.passes += 1
        self.tokens += limit if found is None else found
        if found is not None:
            return Count.exactly(found)
        return Count(max(known.value, limit + 1), limit + 1, known.high, "counted in part")


class KnownSize(NamedTuple):
    """A size as far as it is known.

    Two sizes with the same `moves_with` contain the same texts of unknown size, each of them once.
    So the difference between the two is exact, although neither of them is.
    """

    size: Count
    moves_with: Hashable | None


class Sizing:
    """The sizes of one request, by class of models."""

    def __init__(self, arrange: Arrange, measurer_for: MeasurerFor) -> None:
        """Measure nothing yet."""
        self._arrange = arrange
        self._measurer_for = measurer_for
        self._countings: dict[str, _Counting] = {}
        self._known: dict[str, dict[Hashable, KnownSize]] = {}

    @property
    def effort(self) -> Effort:
        """What has been counted so far."""
        each = set(self._countings.values())
        return Effort(sum(c.tokens for c in each), sum(c.passes for c in each))

    def __call__(self, model: Model) -> Count:
        """The request's size on a model, as far as it is known."""
        return self.known(model).size

    def known(self, model: Model) -> KnownSize:
        """The size, and the key of the sizes that it moves with."""
        of = self._known.setdefault(model.tokenizer, {})
        kind = counting_key(model)
        if kind not in of:
            self._counting(model.tokenizer).begin(0)
            of[kind] = self._look(model)
        return of[kind]

    def look_closer(self, model: Model, limit: int | None) -> None:
        """Count for a model's class until a limit is passed, or to the end if it is `None`.

        The counts are then used for every class of the same tokenizer.
        """
        self._counting(model.tokenizer).begin(limit)
        self._known[model.tokenizer] = {counting_key(model): self._look(model)}

    def _look(self, model: Model) -> KnownSize:
        """The size; unknown while it is not certain how the request will be sent.

        A text that is too long for a message is sent as a file. So the request is arranged with
        every text at its least and at its most tokens, and both must give the same messages.
        """
        if model.documents is not None:
            least = self._prepared(model, lambda counting: _End(counting, high=False))
            most = self._prepared(model, lambda counting: _End(counting, high=True))
            if (least.messages, least.documents) != (most.messages, most.documents):
                return KnownSize(_UNKNOWN, None)
        counting = self._counting(model.tokenizer)
        counting.used.clear()
        size = self._prepared(model, lambda counting: counting).count.total
        texts = frozenset(text for text, count in counting.used.items() if not count.exact)
        width = sum(counting.used[text].high - counting.used[text].low for text in texts)
        whole = size.high - size.low == width > 0
        return KnownSize(size, (model.tokenizer, texts) if whole else None)

    def _prepared(self, model: Model, by: Callable[[_Counting], Measurer]) -> PreparedRequest:
        return self._arrange(lambda name: by(self._counting(name))).for_model(model)

    def _counting(self, name: str) -> _Counting:
        counting = self._countings.get(name)
        if counting is None:
            of = self._measurer_for(name)
            alike_ = (c for c in self._countings.values() if c.bounds_as(of))
            counting = self._countings[name] = next(alike_, None) or _Counting(of)
        return counting


class _End:
    """A measurer that gives one end of another's counts as if it were exact."""

    def __init__(self, of: _Counting, *, high: bool) -> None:
        self.name = of.name
        self._of = of
        self._high = high

    def measure(self, text: str) -> Count:
        known = self._of.measure(text)
        # Without a vocabulary, a request is always arranged by the high end.
        high = self._high or known.how == "bounds"
        return Count.exactly(known.high if high else known.low)

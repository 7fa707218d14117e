"""How the size of a plain chat follows from its texts, on each kind of models of a service.

A template adds tokens once, tokens for each message, and a default system message if none is sent;
the texts add what a tokenizer counts, or bounds that follow from their bytes. If the rules of some
models cannot be expressed in these numbers, they have no `Kind`, and requests are counted one by
one.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeAlias

from tokenfare.budget import Rules, count_request, counting_key, rules_of
from tokenfare.catalog import Model
from tokenfare.messages import Wire, parse
from tokenfare.tokenizers import (
    Bounds,
    Count,
    Measurer,
    Tokenizer,
    byte_level,
    byte_level_as_is,
    measurer_or_bounds,
    most_bytes,
)

Classes: TypeAlias = tuple[tuple[Model, ...], ...]
Span: TypeAlias = tuple[int, int]
Kind: TypeAlias = tuple[int | str, bool, Span, Span, Span]
"""The number of a tokenizer or the name of a rule on bytes; whether a text may merge with the line
break before it; and what the template adds once, for each message, and without a system message."""

_BY_BYTES: Mapping[Callable[[str], int], str] = MappingProxyType(
    {byte_level: "nfc", byte_level_as_is: "as is", most_bytes: "most"}
)


class Kinds:
    """The kinds of models, and the distinct tokenizers that they count with."""

    def __init__(self) -> None:
        """Start empty."""
        self.tokenizers: list[Tokenizer] = []
        self._known: dict[Hashable, Kind | None] = {}
        self._classes: dict[tuple[int, ...], tuple[Classes, list[Kind] | None]] = {}

    def of_all(self, classes: Classes) -> list[Kind] | None:
        """How a plain chat is counted on each of these kinds; `None` if some cannot be expressed.

        Cached, since a job may have thousands of rooms, and so services with the same kinds.
        """
        key = tuple(id(models[0]) for models in classes)  # they stay alive, so ids are not reused
        if key not in self._classes:
            found = [self.of(models[0]) for models in classes]
            known = [kind for kind in found if kind is not None]
            self._classes[key] = classes, known if len(known) == len(found) else None
        return self._classes[key][1]

    def of(self, model: Model) -> Kind | None:
        """How a plain chat is counted on models of this kind; `None` if it cannot be expressed."""
        key = counting_key(model)
        if key not in self._known:
            self._known[key] = self._infer_kind(model)
        return self._known[key]

    def _infer_kind(self, model: Model) -> Kind | None:
        counter = measurer_or_bounds(model.tokenizer)
        rules = rules_of(model)
        joins = rules.chat.per_message > 0
        if rules.chat.strips_reasoning:
            return None
        if isinstance(counter, Tokenizer):
            return (self._number(counter), joins, *_added(rules, counter)) if joins else None
        if not isinstance(counter, Bounds) or counter.at_most not in _BY_BYTES:
            return None
        return (_BY_BYTES[counter.at_most], joins, *_added(rules, counter))

    def _number(self, tokenizer: Tokenizer) -> int:
        if tokenizer not in self.tokenizers:
            self.tokenizers.append(tokenizer)
        return self.tokenizers.index(tokenizer)


@dataclass(frozen=True, slots=True)
class _TemplateOnly:
    """Counts the template's own text, and texts of messages as nothing."""

    of: Measurer
    default_system: str

    @property
    def name(self) -> str:
        """The tokenizer's name."""
        return self.of.name

    def measure(self, text: str) -> Count:
        """Count the default system message, also behind a line break; everything else as 0."""
        own = self.default_system and text in {self.default_system, "\n" + self.default_system}
        return self.of.measure(text) if own else Count.exactly(0)


def _added(rules: Rules, counter: Measurer) -> tuple[Span, Span, Span]:
    """What the template adds, measured by chats of which only the template is counted."""
    default = rules.chat.default_system
    measurer = _TemplateOnly(counter, default)
    system: Wire = {"role": "system", "content": "x" + default}  # differs from the default
    user: Wire = {"role": "user", "content": "x" + default}

    def total(*chat: Wire) -> Span:
        count = count_request(parse(list(chat)), rules, measurer).total
        return (count.low, count.high)

    one = total(system)
    each = _less(total(system, user), one)
    return _less(one, each), each, _less(total(user), one)


def _less(one: Span, other: Span) -> Span:
    return (one[0] - other[0], one[1] - other[1])

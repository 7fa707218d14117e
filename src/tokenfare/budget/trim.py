"""Shorten a conversation to a number of tokens by a policy, and report what was dropped.

The oldest messages are dropped first, in whole groups. An earlier turn goes with all its answers,
so that no answer is kept without its question; within the last turn, a call goes with its results,
so that no result is kept without its call. Whether the rest fits is counted, not estimated, since a
message's neighbours can change its count. A message is never edited, except to shorten its text if
the policy allows that.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal, TypeAlias

from tokenfare.arguments import token_limit
from tokenfare.errors import CannotTrim, InvalidRequestError
from tokenfare.messages import RESULT_ROLES, Message, Wire, parse_one
from tokenfare.tokenizers import Count, Cutter, Keep, check_keep

from .conversation import Conversation
from .cut import longest_that_fits
from .message_tokens import is_open
from .tools import calls_of

Why: TypeAlias = Literal["oldest first", "a result without its call"]

_SYSTEM = frozenset({"system", "developer"})


@dataclass(frozen=True, slots=True)
class TrimPolicy:
    """What `trim` may drop.

    Attributes:
        keep_system: Keep every system message.
        keep_last_turn: Keep the user's last message.
        cut: If nothing else can be dropped, shorten the text of the user's last message, keeping
            its `"start"`, `"end"` or both `"ends"`. By default it is not shortened.
    """

    keep_system: bool = True
    keep_last_turn: bool = True
    cut: Keep | None = None

    def __post_init__(self) -> None:
        if self.cut is not None:
            check_keep(self.cut, "cut")


@dataclass(frozen=True, slots=True)
class Dropped:
    """A message that was dropped: its index in the conversation, its tokens and the reason."""

    index: int
    message: Wire
    tokens: Count
    why: Why


@dataclass(frozen=True, slots=True)
class Shortened:
    """A message whose text was cut: its index in the conversation, and the original message."""

    index: int
    message: Wire
    characters: int
    """How many characters (code points) of its text were cut."""


@dataclass(frozen=True, slots=True)
class Trimmed:
    """A conversation that fits.

    Attributes:
        messages: The messages that were kept, as they were given.
        count: The input tokens of the whole request with these messages; `count.high` is at most
            `limit`.
        limit: The limit in tokens.
        dropped: The dropped messages, each with its index, tokens and reason.
        shortened: The message whose text was cut, if any.
    """

    messages: tuple[Wire, ...]
    count: Count
    limit: int
    dropped: tuple[Dropped, ...] = ()
    shortened: Shortened | None = None


@dataclass(frozen=True, slots=True)
class _Arrangement:
    """Message indices: results without a call; what may be dropped, in the order of dropping."""

    lost: frozenset[int]
    blocks: tuple[tuple[int, ...], ...]


def trim(conversation: Conversation, limit: int, policy: TrimPolicy) -> Trimmed:
    """Drop the fewest of the oldest parts of a conversation so that at most `limit` tokens stay.

    Messages that were counted when they were added are not counted again, unless their neighbours
    change. Raises `CannotTrim` if what must be kept is more than `limit`.
    """
    limit = token_limit(limit)
    given: object = policy  # what a caller without a type checker may have given
    if not isinstance(given, TrimPolicy):
        raise InvalidRequestError(f"a policy is a tokenfare.TrimPolicy, not {given!r}")
    messages = conversation.messages
    if not messages:
        raise InvalidRequestError("the conversation has no messages to trim")
    found = _arrangement(messages, policy)
    if len(found.lost) == len(messages):
        raise InvalidRequestError("the conversation has only tool results without their calls")
    sizes = cache(conversation.sizes)  # counts the whole request with some templates
    to_drop = _messages_to_drop(conversation, found, limit, sizes)
    kept = _without(messages, to_drop)
    count = conversation.size_of(kept)
    dropped = tuple(
        Dropped(i, messages[i].wire, sizes()[i], _why(i, found)) for i in sorted(to_drop)
    )
    if count.high <= limit:
        return Trimmed(tuple(messages[i].wire for i in kept), count, limit, dropped)
    return _shortened(conversation, kept, limit, policy, dropped)


def _messages_to_drop(
    conversation: Conversation,
    found: _Arrangement,
    limit: int,
    sizes: Callable[[], Sequence[Count]],
) -> set[int]:
    """The messages to drop: the fewest blocks without which the rest fits, or all of them.

    The sizes of the messages give a guess of how many blocks; counting the rest decides.
    """

    def in_first(blocks: int) -> set[int]:
        return {*found.lost, *(i for block in found.blocks[:blocks] for i in block)}

    def fits(blocks: int) -> bool:
        kept = _without(conversation.messages, in_first(blocks))
        return conversation.size_of(kept).high <= limit

    size = conversation.size_of(_without(conversation.messages, in_first(0))).high
    if size <= limit:
        return in_first(0)
    guess = 0
    while size > limit and guess < len(found.blocks):
        size -= sum(sizes()[i].high for i in found.blocks[guess])
        guess += 1
    return in_first(_first_that(fits, guess, len(found.blocks)))


def _first_that(fits: Callable[[int], bool], guess: int, most: int) -> int:
    """A number from 0 to `most` that `fits`, while one less does not; `most` if none is found.

    Each question may count the whole request, so they are asked in growing steps from the guess.
    """
    low, high, step = -1, most, 1
    if guess == most or fits(guess):
        high = guess
        while high > 0 and low < 0:
            at = max(high - step, 0)
            low, high = (low, at) if fits(at) else (at, high)
            step *= 2
    else:
        low = guess
        while low + step < most and not fits(low + step):
            low, step = low + step, 2 * step
        high = min(low + step, most)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if fits(middle) else (middle, high)
    return high


def _without(messages: Sequence[Message], to_drop: set[int]) -> list[int]:
    return [i for i in range(len(messages)) if i not in to_drop]


def _why(index: int, found: _Arrangement) -> Why:
    return "a result without its call" if index in found.lost else "oldest first"


def _arrangement(messages: Sequence[Message], policy: TrimPolicy) -> _Arrangement:
    last = max((i for i, m in enumerate(messages) if m.role == "user"), default=None)
    units, lost = _units(messages)
    stays = False
    blocks: list[list[int]] = []
    for unit in units:
        first = messages[unit[0]]
        if first.role in _SYSTEM and policy.keep_system:
            continue
        if is_open(first) or (unit[0] == last and policy.keep_last_turn):
            stays = True  # a request needs more than a system message
            continue
        in_last_turn = last is not None and unit[0] >= last
        if not blocks or first.role == "user" or in_last_turn:
            blocks.append([])
        blocks[-1] += unit
    if not stays and blocks:
        blocks.pop()
    return _Arrangement(frozenset(lost), tuple(map(tuple, blocks)))


def _units(messages: Sequence[Message]) -> tuple[list[list[int]], list[int]]:
    """Groups of indices to keep or drop together (a call and its results); results without a call.

    A result belongs to the call whose id it names. If it names none, it belongs to the message with
    calls before it, if there are only results between the two.
    """
    units: list[list[int]] = []
    lost: list[int] = []
    by_id: dict[object, list[int]] = {}
    before: list[int] | None = None
    for i, message in enumerate(messages):
        if message.role in RESULT_ROLES:
            named = message.wire.get("tool_call_id")
            of_id = by_id.get(named) if isinstance(named, str) else None
            unit = before if named is None else of_id
            (lost if unit is None else unit).append(i)
            continue
        calls = calls_of(message)
        units.append([i])
        before = units[-1] if calls else None
        by_id |= {call["id"]: units[-1] for call in calls if isinstance(call.get("id"), str)}
    return units, lost


def _shortened(
    conversation: Conversation,
    kept: Sequence[int],
    limit: int,
    policy: TrimPolicy,
    dropped: tuple[Dropped, ...],
) -> Trimmed:
    """Cut the text of the user's last message until the request fits."""
    messages, measurer = conversation.messages, conversation.measurer
    index = max((i for i in kept if messages[i].role == "user"), default=None)
    text = _longest_text(messages[index]) if index is not None else ""
    if policy.cut is None or index is None or not text or not isinstance(measurer, Cutter):
        raise _cannot(conversation, kept, limit, policy)

    def with_text(part: str) -> Message:
        return parse_one(_with_text(messages[index].wire, text, part), index)

    def sized(part: str) -> Count:
        return conversation.size_of(kept, {index: with_text(part)})

    found = longest_that_fits(measurer, text, policy.cut, limit, sized)
    if found is None:
        raise _cannot(conversation, kept, limit, policy)
    part, count = found
    shorter = with_text(part)
    wires = tuple((shorter if i == index else messages[i]).wire for i in kept)
    cut = Shortened(index, messages[index].wire, len(text) - len(part))
    return Trimmed(wires, count, limit, dropped, cut)


def _longest_text(message: Message) -> str:
    content = message.wire.get("content")
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, Sequence) else ()
    texts = [part.get("text") for part in parts if isinstance(part, Mapping)]
    return max((text for text in texts if isinstance(text, str)), key=len, default="")


def _with_text(wire: Wire, text: str, shorter: str) -> Wire:
    content = wire["content"]
    if not isinstance(content, list):
        return {**wire, "content": shorter}
    at = next(i for i, part in enumerate(content) if part.get("text") == text)
    changed = {**content[at], "text": shorter}
    return {**wire, "content": [*content[:at], changed, *content[at + 1 :]]}


def _cannot(
    conversation: Conversation, kept: Sequence[int], limit: int, policy: TrimPolicy
) -> CannotTrim:
    messages = conversation.messages
    sizes = conversation.sizes()
    named = (f"messages[{i}] ({messages[i].role}) {sizes[i].high:,}" for i in kept)
    way_out = "" if policy.cut else "; TrimPolicy(cut='start') lets the last message be shortened"
    total = conversation.size_of(kept).high
    return CannotTrim(total, limit, ", ".join(named) + way_out)

"""A request that grows message by message; only new messages are counted.

Counting is additive over messages, so adding a message takes only the time of that message, however
many there are. A message is counted again only if the next one changes it: a tool's result, or an
answer that the model continues. Everything is counted again once, if the first Chinese message
changes the wording for tools. Templates that drop earlier reasoning are an exception: there every
count is of the whole request, so add several messages with `extend`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import replace

from tokenfare.messages import Message, Wire, parse_one
from tokenfare.plurals import number_of
from tokenfare.tokenizers import Count, Measurer, added

from .control_tokens import ControlToken, control_tokens
from .message_tokens import MessageCounter, Position, depends_on_the_next, numbered, places
from .options import NO_OPTIONS, Options
from .request import after_all, before_all, count_request
from .request_count import NOTHING, Part, RequestCount, counted
from .rules import Rules
from .tools import is_chinese


class Conversation:
    """A growing chat request with its count on one model; made by `tokenfare.conversation`.

    Not thread-safe. `copy.copy` makes a branch that grows independently.
    """

    def __init__(self, rules: Rules, measurer: Measurer, options: Options = NO_OPTIONS) -> None:
        """Begin without messages."""
        self._begin(MessageCounter(rules, measurer, options))

    def _begin(self, counter: MessageCounter) -> None:
        self._counter = counter
        self._messages: list[Message] = []
        self._before: list[Part] = []
        self._parts: list[list[Part]] = []
        self._positions: list[Position] = []
        self._warnings: list[ControlToken] = []
        self._settled = NOTHING
        self._numbers: Mapping[str, int] = {}
        self._earlier: Mapping[str, int] = {}
        self._known_sizes: list[Count] = []

    def __len__(self) -> int:
        return len(self._messages)

    def __copy__(self) -> Conversation:
        """Branch the conversation: what is added to one is not in the other."""
        return deepcopy(self)

    def __repr__(self) -> str:
        """Show only its length; the texts may be long."""
        messages, tokens = len(self), self.total.value
        return f"<Conversation of {number_of(messages, 'message')}, {number_of(tokens, 'token')}>"

    def add(self, message: Message | Wire) -> Count:
        """Add a message and return the input tokens of the whole request.

        Raises `InvalidRequestError` with the message's index if it is invalid; nothing is added
        then.
        """
        return self.extend((message,))

    def extend(self, messages: Iterable[Message | Wire]) -> Count:
        """Add several messages and return the input tokens of the whole request, counted once.

        Raises as `add`; the messages before the invalid one stay added.
        """
        for message in messages:
            self._take(message)
        return self.total

    def _take(self, message: Message | Wire) -> None:
        if not isinstance(message, Message):
            message = parse_one(message, len(self))
        if self._counter.options.tools and not self._counter.chinese and is_chinese(message):
            before = self.__dict__.copy()
            try:
                self._begin(replace(self._counter, chinese=True))
                for one in (*before["_messages"], message):
                    self._add(one)
            except BaseException:  # it is refused, or Ctrl-C came: nothing has changed then
                self.__dict__.update(before)
                raise
        else:
            self._add(message)

    @property
    def messages(self) -> tuple[Message, ...]:
        """The messages, in order."""
        return tuple(self._messages)

    @property
    def options(self) -> Options:
        """The options that the request is counted with: tools, thinking, an output format."""
        return self._counter.options

    @property
    def measurer(self) -> Measurer:
        """The measurer that counts the texts."""
        return self._counter.measurer

    def tokens_of(self, index: int) -> Count:
        """The tokens of one message in its place, with its markers."""
        if self._counter.rules.chat.strips_reasoning:
            return self.sizes()[index]
        return added(part.count for part in self._parts[index])

    def sizes(self) -> list[Count]:
        """The tokens of each message in its place, with its markers."""
        if not self._counter.rules.chat.strips_reasoning:
            return [added(part.count for part in parts) for parts in self._parts]
        if len(self._known_sizes) != len(self):
            sizes: list[list[Count]] = [[] for _ in self._messages]
            for part in self.count().parts:  # what is kept of the reasoning depends on all messages
                if part.message is not None:
                    sizes[part.message].append(part.count)
            self._known_sizes = [added(counts) for counts in sizes]
        return list(self._known_sizes)

    def size_of(self, kept: Sequence[int], changed: Mapping[int, Message] | None = None) -> Count:
        """The input tokens of a request with only the messages `kept` (indices; at least one).

        `changed` replaces messages by index. Only replaced messages, and messages whose count
        changes with their neighbours, are counted again.
        """
        others = changed or {}
        messages = [others.get(i) or self._messages[i] for i in kept]
        counter = self._counter
        if counter.rules.chat.strips_reasoning or counter.chinese:
            return count_request(messages, counter.rules, counter.measurer, counter.options).total
        around = (*before_all(messages[0], counter), *after_all(messages[-1], counter))
        sizes = (
            self._size(i, message, replace(place, index=i), same=i not in others)
            for i, message, place in zip(kept, messages, places(messages), strict=True)
        )
        return added((*(part.count for part in around), *sizes))

    def _size(self, index: int, message: Message, place: Position, *, same: bool) -> Count:
        placed = depends_on_the_next(message) or message.media
        if same and (not placed or place == self._positions[index]):
            return added(part.count for part in self._parts[index])
        return added(part.count for part in self._counter.parts(message, place))

    @property
    def total(self) -> Count:
        """The input tokens of the current request."""
        if not self._messages:
            return NOTHING
        if self._counter.rules.chat.strips_reasoning:
            return self.count().total
        return added((self._settled, *(part.count for part in self._unsettled())))

    def count(self) -> RequestCount:
        """The count of the request in parts."""
        if not self._messages:
            return counted(())
        counter = self._counter
        if counter.rules.chat.strips_reasoning:
            return count_request(self._messages, counter.rules, counter.measurer, counter.options)
        parts = [part for message in self._parts for part in message]
        after = after_all(self._messages[-1], counter)
        return counted((*self._before, *parts, *after), tuple(self._warnings))

    def _unsettled(self) -> list[Part]:
        """The last message's parts, and the parts around all messages."""
        after = after_all(self._messages[-1], self._counter)
        return [*self._before, *self._parts[-1], *after]

    def _add(self, message: Message) -> None:
        index = len(self._messages)
        before = self._messages[-1].role if index else None
        place = Position(index, before, None, self._numbers)
        parts = self._counter.parts(message, place)  # first: it refuses what the model cannot take
        if index == 0:
            self._before = list(before_all(message, self._counter))
        else:
            self._settle(self._messages[-1], message.role)
        self._earlier, self._numbers = self._numbers, numbered(self._numbers, message.media)
        self._parts.append(parts)
        self._positions.append(place)
        self._messages.append(message)
        generation = self._counter.rules.chat.control_tokens
        self._warnings += control_tokens(message, index, generation)

    def _settle(self, last: Message, after: str) -> None:
        """Settle the count of the last message, now that the role of the next one is known."""
        index = len(self._messages) - 1
        if depends_on_the_next(last):
            before = self._messages[index - 1].role if index else None
            place = Position(index, before, after, self._earlier)
            self._parts[index] = self._counter.parts(last, place)
            self._positions[index] = place
        self._settled = added((self._settled, *(part.count for part in self._parts[index])))

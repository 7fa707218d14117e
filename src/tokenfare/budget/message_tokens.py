"""How many tokens one message is, by the template's rules and in parts.

Counting is additive over messages: the template's markers are control tokens, so no token spans two
messages. Within a message a token can span two parts: if the text begins with line breaks, they
form one piece with the line break after the role, so such a text is counted together with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from tokenfare.catalog import AudioRules, ImageRules, VideoRules
from tokenfare.errors import InvalidRequestError
from tokenfare.messages import FILE_MARK, RESULT_ROLES, Document, Media, MediaKind, Message, Text
from tokenfare.tokenizers import Count, Measurer, added

from .audio_video import count_audio, count_video
from .control_tokens import pattern
from .documents import count_document
from .images import count_image
from .options import Options
from .reasoning import AssistantText
from .request_count import NOTHING, Part, PartKind
from .rules import Rules
from .template_text import Writer
from .tools import call_text, calls_most, calls_of, is_certain

# `<tool_response>` and its end, spelled out; two line breaks inside may merge with the text.
_RESULT_FRAME_MOST = 16
_RESULT_SEAMS = 2

_KINDS: Mapping[MediaKind, PartKind] = {"image": "images", "audio": "audio", "video": "video"}


@dataclass(frozen=True, slots=True)
class Position:
    """A message's index, the roles of its neighbours, and the number of media before it by kind."""

    index: int
    before: str | None = None
    after: str | None = None
    numbers: Mapping[str, int] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"messages[{self.index}]"


@dataclass(frozen=True, slots=True)
class MessageCounter:
    """Counts messages by the rules of one model. `chinese`: see `tools.is_chinese`."""

    rules: Rules
    measurer: Measurer
    options: Options
    chinese: bool = False

    @property
    def certain(self) -> bool:
        """Whether the wording of tools and calls is known for this model."""
        tools = self.rules.tools
        return tools is not None and is_certain(self.options, tools, chinese=self.chinese)

    def parts(
        self, message: Message, place: Position, said: AssistantText | None = None
    ) -> list[Part]:
        """The tokens of a message; `said` replaces the text of an assistant's message."""
        if self.rules.files_most is not None and message.text.startswith(FILE_MARK):
            note = "files, whose text is not at hand"
            files = Part("documents", place.index, Count.within(0, 0, self.rules.files_most), note)
            return [files, self._frame(message, place)]
        if message.role in RESULT_ROLES:
            return self._result(message, place)
        if said is not None or calls_of(message):
            return self._answer(message, place, said or AssistantText(message.text))
        match message.parts:
            case (Text(text, None),):
                part = Part("text", place.index, self.stretch(text, first=True))
                return [part, self._frame(message, place)]
        return [*self._content(message, place), self._frame(message, place)]

    def after_role(self, text: str) -> Count:
        """The tokens that a text adds after the role's line break, with which it may merge."""
        if not text[:1].isspace() or not self.rules.chat.per_message:
            return self.measurer.measure(text)
        joined = self.measurer.measure("\n" + text)
        low = max(joined.low - 1, 0)
        return Count(max(joined.value - 1, low), low, max(joined.high - 1, low), joined.how)

    def writer(self) -> Writer:
        """A writer for one turn of the chat."""
        return Writer(self.rules.chat.control_tokens, control=self.options.control_tokens)

    def _frame(self, message: Message, place: Position) -> Part:
        chat = self.rules.chat
        if is_open(message) and place.after is None:
            return Part("template", place.index, Count.exactly(max(chat.per_message - 2, 0)))
        if chat.per_message_bounds is None:
            return Part("template", place.index, Count.exactly(chat.per_message))
        frame = Count.within(chat.per_message, *chat.per_message_bounds)
        return Part("template", place.index, frame)

    def _content(self, message: Message, place: Position) -> Iterator[Part]:
        """The parts of a message with media: its texts, and the media with labels and markers."""
        numbers = dict(place.numbers)
        stretches = [""]
        documents: list[Document] = []
        for i, part in enumerate(message.parts):
            if isinstance(part, Text):
                if part.document is not None and part.document.parsed:
                    count = count_document(part.document, self.measurer)
                    note = f"{part.document.name}: read here; the provider parses it itself"
                    yield Part("documents", place.index, count, note)
                    continue
                if part.document is not None:
                    documents.append(part.document)
                stretches[-1] += part.text
                continue
            numbers[part.kind] = numbers.get(part.kind, 0) + 1
            found, label, certain = self._media(part, f"{place}.content[{i}]", place.index)
            written = label.format(numbers[part.kind])
            yield found
            if certain:
                stretches[-1] += written
            elif written:
                most = self.measurer.measure(written)
                count = Count.within(most.value, 0, most.high)
                yield Part("template", place.index, count, "a label that may be missing")
            stretches.append("")
        yield from self._texts(stretches, documents, place.index)

    def _texts(
        self, stretches: Sequence[str], documents: Sequence[Document], index: int
    ) -> Iterator[Part]:
        whole = added(self.stretch(text, first=i == 0) for i, text in enumerate(stretches))
        left = whole
        if not whole.exact:
            documents = ()  # intervals cannot be subtracted, so it all stays under text
        for document in documents:
            count = self.measurer.measure(document.text)
            if not count.exact:
                continue
            tokens = min(count.value, left.value)
            left = Count.exactly(left.value - tokens)
            yield Part("documents", index, Count.exactly(tokens), document.name)
        yield Part("text", index, left)

    def stretch(self, text: str, *, first: bool) -> Count:
        """The tokens of a stretch of a message's text; `first` if it follows the role."""
        if not text:
            return NOTHING
        if self.options.control_tokens:
            return self._with_control_tokens(text)
        return self.after_role(text) if first else self.measurer.measure(text)

    def _with_control_tokens(self, text: str) -> Count:
        found = pattern(self.rules.chat.control_tokens)
        head, *rest = found.split(text)
        counts = [self.after_role(head) if head else NOTHING]
        counts += [self.measurer.measure(piece) for piece in rest if piece]
        return added((*counts, Count.exactly(len(rest))))

    def _media(self, media: Media, place: str, index: int) -> tuple[Part, str, bool]:
        rules, fetch = self.rules, self.options.fetch
        how: ImageRules | AudioRules | VideoRules
        if media.kind == "image" and rules.images is not None:
            how = rules.images
            high = self.options.high_resolution
            count, note = count_image(media, how, place, high_resolution=high, fetch=fetch)
        elif media.kind == "audio" and rules.audio is not None:
            how = rules.audio
            count, note = count_audio(media, how, place, fetch)
        elif media.kind == "video" and rules.video is not None and rules.images is not None:
            how = rules.video
            count, note = count_video(media, how, rules.images, place, fetch)
        else:
            raise InvalidRequestError(f"{place}: {rules.name} takes no {media.kind}")
        count = added((count, Count.exactly(how.markers)))
        return Part(_KINDS[media.kind], index, count, note), how.label, how.label_certain

    def _answer(self, message: Message, place: Position, said: AssistantText) -> list[Part]:
        """The parts of an assistant's message with tool calls or reasoning."""
        calls = calls_of(message)
        text = Part("text", place.index, self.after_role(said.content) if said.content else NOTHING)
        whole = self._written_answer(message, said)
        frame = self._frame(message, place)
        kind: PartKind = "tools" if calls else "text"
        if whole.exact and (self.certain or not calls):
            rest = max(whole.value - text.count.value, 0)
            text = replace(text, count=Count.exactly(whole.value - rest))
            return [text, Part(kind, place.index, Count.exactly(rest)), frame]
        high = calls_most(calls) if calls else whole.high
        count = Count.within(max(whole.value - text.count.value, 1), 1, high)
        note = "how calls are written is not known" if not self.certain else ""
        return [text, Part(kind, place.index, count, note), frame]

    def _written_answer(self, message: Message, said: AssistantText) -> Count:
        """All that follows `assistant` and its line break, which are two tokens of the frame."""
        writer = self.writer()
        writer.template("assistant\n")
        if said.reasoning is not None:
            writer.template("<think>\n")
            writer.user(said.reasoning)
            writer.template("\n</think>\n\n")
        writer.user(said.content)
        as_object = not self.rules.chat.strips_reasoning
        for i, call in enumerate(calls_of(message)):
            writer.template("\n" if said.content or i else "")
            writer.template(call_text(call, as_object=as_object))
        whole = writer.count(self.measurer)
        return Count.within(max(whole.value - 2, 0), max(whole.low - 2, 0), max(whole.high - 2, 0))

    def _result(self, message: Message, place: Position) -> list[Part]:
        """The parts of a tool's result; consecutive results share one user turn."""
        text = self.measurer.measure(message.text)
        writer = self.writer()
        if place.before not in RESULT_ROLES:
            writer.marker()
            writer.template("user\n")
        writer.template("<tool_response>\n")
        writer.user(message.text)
        writer.template("\n</tool_response>")
        if place.after in RESULT_ROLES:
            writer.template("\n")
        else:
            writer.marker()
            writer.template("\n")
        whole = writer.count(self.measurer)
        if whole.exact and self.certain:
            tokens = min(text.value, whole.value)
            rest = Count.exactly(whole.value - tokens)
            return [
                Part("text", place.index, Count.exactly(tokens)),
                Part("template", place.index, rest),
            ]
        text = Count.within(text.value, max(text.low - _RESULT_SEAMS, 0), text.high, text.how)
        most = self.rules.chat.per_message + _RESULT_FRAME_MOST
        count = Count.within(whole.value - text.value, 0, most)
        note = "how results are written is not known"
        return [Part("text", place.index, text), Part("template", place.index, count, note)]


def is_open(message: Message) -> bool:
    """Whether the model continues this message (prefix mode)."""
    return message.role == "assistant" and message.wire.get("partial") is True


def depends_on_the_next(message: Message) -> bool:
    """Whether the next message can change this one's count: its end may be shared or missing."""
    return message.role in RESULT_ROLES or is_open(message)


def places(messages: Sequence[Message]) -> Iterator[Position]:
    """The position of each message."""
    numbers: Mapping[str, int] = {}
    last = len(messages) - 1
    for i, message in enumerate(messages):
        before = messages[i - 1].role if i else None
        after = messages[i + 1].role if i < last else None
        yield Position(i, before, after, numbers)
        numbers = numbered(numbers, message.media)


def numbered(numbers: Mapping[str, int], media: Iterable[Media]) -> Mapping[str, int]:
    """The numbers of media by kind, with `media` added."""
    more = dict(numbers)
    for part in media:
        more[part.kind] = more.get(part.kind, 0) + 1
    return more

"""How a request is sent to a model: everything inside messages, or long texts as uploaded files.

Most models take text only inside messages, so a document is put in front of the user's last
message. A model with a file service takes documents as files, and a text that is too long for a
message becomes a file too. The provider bills a file as if its text were in the system message that
refers to it, so both ways are counted by the same rule. Nothing is sent here.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from tokenfare.catalog import DocumentRules, Model
from tokenfare.messages import NEUTRAL_ROLE, Document, Message, Text, system, user
from tokenfare.tokenizers import Count, Measurer

from .options import NO_OPTIONS, Options
from .request import count_request
from .request_count import RequestCount
from .rules import Rules, rules_of

QUESTION = "Please do what the attached document asks; if it asks nothing, summarise it."
"""The user's message if the prompt itself became a document and no other message is left."""

_PROMPT_NAME = "prompt.txt"


@dataclass(frozen=True, slots=True)
class PreparedRequest:
    """A request for one model: `messages`, `documents` to upload first, the `count` of both."""

    messages: tuple[Message, ...]
    documents: tuple[Document, ...]
    count: RequestCount


def prepare(  # noqa: PLR0913 - a request, and how it is counted
    messages: Sequence[Message],
    documents: Sequence[Document],
    model: Model,
    measurer: Measurer,
    options: Options = NO_OPTIONS,
    *,
    itemized: bool = True,
) -> PreparedRequest:
    """Arrange a request for one model, and count it.

    If not `itemized`, the count does not tell documents that are text from other texts: to do so,
    each is counted once more.
    """
    rules = model.documents
    if rules is None:
        inline = _inlined(tuple(messages), documents, itemized=itemized)
        return PreparedRequest(inline, (), count_request(inline, model, measurer, options))
    if not documents:
        plain = count_request(messages, model, measurer, options)
        if plain.total.high <= rules.inline_max_tokens:
            return PreparedRequest(tuple(messages), (), plain)
    parts = _long_texts_out(messages, documents, rules, measurer)
    return _uploaded(parts, model, measurer, options, itemized=itemized)


def _inlined(
    messages: tuple[Message, ...], documents: Sequence[Document], *, itemized: bool
) -> tuple[Message, ...]:
    if not documents:
        return messages
    at = max((i for i, m in enumerate(messages) if m.role == "user"), default=len(messages) - 1)
    prefixed = _prefixed(messages[at], documents, itemized=itemized)
    return (*messages[:at], prefixed, *messages[at + 1 :])


def _prefixed(message: Message, documents: Sequence[Document], *, itemized: bool) -> Message:
    """A message with documents in front of its text, as text whatever their format was."""
    written = [(document.name, f"{document.text}\n\n") for document in documents]
    texts = [Text(text, Document(name, text) if itemized else None) for name, text in written]
    front = "".join(part.text for part in texts)
    content = message.wire.get("content")
    wire: dict[str, object] = dict(message.wire)
    if isinstance(content, list):
        wire["content"] = [{"type": "text", "text": front}, *content]
    else:
        wire["content"] = front + message.text
    return replace(message, parts=(*texts, *message.parts), wire=wire)


def _long_texts_out(
    messages: Sequence[Message],
    documents: Sequence[Document],
    rules: DocumentRules,
    measurer: Measurer,
) -> tuple[list[Message], list[Document]]:
    """Turn the messages that are too long beside a file into documents."""
    kept: list[Message] = []
    out = list(documents)
    for message in messages:
        if message.media or measurer.measure(message.text).high <= rules.beside_files_max_tokens:
            kept.append(message)
        else:
            out.append(Document(_PROMPT_NAME, message.text))
    return kept, out


def _uploaded(
    parts: tuple[Iterable[Message], Iterable[Document]],
    model: Model,
    measurer: Measurer,
    options: Options,
    *,
    itemized: bool,
) -> PreparedRequest:
    messages, documents = list(parts[0]), tuple(parts[1])
    if not messages or messages[0].role != "system":
        messages.insert(0, system(NEUTRAL_ROLE))
    if not any(message.role == "user" for message in messages):
        messages.append(user(QUESTION))
    once = {d.content or d.text: d for d in reversed(documents)}  # each content goes up once
    texts = (Text(d.text, d if itemized or d.parsed else None) for d in reversed(once.values()))
    files = Message("system", tuple(texts), {})
    billed = [messages[0], files, *messages[1:]]
    return PreparedRequest(
        tuple(messages), documents, count_request(billed, model, measurer, options)
    )


def counting_key(model: Model) -> Hashable:
    """A key for how a model counts: every request has the same size on models with the same key.

    The value itself has no meaning.
    """
    return (model.tokenizer, model.documents, _nameless(rules_of(model)))


@lru_cache(maxsize=256)
def _nameless(rules: Rules) -> Rules:
    """Rules without the model's name, which changes no count; cached, since it is called often."""
    return replace(rules, name="")


class RequestPreparer:
    """Prepares one request for any model; models that count alike share one result.

    `measurer_for` returns the measurer of a tokenizer by its name.
    """

    def __init__(
        self,
        messages: Sequence[Message],
        documents: Sequence[Document],
        measurer_for: Callable[[str], Measurer],
        options: Options = NO_OPTIONS,
        *,
        itemized: bool = True,
    ) -> None:
        """Keep the request, and count nothing yet. `itemized`: see `prepare`."""
        self._messages = tuple(messages)
        self._documents = tuple(documents)
        self._measurer_for = measurer_for
        self._options = options
        self._itemized = itemized
        self._measurers: dict[str, _Remembering] = {}
        self._prepared: dict[object, PreparedRequest] = {}

    def for_model(self, model: Model) -> PreparedRequest:
        """The request as it is sent to `model`, with its count."""
        kind = counting_key(model)
        if kind not in self._prepared:
            measurer = self._measurers.get(model.tokenizer)
            if measurer is None:
                measurer = _Remembering(self._measurer_for(model.tokenizer))
                self._measurers[model.tokenizer] = measurer
            self._prepared[kind] = prepare(
                self._messages,
                self._documents,
                model,
                measurer,
                self._options,
                itemized=self._itemized,
            )
        return self._prepared[kind]

    def size_for(self, model: Model) -> Count:
        """Input tokens of the request on `model`."""
        return self.for_model(model).count.total


class _Remembering:
    """A measurer that counts each text once, for models that differ only in the template."""

    def __init__(self, measurer: Measurer) -> None:
        self.name = measurer.name
        self._measurer = measurer
        self._counts: dict[str, Count] = {}

    def measure(self, text: str) -> Count:
        if text not in self._counts:
            self._counts[text] = self._measurer.measure(text)
        return self._counts[text]

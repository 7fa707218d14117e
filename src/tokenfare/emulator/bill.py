"""What a chat is billed for, whether the model takes it, and how much room the answer has.

The input is the rendered chat, counted. A model with a file service reads the texts of files in
place of the system message that refers to them.

There are three limits. Input over `max_input` is refused, naming that limit. If input and answer
share the context, a request is refused if its `max_tokens` does not fit beside the input; what the
provider does then is not recorded, and a refusal reveals a mistake. Without `max_tokens`, the
answer is cut at the end of the context, as every service does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tokenfare.catalog import DocumentRules, Model
from tokenfare.messages import Message, Text

from .files import FileStore
from .refusal import Refusal, input_too_long, invalid, over_context
from .rendering import render, tokens
from .request_body import ChatRequest
from .tokenizer import Tokenizer

_FILE_MARK = "fileid://"

JSON_MODE_TOKENS = 2
"""Added to the bill by JSON mode, in the recording of November 2024 (25 where 23 were written)."""


def input_tokens(request: ChatRequest, files: FileStore, tokenizer: Tokenizer) -> int:
    """The tokens of the input. Raises `Refusal` for invalid references to files."""
    messages, rules = request.messages, request.model.documents
    if rules is not None:
        messages = _with_files(messages, rules, files, tokenizer)
    rendered = render(request, messages)
    total = tokens(rendered, tokenizer) + (JSON_MODE_TOKENS if request.json_mode else 0)
    _check_input(request.model, total, with_files=messages is not request.messages)
    return total


def room(request: ChatRequest, input_tokens: int) -> int | None:
    """The most tokens that the answer may have; `None` for no limit."""
    limits = request.model.limits
    bounds = [n for n in (request.max_tokens, limits.max_output) if n is not None]
    if request.model.output_room == "shared" and limits.context is not None:
        least = request.max_tokens or 1
        if input_tokens + least > limits.context:
            raise over_context(limits.context, input_tokens, least)
        bounds.append(limits.context - input_tokens)
    return min(bounds, default=None)


def _check_input(model: Model, total: int, *, with_files: bool) -> None:
    most = model.limits.max_input or model.limits.context
    if most is None or total <= most:
        return
    if with_files:
        raise _files_too_long(most)
    raise input_too_long(most)


def _files_too_long(limit: int) -> Refusal:
    return invalid(f"Total message token length exceed model limit ({limit} tokens).")


def _with_files(
    messages: tuple[Message, ...], rules: DocumentRules, files: FileStore, tokenizer: Tokenizer
) -> tuple[Message, ...]:
    """Messages with the files' texts where they are referred to; the same tuple if there are none.

    `fileid://a,b` is a whole system message. The first system message is the role, but the
    provider's samples also refer to files there, so that is taken too.
    """
    references = {i: _file_ids(m) for i, m in enumerate(messages) if _file_ids(m)}
    most = rules.beside_files_max_tokens if references else rules.inline_max_tokens
    _check_plain(messages, references, most, tokenizer)
    if not references:
        return messages
    if sum(map(len, references.values())) > rules.max_files:
        raise invalid("Too many files provided.")
    return tuple(
        _saying(message, files.texts(references[i], rules.purpose)) if i in references else message
        for i, message in enumerate(messages)
    )


def _file_ids(message: Message) -> Sequence[str]:
    if message.role != "system" or not message.text.startswith(_FILE_MARK):
        return ()
    return [part.strip().removeprefix(_FILE_MARK) for part in message.text.split(",")]


def _check_plain(
    messages: Sequence[Message], references: dict[int, Sequence[str]], most: int, by: Tokenizer
) -> None:
    for i, message in enumerate(messages):
        if i not in references and (size := by.count(message.text)) > most:
            raise invalid(
                f"messages[{i}] has {size} tokens; text of a message is limited to {most} tokens "
                + ("beside files." if references else "in this model: upload it as a file.")
            )


def _saying(message: Message, text: str) -> Message:
    return replace(message, parts=(Text(text),))

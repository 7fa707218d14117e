"""The provider's own interface to text models, which its official SDK calls by default.

A body is `{"model", "input": {"messages" | "prompt"}, "parameters": {…}}`: the fields of the
compatible interface in another order, so it is turned into one of those and answered by the same
rules. Answers differ in shape: `input_tokens` and `output_tokens`, `finish_reason` "null" while
more comes, and streams that repeat the whole text in each event unless `incremental_output` is set
(recorded exchanges of 2024 to 2026). Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from tokenfare.messages import Wire

from .answer import Choice, Completion
from .exchange import as_json
from .refusal import Refusal, invalid

_NO_INPUT = 'Either "prompt" or "messages" must exist and cannot both be none.'


@dataclass(frozen=True, slots=True)
class NativeAsked:
    """The options of a native body besides the chat itself."""

    chat: Mapping[str, object]
    as_message: bool
    incremental: bool


def read_native(body: object, *, stream: bool) -> NativeAsked:
    """Parse a body: the chat in the compatible form, and the form of the answer."""
    if not isinstance(body, Mapping):
        raise invalid("Required body invalid, please check the request body format.")
    given, parameters = body.get("input"), body.get("parameters") or {}
    if not isinstance(given, Mapping):
        raise invalid("Required input missing or invalid, please check the request parameters.")
    if not isinstance(parameters, Mapping):
        raise invalid("parameters must be an object.", param="parameters")
    tools = parameters.get("tools")
    return NativeAsked(
        chat={
            **parameters,
            "model": body.get("model"),
            "messages": _messages(given),
            "stream": stream,
        },
        # The text of an answer with tool calls has no place in the other format.
        as_message=parameters.get("result_format", "text") == "message" or bool(tools),
        incremental=parameters.get("incremental_output") is True,
    )


def _messages(given: Mapping[str, object]) -> object:
    messages, prompt = given.get("messages"), given.get("prompt")
    if messages is not None:
        return _compatible(messages) if isinstance(messages, list) else messages
    if not isinstance(prompt, str) or not prompt:
        raise invalid(_NO_INPUT)
    return [*_turns(given.get("history")), {"role": "user", "content": prompt}]


def _compatible(messages: Sequence[object]) -> list[object]:
    """Messages with their parts in the compatible form: here a part is `{"text": …}`."""
    return [
        {**message, "content": [_part(part) for part in message["content"]]}
        if isinstance(message, Mapping) and isinstance(message.get("content"), list)
        else message
        for message in messages
    ]


def _part(part: object) -> object:
    if not isinstance(part, Mapping) or "type" in part:
        return part
    if "text" in part:
        return {"type": "text", "text": part["text"]}
    if "image" in part:
        return {"type": "image_url", "image_url": {"url": part["image"]}}
    if "audio" in part:
        return {"type": "input_audio", "input_audio": {"data": part["audio"]}}
    if "video" in part:
        return {"type": "video", "video": part["video"]}
    return part


def _turns(history: object) -> Iterator[dict[str, object]]:
    """The earlier turns of a prompt: pairs of `user` and `bot`."""
    if history is None:
        return
    if not isinstance(history, Sequence) or not all(isinstance(t, Mapping) for t in history):
        raise invalid("history must be a list of objects.", param="history")
    for turn in history:
        yield {"role": "user", "content": turn.get("user")}
        yield {"role": "assistant", "content": turn.get("bot")}


@dataclass(frozen=True, slots=True)
class Native:
    """Writes answers in this interface's form. `in_parts`: content as a list, as for media."""

    completion: Completion
    request_id: str
    as_message: bool
    incremental: bool
    in_parts: bool = False

    def whole(self) -> dict[str, object]:
        """The answer in one object."""
        choices = self.completion.choices
        finished = [(c.text, c.tool_calls, c.finish_reason) for c in choices]
        return self._body(finished, self.completion.usage.output_tokens)

    def chunks(self) -> Iterator[dict[str, object]]:
        """The answer in pieces, or in growing prefixes; each event has the bill so far.

        How the bill grows is not fully recorded; here it is in proportion to the pieces.
        """
        written = [_beginnings(choice, incremental=self.incremental) for choice in self._choices()]
        steps = list(zip_longest(*written))
        total = self.completion.usage.output_tokens
        last = [states[-1] for states in written]
        for number, step in enumerate(steps, start=1):
            now = [state or end for state, end in zip(step, last, strict=True)]
            yield self._body(now, total * number // len(steps))

    def event(self, number: int, chunk: Mapping[str, object]) -> bytes:
        """A chunk as a server-sent event."""
        return _event(number, "result", 200, chunk)

    def failure(self, number: int, refusal: Refusal, request_id: str) -> bytes:
        """An error inside a stream."""
        return _event(number, "error", refusal.status, refusal.native(request_id))

    def end(self) -> bytes:
        """Nothing follows the last chunk."""
        return b""

    def _choices(self) -> Sequence[Choice]:
        return self.completion.choices

    def _body(
        self, states: Sequence[tuple[str, Sequence[Wire], str]], output_tokens: int
    ) -> dict[str, object]:
        usage = self.completion.usage
        return {
            "output": self._output(states),
            "usage": {
                "input_tokens": usage.input_tokens,
                "output_tokens": output_tokens,
                "total_tokens": usage.input_tokens + output_tokens,
            },
            "request_id": self.request_id,
        }

    def _output(self, states: Sequence[tuple[str, Sequence[Wire], str]]) -> dict[str, object]:
        if not self.as_message:
            text, _, reason = states[0]
            return {"text": text, "finish_reason": reason}
        choices = []
        for text, calls, reason in states:
            content = [{"text": text}] if self.in_parts else text
            message: dict[str, object] = {"role": "assistant", "content": content}
            if calls:
                message["tool_calls"] = [dict(call) for call in calls]
            choices.append({"message": message, "finish_reason": reason})
        return {"choices": choices}


def _beginnings(choice: Choice, *, incremental: bool) -> list[tuple[str, Sequence[Wire], str]]:
    """What each event says of a choice: the last one why it ended."""
    said: list[tuple[str, Sequence[Wire], str]] = []
    text = ""
    for piece in choice.pieces:
        text = piece if incremental else text + piece
        said.append((text, (), "null"))
    rest = "" if incremental else text
    return [*said, (rest, choice.tool_calls, choice.finish_reason)]


def _event(number: int, name: str, status: int, value: Mapping[str, object]) -> bytes:
    head = f"id:{number}\nevent:{name}\n:HTTP_STATUS/{status}\ndata:"
    return head.encode() + as_json(value) + b"\n\n"

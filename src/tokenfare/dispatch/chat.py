"""The two kinds of chat calls: for a whole answer, and for a stream of its pieces.

Both are flows: they yield effects and are sent the results. With documents they upload first, and
clean up afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TypeAlias

from tokenfare.errors import (
    DocumentError,
    InvalidRequestError,
    ProviderAnswerInvalid,
    ProviderError,
    ProviderUnreachable,
    StreamBroken,
)
from tokenfare.plurals import number_of

from .admission import in_turn
from .call import Answer, Attachment, Call, Delta, UploadedFile
from .documents import recalled, referring
from .effects import Broken, Emit, Flow, Head, HttpRequest, Read, RunBlocking
from .error_meaning import beginning, is_refusal, json_of, request_id_of
from .exchange import (
    ActiveCall,
    Channel,
    HttpResponse,
    Silence,
    begin_call,
    exchange,
    opened,
    read_all,
    read_some,
    too_long,
    unreachable,
    with_retries,
)
from .sse import Decoder, Event
from .stream_accumulator import Draft
from .upload_lease import Lease
from .upload_policy import FileHandling
from .wire import answer_of, body_of

Ask: TypeAlias = Callable[[Call, Channel], Flow[Answer]]

_AFTER_THE_END = 1.0  # seconds to wait for what follows `[DONE]`; the answer is complete

_CUT_NOTE = "the provider ran out of time and cut the answer short"


def chat(call: Call, channel: Channel, files: FileHandling | None = None) -> Flow[Answer]:
    """Send a call and wait for the whole answer."""
    return _with_documents(call, channel, files or FileHandling(), _plain)


def chat_stream(call: Call, channel: Channel, files: FileHandling | None = None) -> Flow[Answer]:
    """Send a call and emit a `Delta` for each piece of the answer; the whole answer is the result.

    A failed attempt is retried only if nothing was emitted. Otherwise the error is raised with the
    text that arrived: `StreamBroken` if the connection failed, else the error of the provider.
    """
    if call.parameters.get("n", 1) != 1:
        raise InvalidRequestError("a stream carries one answer; leave n out of its parameters")
    return _with_documents(call, channel, files or FileHandling(), _streamed)


def _with_documents(call: Call, channel: Channel, handling: FileHandling, ask: Ask) -> Flow[Answer]:
    """Send a call with documents, using remembered uploads; upload again if they are gone."""
    if not call.documents:
        return (yield from ask(call, channel))
    documents = yield from recalled(call.documents, handling.memory)
    known = {file for file in documents if isinstance(file, UploadedFile)} - set(call.documents)
    try:
        return (yield from _about(documents, call, channel, handling, ask))
    except DocumentError as error:
        if not known or error.transient or error.text:
            raise
    for file in known:
        yield RunBlocking(partial(handling.memory.forget, file))  # type: ignore[union-attr]
    return (yield from _about(call.documents, call, channel, handling, ask))


def _about(
    documents: Sequence[Attachment | UploadedFile],
    call: Call,
    channel: Channel,
    handling: FileHandling,
    ask: Ask,
) -> Flow[Answer]:
    lease = Lease(handling, call.model, channel)
    try:
        files = yield from lease.borrow(documents)
        messages, notes = referring(call.messages, files)
        answer = yield from ask(replace(call, messages=messages, documents=()), channel)
    except GeneratorExit:  # the flow is discarded, and its effects are not run any more
        lease.drop()
        raise
    except BaseException as error:
        if isinstance(error, DocumentError) and not error.transient:
            yield from lease.spoiled()
        yield from lease.give_back(keep=False)
        raise
    left = yield from lease.give_back(keep=handling.keep_files)
    notes += tuple(f"file {id_} could not be deleted; it is still there" for id_ in left)
    return replace(answer, files=files, notes=answer.notes + notes)


def _plain(call: Call, channel: Channel) -> Flow[Answer]:
    run = begin_call(channel, call.model.id)
    body = _body(call, channel, stream=False)

    def once() -> Flow[Answer]:
        request = _post(run, body, "application/json")
        return _answer(run, request.url, (yield from exchange(run, request)))

    answer, attempts = yield from with_retries(
        run, in_turn(channel.admission, run.seconds_left, once)
    )
    return replace(answer, attempts=attempts)


def _streamed(call: Call, channel: Channel) -> Flow[Answer]:
    run = begin_call(channel, call.model.id)
    body = _body(call, channel, stream=True)

    def once() -> Flow[Answer]:
        request = _post(run, body, "text/event-stream")
        silence = Silence.of(run, "first_token")
        head = yield from opened(run, request)
        if _is_stream(head):
            return (yield from _followed(run, request.url, head, silence))
        return (yield from _unstreamed(run, request.url, head))

    answer, attempts = yield from with_retries(
        run, in_turn(channel.admission, run.seconds_left, once)
    )
    return replace(answer, attempts=attempts)


def _unstreamed(run: ActiveCall, url: str, head: Head) -> Flow[Answer]:
    """The result of a response that is not a stream: a refusal, or a whole answer."""
    body = yield from read_all(run, url, head)
    if not 200 <= head.status < 300:
        raise run.error_from_response(url, head.status, head.headers, body)
    answer = _answer(run, url, HttpResponse(head.status, head.headers, body))
    yield Emit(Delta(answer.text, "", answer.raw))
    return answer


def _followed(run: ActiveCall, url: str, head: Head, silence: Silence) -> Flow[Answer]:
    """Read the answer from a stream of events, and emit its pieces."""
    draft = Draft()
    try:
        yield from _pieces(run, url, head, draft, silence)
        reply = draft.reply()
        request_id = request_id_of(head.headers, reply)
        return answer_of(reply, model=run.model, url=url, request_id=request_id)
    except ProviderError as error:
        if not draft.begun:
            raise
        failure = error
    failure.transient = False  # the caller has seen a part, which a retry would repeat
    failure.text = draft.text
    raise _broken_off(failure) if isinstance(failure, ProviderUnreachable) else failure


def _pieces(run: ActiveCall, url: str, head: Head, draft: Draft, silence: Silence) -> Flow[None]:
    decoder = Decoder()
    received = 0
    while True:
        piece = yield from read_some(run, url, head, silence)
        if piece is None:
            if draft.complete:
                return
            cut = Broken("broken", "the stream ended before its last chunk")
            raise unreachable(run, url, cut, head.status)
        received += len(piece)
        if received > run.endpoint.max_answer_bytes:
            raise too_long(run, url, head)
        for event in decoder.feed(piece):
            if event.data.strip() == "[DONE]":
                yield from _to_the_end(run)
                return
            delta = draft.take(_chunk(run, url, head, event))
            if delta is not None:
                yield Emit(delta)
            if draft.begun:  # the timeout begins when the caller asks for the next piece
                silence = Silence.of(run, "between_tokens")


def _to_the_end(run: ActiveCall) -> Flow[None]:
    """Read what follows the last event, so that the connection can be reused."""
    while run.seconds_left() > 0:
        rest = yield Read(min(_AFTER_THE_END, run.seconds_left()))
        if not isinstance(rest, bytes):
            return


def _chunk(run: ActiveCall, url: str, head: Head, event: Event) -> Mapping[str, object]:
    """The chunk in an event. Raises if it is an error, which may follow a status of 200."""
    payload = json_of(event.data)
    if event.name == "error" or is_refusal(payload):
        raise run.error_from_response(url, _status(event, head), head.headers, event.data.encode())
    if not isinstance(payload, Mapping):
        raise ProviderAnswerInvalid(
            f"{url} streams something other than a JSON object: {beginning(event.data.encode())}",
            status=head.status,
            code="no JSON object",
            request_id=request_id_of(head.headers, None),
            model=run.model,
        )
    return payload


def _status(event: Event, head: Head) -> int:
    """The status of an error inside a stream, which DashScope sends in a comment."""
    for comment in event.comments:
        name, _, number = comment.partition("/")
        if name == "HTTP_STATUS" and number.isascii() and number.isdigit():
            return int(number)
    return head.status


def _broken_off(error: ProviderUnreachable) -> StreamBroken:
    broken = StreamBroken(
        f"{error}; {number_of(len(error.text), 'character')} of the answer had arrived",
        status=error.status,
        code=error.code,
        request_id=error.request_id,
        model=error.model,
    )
    broken.text = error.text
    return broken


def _answer(run: ActiveCall, url: str, reply: HttpResponse) -> Answer:
    payload = json_of(reply.body)
    if is_refusal(payload) or not isinstance(payload, Mapping):
        raise run.error_from_response(url, reply.status, reply.headers, reply.body)
    request_id = request_id_of(reply.headers, payload)
    answer = answer_of(payload, model=run.model, url=url, request_id=request_id)
    cut = reply.headers.get("x-dashscope-partialresponse") == "true"
    return replace(answer, notes=(_CUT_NOTE,)) if cut else answer


def _body(call: Call, channel: Channel, *, stream: bool) -> bytes:
    body = body_of(call, stream=stream)
    most = channel.endpoint.max_body_bytes
    if most is not None and len(body) > most:
        raise InvalidRequestError(
            f"the request to {call.model.id} has {len(body):,} bytes, {channel.endpoint.base_url} "
            f"accepts {most:,} ({len(body) - most:,} too many); send long texts as documents"
        )
    return body


def _post(run: ActiveCall, body: bytes, accept: str) -> HttpRequest:
    headers = {"content-type": "application/json", "accept": accept}
    return run.request("POST", run.endpoint.url("chat/completions"), headers=headers, body=body)


def _is_stream(head: Head) -> bool:
    kind = head.headers.get("content-type", "")
    return 200 <= head.status < 300 and kind.lower().startswith("text/event-stream")

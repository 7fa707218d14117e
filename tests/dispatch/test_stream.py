"""Streamed calls: pieces as they come, the bill at the end, and what is kept when it breaks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import anyio
import httpx
import pytest

from dispatch.conftest import Driver, Time, call, channel_to
from dispatch.scripted import (
    CUT,
    DONE,
    HANG,
    Reply,
    Server,
    chunk,
    completion,
    event,
    refusal,
    stream,
    usage,
)
from tokenfare.dispatch import (
    AsyncStream,
    Attempt,
    Channel,
    Runtime,
    Stream,
    Timeouts,
    chat_stream,
)
from tokenfare.errors import (
    BadRequestError,
    ContentFilteredError,
    InvalidRequestError,
    ProviderAnswerInvalid,
    ProviderFaultError,
    ProviderUnreachable,
    RateLimitError,
    StreamBroken,
)
from tokenfare.usage import Usage


def texts(run: Driver) -> list[str]:
    return [delta.text for delta in run.emitted]


def test_pieces_come_one_by_one_and_the_bill_last(
    run: Driver, server: Server, channel: Channel
) -> None:
    server.says(stream(chunk(""), chunk("Hel"), chunk("lo"), billed=(9, 2)))
    got = run(chat_stream(call(), channel))
    assert texts(run) == ["Hel", "lo", ""]  # the last one says that it stopped
    assert (got.text, got.usage, got.finish_reason) == ("Hello", Usage(9, 2), "stop")
    assert (got.model, got.request_id) == ("qwen-plus", "chatcmpl-1")
    sent = server.asked[0].json
    assert sent["stream"] is True
    assert sent["stream_options"] == {"include_usage": True}


def test_other_stream_options_stay(run: Driver, server: Server, channel: Channel) -> None:
    server.says(stream(chunk("x"), billed=(1, 1)))
    options = {"include_usage": False, "own": 1}
    run(chat_stream(call(parameters={"stream_options": options}), channel))
    assert server.asked[0].json["stream_options"] == {"include_usage": True, "own": 1}


def test_bytes_cut_anywhere_give_the_same_answer(
    run: Driver, server: Server, channel: Channel
) -> None:
    whole = b"".join((chunk("你好"), chunk(", 世界"), chunk(finish="stop")))
    whole += event({"choices": [], "usage": usage(9, 4)}) + DONE
    pieces = [whole[i : i + 1] for i in range(len(whole))]
    server.says(stream(*pieces))
    assert run(chat_stream(call(), channel)).text == "你好, 世界"


def test_reasoning_and_tool_calls_are_put_together(
    run: Driver, server: Server, channel: Channel
) -> None:
    def delta(**fields: object) -> bytes:
        return event({"choices": [{"index": 0, "delta": fields, "finish_reason": None}]})

    begun = {"index": 0, "id": "c1", "type": "function", "function": {"name": "f", "arguments": ""}}
    server.says(
        stream(
            delta(reasoning_content="Let me "),
            delta(reasoning_content="see."),
            delta(tool_calls=[begun]),
            delta(tool_calls=[{"index": 0, "function": {"arguments": '{"a":'}}]),
            delta(tool_calls=[{"index": 0, "id": "", "function": {"arguments": "1}"}}]),
            billed=(30, 12),
        )
    )
    got = run(chat_stream(call(), channel))
    assert "".join(delta.reasoning for delta in run.emitted) == "Let me see."
    message = got.raw["choices"][0]["message"]
    assert message["reasoning_content"] == "Let me see."
    assert message["tool_calls"] == [
        {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}}
    ]


def test_a_piece_of_a_kind_that_is_not_put_together_is_handed_over_all_the_same(
    run: Driver, server: Server, channel: Channel
) -> None:
    def delta(**fields: object) -> bytes:
        return event({"choices": [{"index": 0, "delta": fields, "finish_reason": None}]})

    server.says(
        stream(
            delta(role="assistant", content="", refusal=None),
            delta(content=None, audio={"data": "UklG"}),
            delta(content="", refusal="I will not."),
            chunk("."),
            billed=(9, 3),
        )
    )
    got = run(chat_stream(call(), channel))
    seen = [delta.raw["choices"][0]["delta"] for delta in run.emitted]
    assert [one.get("audio") for one in seen] == [{"data": "UklG"}, None, None, None]
    assert [one.get("refusal") for one in seen] == [None, "I will not.", None, None]
    assert (texts(run), got.text) == (["", "", ".", ""], ".")


def test_a_failure_before_the_first_piece_is_tried_again(
    run: Driver, server: Server, channel: Channel, time: Time
) -> None:
    """A refusal, a cut before anything came, an error inside the stream; then the answer."""
    server.says(
        refusal(429, "limit_burst_rate"),
        stream(chunk(""), CUT),
        stream(event({"error": {"code": "internal_error", "message": "oh"}})),
        stream(chunk("Hello"), billed=(9, 2)),
    )
    got = run(chat_stream(call(), channel))
    assert [attempt.outcome for attempt in got.attempts] == [
        "throttled",
        "broken",
        "fault",
        "answered",
    ]
    assert "".join(texts(run)) == got.text == "Hello"
    assert time.slept == [4, 1, 2]


@pytest.mark.parametrize("end", [(CUT,), ()], ids=["reset", "ended early"])
def test_a_broken_stream_keeps_what_arrived_and_is_not_begun_anew(
    run: Driver, server: Server, channel: Channel, time: Time, end: tuple[bytes, ...]
) -> None:
    server.says(stream(chunk("Hel"), chunk("lo"), *end))
    with pytest.raises(StreamBroken, match="5 characters of the answer had arrived") as failure:
        run(chat_stream(call(), channel))
    assert failure.value.text == "".join(texts(run)) == "Hello"
    assert failure.value.attempts == (Attempt("qwen-plus", 200, "broken", 0.0, "broken"),)
    assert time.slept == []


def test_the_filter_may_stop_an_answer_in_the_middle(
    run: Driver, server: Server, channel: Channel
) -> None:
    error = {"code": "data_inspection_failed", "message": "Output data may contain …"}
    server.says(stream(chunk("Once"), event({"error": error, "request_id": "r-9"})))
    with pytest.raises(ContentFilteredError) as failure:
        run(chat_stream(call(), channel))
    assert (failure.value.text, failure.value.status) == ("Once", 200)
    assert (failure.value.request_id, failure.value.code) == ("r-9", "data_inspection_failed")


def test_throttling_after_the_first_piece_is_raised_and_not_repeated(
    run: Driver, server: Server, channel: Channel
) -> None:
    error = {"code": "limit_requests", "message": "slow"}
    server.says(stream(chunk("Once"), event({"error": error})), completion("never asked"))
    with pytest.raises(RateLimitError) as failure:
        run(chat_stream(call(), channel))
    assert (failure.value.text, failure.value.transient) == ("Once", False)
    assert len(server.asked) == 1


def test_the_native_shape_of_an_error_in_a_stream_is_read_too(
    run: Driver, server: Server, channel: Channel
) -> None:
    """The status stands in a comment: HTTP said 200 before."""
    body = b'{"code":"InvalidParameter","message":"bad","request_id":"r"}'
    server.says(stream(b"id:1\nevent:error\n:HTTP_STATUS/400\ndata:" + body + b"\n\n"))
    with pytest.raises(BadRequestError) as failure:
        run(chat_stream(call(), channel))
    assert failure.value.status == 400


@pytest.mark.parametrize(
    ("pieces", "says"),
    [
        ((b"data: {not json\n\n",), "other than a JSON object: {not json"),
        ((b"data: 17\n\n",), "other than a JSON object: 17"),
        ((chunk("x", finish="stop"), DONE), "lacks usage"),
        ((b"event: error\ndata: out of luck\n\n",), "out of luck"),
    ],
)
def test_rubbish_in_a_stream_is_an_error(
    run: Driver, server: Server, channel: Channel, pieces: tuple[bytes, ...], says: str
) -> None:
    server.says(stream(*pieces))
    with pytest.raises(ProviderAnswerInvalid, match=says):
        run(chat_stream(call(), channel))
    assert len(server.asked) == 1


def test_a_bill_without_an_answer_is_no_answer(
    run: Driver, server: Server, channel: Channel
) -> None:
    server.says(stream(event({"choices": [], "usage": usage(9, 2)}), DONE))
    with pytest.raises(ProviderAnswerInvalid, match="lacks choices"):
        run(chat_stream(call(), channel))


def test_a_stream_without_the_word_done_is_complete_with_its_bill(
    run: Driver, server: Server, channel: Channel
) -> None:
    end = chunk(finish="stop"), event({"choices": [], "usage": usage(9, 2)})
    server.says(stream(b": keep-alive\n\n", chunk("Hello"), *end))
    assert run(chat_stream(call(), channel)).usage == Usage(9, 2)


def test_an_endpoint_that_does_not_stream_still_answers(
    run: Driver, server: Server, channel: Channel
) -> None:
    server.says(completion("Hello", (9, 2)))
    assert run(chat_stream(call(), channel)).usage == Usage(9, 2)
    assert texts(run) == ["Hello"]


def test_several_answers_in_one_stream_are_refused(server: Server, channel: Channel) -> None:
    with pytest.raises(InvalidRequestError, match="one answer"):
        chat_stream(call(parameters={"n": 2}), channel)


def test_silence_in_a_stream_ends_in_time(run: Driver, server: Server, time: Time) -> None:
    channel = channel_to(server.url, time, Timeouts(first_token=30, between_tokens=0.05))
    server.says(stream(chunk("Hel"), HANG))
    with pytest.raises(StreamBroken, match="fell silent") as failure:
        run(chat_stream(call(), channel))
    assert failure.value.text == "Hel"


def test_the_whole_call_has_a_limit_too(run: Driver, server: Server, time: Time) -> None:
    """Every piece comes in time and the whole does not: each takes 4 of 10 seconds."""
    channel = channel_to(server.url, time, Timeouts(total=10))
    channel = replace(channel, runtime=Runtime(clock=ticking(time, 4)))
    server.says(stream(*[chunk(letter) for letter in "abcdef"], billed=(1, 6)))
    with pytest.raises((StreamBroken, ProviderUnreachable), match="within 10 s") as failure:
        run(chat_stream(call(), channel))
    assert failure.value.text == "".join(texts(run))
    assert len(server.asked) == 1


def ticking(time: Time, seconds: float) -> Callable[[], float]:
    """A clock that moves on whenever it is looked at."""

    def clock() -> float:
        time.now += seconds
        return time.now

    return clock


def test_leaving_a_stream_early_closes_the_connection(server: Server, channel: Channel) -> None:
    server.says(stream(chunk("Hel"), HANG))
    with httpx.Client() as session, Stream(chat_stream(call(), channel), session) as pieces:
        assert next(pieces).text == "Hel"
        with pytest.raises(RuntimeError, match="read to its end"):
            _ = pieces.result
        pieces.close()
        assert server.gone.wait(10)
        assert list(pieces) == []


def test_forgetting_a_stream_closes_the_connection(server: Server, channel: Channel) -> None:
    server.says(stream(chunk("Hel"), HANG))
    with httpx.Client() as session:
        for piece in Stream(chat_stream(call(), channel), session):
            assert piece.text == "Hel"
            break
        assert server.gone.wait(10)


def test_cancelling_a_stream_closes_the_connection(server: Server, channel: Channel) -> None:
    server.says(stream(chunk("Hel"), HANG))

    async def story() -> None:
        async with httpx.AsyncClient() as session:
            with anyio.CancelScope() as scope:
                async with AsyncStream(chat_stream(call(), channel), session) as pieces:
                    async for _ in pieces:  # once: it is cancelled while it waits for another
                        scope.deadline = anyio.current_time() + 0.05
            assert scope.cancelled_caught
            assert await anyio.to_thread.run_sync(server.gone.wait, 10)

    anyio.run(story)


def test_a_refusal_of_a_streamed_call_is_read_whole(
    run: Driver, server: Server, channel: Channel
) -> None:
    server.says(*[Reply(500, b"<html>oh no")] * 5)
    with pytest.raises(ProviderFaultError, match="oh no"):
        run(chat_stream(call(), channel))
    assert run.emitted == []

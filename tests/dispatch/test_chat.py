"""Plain calls: what is sent, what comes back, what is tried again, and what never is."""

from __future__ import annotations

import time as real_time
from email.utils import formatdate

import anyio
import httpx
import pytest

from dispatch.conftest import KEY, Driver, Time, call, channel_to
from dispatch.scripted import CUT, HANG, Reply, Server, answer, closed_port, completion, refusal
from tokenfare.dispatch import Attempt, Channel, Timeouts, adrive, chat, drive
from tokenfare.errors import (
    AuthenticationError,
    BadRequestError,
    InvalidRequestError,
    ProviderAnswerInvalid,
    ProviderError,
    ProviderFaultError,
    ProviderUnreachable,
    QuotaExhaustedError,
    RateLimitError,
)
from tokenfare.usage import Usage


def test_an_answer_has_its_text_and_what_is_billed(
    run: Driver, server: Server, channel: Channel
) -> None:
    server.says(completion("Hello", (9, 2)))
    got = run(chat(call("Good morning"), channel))
    assert (got.text, got.usage) == ("Hello", Usage(9, 2))
    assert (got.model, got.finish_reason, got.request_id) == ("qwen-plus", "stop", "chatcmpl-1")
    assert got.attempts == (Attempt("qwen-plus", 200, None, 0.0, "answered"),)
    (asked,) = server.asked
    assert (asked.method, asked.path) == ("POST", "/v1/chat/completions")
    assert asked.headers["authorization"] == f"Bearer {KEY}"
    assert asked.json == {
        "model": "qwen-plus",
        "messages": [{"role": "user", "content": "Good morning"}],
    }


def test_extra_parameters_pass_through_untouched(
    run: Driver, server: Server, channel: Channel
) -> None:
    server.says(completion("{}"))
    extra = {"seed": 7, "enable_search": True, "response_format": {"type": "json_object"}}
    run(chat(call(parameters=extra, max_output_tokens=300), channel))
    sent = server.asked[0].json
    assert {name: sent[name] for name in extra} == extra
    assert sent["max_tokens"] == 300


def test_parts_of_messages_are_sent_as_they_were_given(
    run: Driver, server: Server, channel: Channel
) -> None:
    server.says(completion("a cat"))
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    messages = [{"role": "user", "content": [picture, {"type": "text", "text": "什么?"}]}]
    run(chat(call(messages), channel))
    assert server.asked[0].json["messages"] == messages
    assert "什么".encode() in server.asked[0].body


def test_cached_and_reasoning_tokens_are_parts_of_the_bill(
    run: Driver, server: Server, channel: Channel
) -> None:
    bill = {
        "prompt_tokens": 3019,
        "completion_tokens": 104,
        "total_tokens": 3123,
        "prompt_tokens_details": {"cached_tokens": 2048},
        "completion_tokens_details": {"reasoning_tokens": 64},
    }
    server.says(completion("x", usage=bill))
    assert run(chat(call(), channel)).usage == Usage(3019, 104, cached=2048, reasoning=64)


def test_an_answer_with_tool_calls_has_no_text(
    run: Driver, server: Server, channel: Channel
) -> None:
    calls = [{"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}]
    message = {"role": "assistant", "content": None, "tool_calls": calls}
    choice = {"index": 0, "message": message, "finish_reason": "tool_calls"}
    server.says(completion("", choices=[choice]))
    got = run(chat(call(), channel))
    assert (got.text, got.finish_reason) == ("", "tool_calls")
    assert got.raw["choices"][0]["message"]["tool_calls"] == calls


def test_it_fails_twice_and_then_answers(
    run: Driver, server: Server, channel: Channel, time: Time
) -> None:
    """Three requests, the same each time; two waits; one bill."""
    server.says(refusal(503, "ModelUnavailable"), Reply(body=CUT), completion("Hello", (9, 2)))
    got = run(chat(call(), channel))
    assert got.usage == Usage(9, 2)
    assert time.slept == [0.5, 1.0]
    assert got.attempts == (
        Attempt("qwen-plus", 503, "ModelUnavailable", 0.0, "fault"),
        Attempt("qwen-plus", None, "broken", 0.5, "broken"),
        Attempt("qwen-plus", 200, None, 1.0, "answered"),
    )
    assert len({asked.body for asked in server.asked}) == 1
    assert len(server.asked) == 3


def test_throttling_is_waited_out_for_a_minute(
    run: Driver, server: Server, channel: Channel, time: Time
) -> None:
    """`insufficient_quota` recovers within a minute: 4 + 8 + 16 + 30 seconds, then it is over."""
    server.says(*[refusal(429, "insufficient_quota")] * 5)
    with pytest.raises(RateLimitError, match=r"\(5 attempts in 58\.0 s, 58\.0 s of") as failure:
        run(chat(call(), channel))
    assert time.slept == [4, 8, 16, 30]
    assert [attempt.outcome for attempt in failure.value.attempts] == ["throttled"] * 5
    assert len(server.asked) == 5


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"retry_after": "7"}, 7),
        ({"retry_after": "1.5"}, 1.5),
        ({"retry_after_ms": "250"}, 0.25),
        ({"retry_after": "3600"}, 120),
        ({"retry_after": formatdate(1030, usegmt=True), "date": formatdate(1000)}, 30),
        ({"retry_after": formatdate(20, usegmt=True)}, 20),  # no Date: the time of day, which is 0
        ({"retry_after": formatdate(900), "date": formatdate(1000)}, 0),
        ({"retry_after": "soon"}, 4),
        ({"retry_after": "-3"}, 4),
        ({"retry_after": "nan"}, 4),
    ],
)
def test_retry_after_is_honoured_and_capped(
    run: Driver, server: Server, channel: Channel, time: Time, headers: dict[str, str], wait: float
) -> None:
    server.says(refusal(429, "limit_requests", **headers), completion("Hello"))
    assert run(chat(call(), channel)).attempts[1].waited_seconds == wait
    assert time.slept == [wait]


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (refusal(401, "invalid_api_key"), AuthenticationError),
        (refusal(400, "Arrearage"), QuotaExhaustedError),
        (refusal(429, "x", "Free allocated quota exceeded."), QuotaExhaustedError),
        (refusal(400, "invalid_parameter_error"), BadRequestError),
        (answer({"choices": []}), ProviderAnswerInvalid),
    ],
)
def test_what_waiting_cannot_mend_is_not_tried_again(
    run: Driver,
    server: Server,
    channel: Channel,
    time: Time,
    reply: Reply,
    error: type[ProviderError],
) -> None:
    server.says(reply)
    with pytest.raises(error) as failure:
        run(chat(call(), channel))
    assert time.slept == []
    assert len(failure.value.attempts) == len(server.asked) == 1


def test_no_wait_goes_beyond_the_time_of_the_whole_call(
    run: Driver, server: Server, time: Time
) -> None:
    """0.5 + 1 + 2 = 3.5 s; another 4 would pass the 5 that there are."""
    channel = channel_to(server.url, time, Timeouts(total=5))
    server.says(*[refusal(500, "internal_error")] * 5)
    with pytest.raises(ProviderFaultError):
        run(chat(call(), channel))
    assert time.slept == [0.5, 1, 2]


def test_an_endpoint_that_is_not_there_is_named(run: Driver, time: Time) -> None:
    url = f"http://127.0.0.1:{closed_port()}/v1"
    with pytest.raises(ProviderUnreachable, match=f"nothing answers at {url}.*running") as failure:
        run(chat(call(), channel_to(url, time)))
    assert {attempt.outcome for attempt in failure.value.attempts} == {"unreachable"}
    assert failure.value.status is None


def test_an_unknown_host_is_said_to_be_one(run: Driver, time: Time) -> None:
    with pytest.raises(ProviderUnreachable, match=r"host of .* is not known"):
        run(chat(call(), channel_to("http://no-such-host.invalid/v1", time)), trust_env=False)


def test_an_endpoint_without_tls_is_told_apart(run: Driver, server: Server, time: Time) -> None:
    channel = channel_to(server.url.replace("http:", "https:"), time)
    with pytest.raises(ProviderUnreachable, match="no secure connection") as failure:
        run(chat(call(), channel), trust_env=False)
    assert len(failure.value.attempts) == 1


@pytest.mark.parametrize(
    ("reply", "says"),
    [
        (Reply(200, b"<html><title>Welcome</title>"), "no chat completion: <html><title>Welcome"),
        (Reply(200, b""), "and no text"),
        (Reply(200, b"\xff\xfe\x00"), "no chat completion"),
        (Reply(200, b"[" * 100_000), "no chat completion"),
        (answer([1, 2]), r"no chat completion: \[1, 2\]"),
        (answer({"choices": [{"message": {"content": "x"}}]}), "lacks usage"),
        (answer({"choices": [], "usage": {}}), "lacks choices"),
        (completion("x", usage={"prompt_tokens": -1, "completion_tokens": 1}), "usage.prompt"),
        (completion("x", usage={"prompt_tokens": 1, "completion_tokens": True}), "usage.compl"),
        (completion("x", usage={"prompt_tokens": 2**63, "completion_tokens": 1}), "usage.prompt"),
        (completion("x", choices=[{"message": {"content": 5}}]), "content as a text"),
        (Reply(302, b"", {"location": "http://elsewhere/v1"}), "redirects to http://elsewhere/v1"),
        (Reply(404, b"<h1>Not Found</h1>"), "base URL of a compatible endpoint"),
        (answer({"detail": "Not Found"}, 404), "base URL of a compatible endpoint"),
        (Reply(200, b"not gzip", {"content-encoding": "gzip"}), "encoding other than it says"),
    ],
)
def test_rubbish_is_shown_with_its_address_and_not_tried_again(
    run: Driver, server: Server, channel: Channel, reply: Reply, says: str
) -> None:
    server.says(reply)
    with pytest.raises((ProviderAnswerInvalid, ProviderUnreachable), match=says) as failure:
        run(chat(call(), channel))
    assert server.url in str(failure.value)
    assert len(server.asked) == 1


def test_an_id_that_no_database_takes_costs_no_answer(
    run: Driver, server: Server, channel: Channel
) -> None:
    server.says(completion("Hello", id="half \ud83d"))
    got = run(chat(call(), channel))
    assert (got.text, got.request_id) == ("Hello", "half ?")


def test_words_without_a_bill_are_kept(run: Driver, server: Server, channel: Channel) -> None:
    server.says(answer({"choices": [{"message": {"content": "paid for"}}]}))
    with pytest.raises(ProviderAnswerInvalid) as failure:
        run(chat(call(), channel))
    assert failure.value.text == "paid for"


def test_an_endless_answer_is_not_read_to_its_end(run: Driver, server: Server, time: Time) -> None:
    server.says(Reply(200, b"x" * 5000))
    with pytest.raises(ProviderAnswerInvalid, match="more than 1,000 bytes"):
        run(chat(call(), channel_to(server.url, time, max_answer_bytes=1000)))


def test_an_html_page_of_a_gateway_is_a_fault(
    run: Driver, server: Server, channel: Channel
) -> None:
    server.says(Reply(502, b"<html>Bad gateway"), completion("Hello"))
    assert run(chat(call(), channel)).attempts[0].outcome == "fault"


def test_an_error_inside_a_200_is_an_error(run: Driver, server: Server, channel: Channel) -> None:
    server.says(answer({"code": "Throttling", "message": "slow down"}), completion("Hello"))
    assert run(chat(call(), channel)).attempts[0].outcome == "throttled"


def test_silence_before_the_first_token_ends_in_time(
    run: Driver, server: Server, time: Time
) -> None:
    channel = channel_to(server.url, time, Timeouts(first_token=1.0))
    server.says(Reply(body=HANG), completion("Hello"))
    got = run(chat(call(), channel))
    assert got.attempts[0] == Attempt("qwen-plus", None, "timeout", 0.0, "broken")


def test_silence_between_tokens_has_its_own_limit(run: Driver, server: Server, time: Time) -> None:
    channel = channel_to(server.url, time, Timeouts(first_token=30, between_tokens=1.0))
    server.says(Reply(pieces=(b'{"choices"', HANG)), completion("Hello"))
    began = real_time.monotonic()
    assert run(chat(call(), channel)).text == "Hello"
    assert real_time.monotonic() - began < 10


def test_a_request_larger_than_the_endpoint_takes_is_not_sent(
    run: Driver, server: Server, time: Time
) -> None:
    with pytest.raises(InvalidRequestError, match=r"too many.*documents"):
        run(chat(call("x" * 2000), channel_to(server.url, time, max_body_bytes=1000)))
    assert server.asked == []


@pytest.mark.parametrize(
    ("made", "says"),
    [
        (lambda: call("half \ud83d"), "surrogate"),
        (lambda: call(parameters={"seed": object()}), "cannot be written as JSON"),
        (lambda: call(parameters={"top_p": float("nan")}), "cannot be written as JSON"),
        (lambda: call(parameters={"model": "other"}), r"set by the call itself; allow=\[…\]"),
        (lambda: call(parameters={"stream": True}), r"set by the call itself; client\.stream"),
        (lambda: call(parameters={"max_tokens": 5}, max_output_tokens=6), "one of them"),
        (lambda: call(max_output_tokens=0), "at least 1"),
    ],
)
def test_what_cannot_be_sent_is_refused_before_sending(
    run: Driver, server: Server, channel: Channel, made: object, says: str
) -> None:
    with pytest.raises(InvalidRequestError, match=says):
        run(chat(made(), channel))  # type: ignore[operator]
    assert server.asked == []


def test_cancelling_closes_the_connection(server: Server, time: Time) -> None:
    """The server sees the client go while its answer is still to come."""
    server.says(Reply(body=HANG))

    async def story() -> None:
        async with httpx.AsyncClient() as session, anyio.create_task_group() as group:

            async def ask() -> None:
                await adrive(chat(call(), channel_to(server.url, time)), session)

            group.start_soon(ask)
            await anyio.to_thread.run_sync(server.hanging.wait, 10)
            group.cancel_scope.cancel()
        assert await anyio.to_thread.run_sync(server.gone.wait, 10)

    anyio.run(story)
    assert len(server.asked) == 1


def test_connections_are_used_again(server: Server, channel: Channel) -> None:
    server.says(completion("one"), completion("two"))
    with httpx.Client() as session:
        assert drive(chat(call(), channel), session).text == "one"
        assert drive(chat(call(), channel), session).text == "two"
    assert server.connections == 1


def test_only_clients_of_the_two_libraries_are_taken(channel: Channel) -> None:
    class Own(httpx.Client):
        pass

    refusing = httpx.MockTransport(lambda _: httpx.Response(401))
    with Own(transport=refusing) as session, pytest.raises(AuthenticationError):
        drive(chat(call(), channel), session)
    with pytest.raises(TypeError, match="httpx or httpx2"):
        drive(chat(call(), channel), object())  # type: ignore[arg-type]

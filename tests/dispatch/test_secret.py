"""The key is in the header that is sent, and nowhere else that anyone can look."""

from __future__ import annotations

import copy
import dataclasses
import json
import logging
import pickle
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any

import pytest

from dispatch.conftest import KEY, LONG, Driver, Time, call, channel_to
from dispatch.scripted import CUT, Reply, Server, answer, chunk, closed_port, event, refusal, stream
from tokenfare.catalog.model import Provider
from tokenfare.dispatch import (
    Attachment,
    Channel,
    Endpoint,
    Secret,
    Timeouts,
    chat,
    chat_stream,
    endpoint_for,
    key_from,
    upload,
)
from tokenfare.errors import InvalidRequestError, MissingKey, ProviderError

PROVIDER = Provider(
    id="dashscope",
    name="DashScope",
    base_urls={"cn-beijing": "https://beijing/v1", "ap-southeast-1": "https://singapore/v1"},
    default_region="cn-beijing",
    key_variable="DASHSCOPE_API_KEY",
    max_body_bytes=1_000,
)


def test_a_key_is_not_shown() -> None:
    key = Secret(KEY)
    shown = [str(key), repr(key), f"{key}", f"{key!r:>30}", f"{key:>30}", "%s %r" % (key, key)]  # noqa: UP031
    shown += [
        repr(Endpoint("https://e/v1", key)),
        str(dataclasses.asdict(Endpoint("https://e", key))),
    ]
    shown += [repr([key]), repr({key})]
    assert not any(KEY in text for text in shown)
    assert key.reveal() == KEY


@pytest.mark.parametrize("key", [5, b"sk-secret-bytes", ["sk-secret"], Path("sk-secret")])
def test_a_key_that_is_no_text_is_refused_unshown(key: Any) -> None:
    with pytest.raises(InvalidRequestError, match="a key is a text, not") as refused:
        Secret(key)
    assert "secret" not in str(refused.value)


def test_a_key_is_not_written_anywhere() -> None:
    with pytest.raises(TypeError, match="pickle"):
        pickle.dumps(Secret(KEY))
    with pytest.raises(TypeError):
        json.dumps({"key": Secret(KEY)})


def test_keys_are_values() -> None:
    key = Secret(KEY)
    assert (key, hash(key)) == (Secret(f" {KEY}\n"), hash(Secret(KEY)))
    assert key != Secret("another")
    assert key != KEY
    assert copy.copy(key) is copy.deepcopy(key) is key


@pytest.mark.parametrize("key", ["", "  ", "sk-1\r\nX-Evil: 1", "sk 1", "sk-é", "sk-\x00"])
def test_what_no_header_can_carry_is_no_key(key: str) -> None:
    with pytest.raises(InvalidRequestError) as failure:
        Secret(key)
    assert not key.strip() or key not in str(failure.value)


def test_a_short_key_does_not_eat_the_words_around_it() -> None:
    assert Secret("x").redact("extra") == "extra"
    assert Secret("sk-abc").redact("key sk-abc is wrong") == "key *** is wrong"


def test_the_key_comes_from_the_environment_that_is_given() -> None:
    assert key_from({"DASHSCOPE_API_KEY": KEY}, PROVIDER) == Secret(KEY)


@pytest.mark.parametrize(
    ("environment", "says"),
    [
        ({}, "DASHSCOPE_API_KEY is not set"),
        ({"DASHSCOPE_API_KEY": " "}, "DASHSCOPE_API_KEY is empty"),
        ({"DASHSCOPE_API_KEY": "schlüssel"}, "DASHSCOPE_API_KEY: the key holds"),
    ],
)
def test_a_missing_key_is_said_by_the_name_of_its_variable(
    environment: dict[str, str], says: str
) -> None:
    with pytest.raises(MissingKey, match=says):
        key_from(environment, PROVIDER)


def test_an_endpoint_is_the_default_region_or_the_one_named() -> None:
    key = Secret(KEY)
    assert endpoint_for(PROVIDER, key).base_url == "https://beijing/v1"
    assert endpoint_for(PROVIDER, key, region="ap-southeast-1").base_url == "https://singapore/v1"
    own = endpoint_for(PROVIDER, key, base_url="http://localhost:8000/v1/")
    assert own.url("files") == "http://localhost:8000/v1/files"
    with pytest.raises(InvalidRequestError, match="no region 'mars'; known: ap-southeast-1, cn-"):
        endpoint_for(PROVIDER, key, region="mars")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "dashscope",
        "ftp://e/v1",
        "https://",
        "https://me:pass@e/v1",
        "https://e/v1?key=pass",
        "https://e:port/v1",
        "https://e:99999/v1",
        "https://e/a b",
        "https://e/\x00",
        "https://[e/",
    ],
)
def test_a_base_url_that_is_none_is_refused_without_quoting_it(url: str) -> None:
    with pytest.raises(InvalidRequestError, match="base URL") as failure:
        Endpoint(url, Secret(KEY))
    assert "pass" not in str(failure.value)


@pytest.mark.parametrize("seconds", [0, -1, float("nan")])
def test_timeouts_are_above_zero(seconds: float) -> None:
    with pytest.raises(InvalidRequestError, match="connect"):
        Timeouts(connect=seconds)


QUOTING = refusal(401, "invalid_api_key", f"Incorrect API key provided: {KEY}", x_request_id=KEY)
FAILURES: dict[str, tuple[Reply, ...]] = {
    "a refusal that quotes the key": (QUOTING,),
    "a code that is the key": (refusal(400, KEY),),
    "an escaped key": (Reply(400, f'{{"error":"\\u0073{KEY[1:]}"}}'.encode()),),
    "a page that quotes the key": (Reply(403, f"<html>{KEY}".encode()),),
    "an answer that is no answer": (answer({"choices": [], "key": KEY}),),
    "no JSON": (Reply(200, f"{{{KEY}".encode()),),
    "a redirect with the key": (Reply(302, b"", {"location": f"http://x/?key={KEY}"}),),
    "a broken connection": (Reply(body=CUT),) * 5,
    "a bad encoding": (Reply(200, b"x", {"content-encoding": "gzip"}),),
    "an error in a stream": (stream(event({"error": {"message": KEY, "code": "x" + KEY}})),) * 5,
    "rubbish in a stream": (stream(f"data: {KEY}\n\n".encode()),),
    "a stream that breaks": (stream(chunk("x"), CUT),),
}


@pytest.mark.parametrize("ask", [chat, chat_stream])
@pytest.mark.parametrize("name", FAILURES)
def test_no_failure_shows_the_key(
    run: Driver,
    server: Server,
    channel: Channel,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
    name: str,
    ask: Any,
) -> None:
    caplog.set_level(logging.DEBUG)
    server.says(*FAILURES[name])
    with pytest.raises(Exception, match=r".") as failure:
        run(ask(call(), channel))
    assert_nowhere(failure.value, caplog)
    assert KEY not in "".join(capsys.readouterr())


@pytest.mark.parametrize("before", [105, 110, 285, 290])
def test_no_part_of_the_key_is_left_where_a_quotation_is_cut(
    run: Driver, server: Server, channel: Channel, before: int
) -> None:
    said = "x" * before + KEY + "y" * 300
    server.says(refusal(400, said, said))
    with pytest.raises(ProviderError) as failure:
        run(chat(call(), channel))
    assert KEY[:4] not in f"{failure.value} {failure.value.code}"


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_no_unreachable_endpoint_shows_the_key(
    run: Driver, time: Time, caplog: pytest.LogCaptureFixture, scheme: str
) -> None:
    caplog.set_level(logging.DEBUG)
    with pytest.raises(Exception, match=r".") as failure:
        run(chat(call(), channel_to(f"{scheme}://127.0.0.1:{closed_port()}/v1", time)))
    assert_nowhere(failure.value, caplog)


def test_no_failed_upload_shows_the_key(
    run: Driver, server: Server, channel: Channel, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server.says(answer({"id": "f1", "status": KEY}), *[QUOTING] * 2)
    with pytest.raises(Exception, match=r".") as failure:
        run(upload([Attachment("a", b"x")], LONG, channel))
    assert_nowhere(failure.value, caplog)


def test_no_file_object_that_is_none_shows_the_key(
    run: Driver, server: Server, channel: Channel, caplog: pytest.LogCaptureFixture
) -> None:
    server.says(answer({"status": KEY}))
    with pytest.raises(Exception, match=r".") as failure:
        run(upload([Attachment("a", b"x")], LONG, channel))
    assert_nowhere(failure.value, caplog)


def test_no_file_that_changes_shows_the_key(
    run: Driver, server: Server, channel: Channel, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"x")
    flow = upload([Attachment("a", path)], LONG, channel)

    def meddled() -> Any:
        told = yield flow.send(None)
        path.write_bytes(b"xy")
        effect = flow.send(told)
        while True:
            try:
                told = yield effect
            except BaseException as error:  # noqa: BLE001
                effect = flow.throw(error)
            else:
                effect = flow.send(told)

    with pytest.raises(Exception, match="changed") as failure:
        run(meddled())
    assert_nowhere(failure.value, caplog)


def test_logs_hold_no_prompt(
    run: Driver, server: Server, channel: Channel, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server.says(refusal(503, "x", "you said XYZZY"), refusal(400, "x", "XYZZY again"))
    with pytest.raises(Exception, match="XYZZY again"):
        run(chat(call("XYZZY"), channel))
    ours = [r.getMessage() for r in caplog.records if r.name.startswith("tokenfare")]
    assert len(ours) == 3
    assert not any("XYZZY" in text for text in ours)


def assert_nowhere(error: BaseException, caplog: pytest.LogCaptureFixture) -> None:
    """Search an exception, its chain, their attributes, the frames and the log for the key."""
    for one in chain(error):
        assert type(one).__module__.partition(".")[0] not in {"httpx", "httpx2", "httpcore"}
        assert not list(places(one, "error"))
        for frame, _ in traceback.walk_tb(one.__traceback__):
            if belongs(frame):
                assert not list(places(dict(frame.f_locals), frame.f_code.co_qualname))
    assert KEY not in "".join(traceback.format_exception(error))
    with_locals = traceback.TracebackException.from_exception(error, capture_locals=True)
    ours = [s for s in with_locals.stack if "/tokenfare/" in s.filename]
    assert not any(KEY in str(s.locals) for s in ours)
    for record in caplog.records:
        if "receive_response_headers" in record.getMessage():
            continue  # httpcore's own note of what the server said, at its DEBUG level
        assert KEY not in record.getMessage()
        assert KEY not in str(record.__dict__)


def chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def belongs(frame: FrameType) -> bool:
    """Frames of what this project calls. Those of pytest and of the tests know the key, rightly."""
    name = frame.f_globals.get("__name__", "")
    return str(name).partition(".")[0] in {"tokenfare", "httpx", "httpx2", "httpcore", "anyio"}


def places(value: Any, path: str, seen: set[int] | None = None, depth: int = 7) -> Iterator[str]:
    """Where the key stands in clear, looking into containers and attributes.

    What the server said stays as it said it in the locals of the frame that reads it (bytes), and
    a `Secret` holds it by its nature: neither prints it.
    """
    seen = set() if seen is None else seen
    if id(value) in seen or depth == 0 or isinstance(value, Secret | ModuleType | type):
        return
    seen.add(id(value))
    if isinstance(value, str):
        if KEY in value and ".f_" not in path:
            yield path
    elif isinstance(value, dict):
        for name, inner in list(value.items()):
            yield from places(name, f"{path} key", seen, depth - 1)
            yield from places(inner, f"{path}[{name!r}]", seen, depth - 1)
    elif isinstance(value, list | tuple | set | frozenset):
        for number, inner in enumerate(value):
            yield from places(inner, f"{path}[{number}]", seen, depth - 1)
    elif isinstance(value, BaseException):
        yield from places(value.args, f"{path}.args", seen, depth - 1)
        yield from places(vars(value), f"{path}.__dict__", seen, depth - 1)

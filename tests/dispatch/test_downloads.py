"""Downloads: what breaks goes on where it was, joins only what belongs together, and is whole."""

from __future__ import annotations

import gzip
import json
import random
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from dispatch.conftest import Driver, Time, channel_to
from tokenfare.dispatch import Channel, PartialFile, RetryPolicy, download
from tokenfare.errors import ProviderError, ProviderUnreachable

CONTENT = random.Random(7).randbytes(200_000)  # noqa: S311 - a content
SIZE = len(CONTENT)


@dataclass
class Play:
    """How a server answers one request for the file. `cut`: it breaks after so many bytes."""

    content: bytes = CONTENT
    tag: str | None = '"first"'
    ranges: bool = True
    says_length: bool = True
    cut: int | None = None
    status: int | None = None
    part: str | None = None  # what it says the part is, whatever it sends
    shift: int = 0  # it sends another part than was asked for, and says so
    packed: bool = False


@dataclass
class FileServer:
    """A file service of one file, on loopback: each request is answered by the next play."""

    plays: list[Play] = field(default_factory=list)
    then: Play = field(default_factory=Play)
    record: dict[str, Any] | None = None
    asked: list[dict[str, str]] = field(default_factory=list)
    sent: int = 0
    url: str = ""

    def play(self) -> Play:
        return self.plays.pop(0) if self.plays else self.then


class Handler(BaseHTTPRequestHandler):
    owner: FileServer
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        if not self.path.endswith("/content"):
            record = self.owner.record
            self.answer(404 if record is None else 200, {}, json.dumps(record or {}).encode())
            return
        self.owner.asked.append({name.lower(): value for name, value in self.headers.items()})
        play = self.owner.play()
        if play.status is not None:
            self.answer(play.status, {}, b"{}")
            return
        headers = {} if play.tag is None else {"etag": play.tag}
        if play.packed:
            self.answer(200, {**headers, "content-encoding": "gzip"}, gzip.compress(play.content))
            return
        first = self.first(play)
        if first is not None:
            said = play.part or f"bytes {first}-{len(play.content) - 1}/{len(play.content)}"
            headers["content-range"] = said
        self.answer(200 if first is None else 206, headers, play.content[first or 0 :], play)

    def first(self, play: Play) -> int | None:
        asked = self.headers.get("range")
        held = self.headers.get("if-range") in {None, play.tag}
        if asked is None or not play.ranges or not held:
            return None
        return max(int(asked.removeprefix("bytes=").removesuffix("-")) + play.shift, 0)

    def answer(
        self, status: int, headers: dict[str, str], body: bytes, play: Play | None = None
    ) -> None:
        self.send_response_only(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if play is None or play.says_length:
            self.send_header("content-length", str(len(body)))
        else:
            self.send_header("connection", "close")
        self.end_headers()
        sent = body if play is None or play.cut is None else body[: play.cut]
        self.owner.sent += len(sent)  # before the client can have it all
        self.wfile.write(sent)
        self.close_connection = len(sent) < len(body) or not (play is None or play.says_length)


@pytest.fixture
def server() -> Iterator[FileServer]:
    owner = FileServer()
    handler = type("Of", (Handler,), {"owner": owner})
    http = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    http.daemon_threads = True
    owner.url = f"http://127.0.0.1:{http.server_address[1]}/v1"
    thread = threading.Thread(target=http.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield owner
    http.shutdown()
    http.server_close()
    thread.join()


@pytest.fixture
def channel(server: FileServer, time: Time) -> Channel:
    return channel_to(server.url, time)


class Memory:
    """A sink that remembers what it was told."""

    def __init__(self, content: bytes = b"", **known: Any) -> None:
        self.content = bytearray(content)
        self.known = PartialFile(**known)
        self.whole = False
        self.begun: list[int] = []

    def held(self) -> PartialFile:
        return replace(self.known, size=len(self.content))

    def begin(self, held: PartialFile) -> None:
        self.begun.append(held.size)
        self.known = held
        del self.content[held.size :]

    def write(self, piece: bytes) -> None:
        self.content += piece

    def finish(self) -> None:
        self.whole = True


def fetch(run: Driver, channel: Channel, sink: Memory | None = None) -> Memory:
    sink = sink or Memory()
    run(download("file-1", "qwen-plus", channel, sink))
    assert sink.whole
    return sink


def test_what_breaks_goes_on_where_it_was_and_no_byte_comes_twice(
    run: Driver, channel: Channel, server: FileServer, time: Time
) -> None:
    server.plays = [Play(cut=70_000), Play(cut=50_000)]
    sink = fetch(run, channel)
    assert sink.content == CONTENT
    assert sink.begun == [0, 70_000, 120_000]
    assert server.sent == SIZE
    assert [each.get("range") for each in server.asked] == [
        None,
        "bytes=70000-",
        "bytes=120000-",
    ]
    assert [each.get("if-range") for each in server.asked] == [None, '"first"', '"first"']
    assert {each["accept-encoding"] for each in server.asked} == {"identity"}
    assert len(time.slept) == 2


@pytest.mark.parametrize("tag", [None, 'W/"weak"'])
def test_without_a_strong_tag_the_length_has_to_be_the_same(
    run: Driver, channel: Channel, server: FileServer, tag: str | None
) -> None:
    server.plays = [Play(cut=70_000, tag=tag)]
    server.then = Play(tag=tag)
    assert fetch(run, channel).content == CONTENT
    assert server.sent == SIZE
    assert not any("if-range" in each for each in server.asked)


OTHER = CONTENT[::-1] + b"longer"


@pytest.mark.parametrize(
    "second",
    [
        Play(ranges=False),  # the whole file again
        Play(content=OTHER, tag='"second"'),  # another file, which If-Range finds out
        Play(content=OTHER, tag=None, part=f"bytes 70000-{SIZE + 5}/{SIZE + 6}"),
        Play(shift=-9),  # not the part that was asked for
        Play(part="bytes 0-199999/200000"),
        Play(part="bytes"),
        Play(part=f"bytes 70000-{SIZE - 1}/{SIZE + 1}"),  # of another whole
        Play(status=416),
    ],
    ids=lambda play: f"{play.status or play.part or play.tag}{play.shift or ''}",
)
def test_what_does_not_join_is_begun_anew(
    run: Driver, channel: Channel, server: FileServer, second: Play
) -> None:
    server.plays = [Play(cut=70_000), second]
    server.then = replace(second, status=None, part=None, shift=0)
    sink = fetch(run, channel)
    assert sink.content == second.content
    assert sink.begun == [0, 0]


def test_each_break_is_forgiven_that_brought_the_file_further(
    run: Driver, channel: Channel, server: FileServer
) -> None:
    """Forty breaks, of which a call's patience would stand four in a row."""
    server.then = Play(cut=5_000)
    assert fetch(run, channel).content == CONTENT
    assert len(server.asked) == SIZE / 5_000
    assert server.sent == SIZE


def test_breaks_that_bring_nothing_end_it_and_what_came_is_kept(
    run: Driver, channel: Channel, server: FileServer
) -> None:
    server.plays = [Play(cut=70_000)]
    server.then = Play(cut=0)
    sink = Memory()
    with pytest.raises(ProviderUnreachable, match="broke"):
        run(download("file-1", "qwen-plus", channel, sink))
    assert (bytes(sink.content), sink.whole) == (CONTENT[:70_000], False)
    assert len(server.asked) <= 2 * RetryPolicy().attempts
    server.then = Play()
    assert fetch(run, channel, sink).content == CONTENT
    assert server.sent == SIZE


def test_a_server_that_always_breaks_at_one_place_and_has_no_ranges_is_given_up(
    run: Driver, channel: Channel, server: FileServer
) -> None:
    server.then = Play(ranges=False, cut=70_000)
    with pytest.raises(ProviderUnreachable):
        run(download("file-1", "qwen-plus", channel, Memory()))
    assert len(server.asked) <= 2 * RetryPolicy().attempts


def test_the_end_of_a_connection_is_not_the_end_of_a_file(
    run: Driver, channel: Channel, server: FileServer
) -> None:
    """No length is said, so HTTP cannot tell a break from the end; the file's entry can."""
    server.record = {"id": "file-1", "bytes": SIZE}
    server.plays = [Play(says_length=False, cut=70_000)]
    server.then = Play(says_length=False)
    sink = fetch(run, channel)
    assert sink.content == CONTENT
    assert sink.begun == [0, 70_000]


def test_an_entry_that_is_not_there_does_not_spoil_what_came(
    run: Driver, channel: Channel, server: FileServer
) -> None:
    server.then = Play(says_length=False)
    assert fetch(run, channel).content == CONTENT


def test_a_packed_answer_is_unpacked_and_as_long_as_the_file(
    run: Driver, channel: Channel, server: FileServer
) -> None:
    server.record = {"bytes": SIZE}
    server.then = Play(packed=True)
    assert fetch(run, channel).content == CONTENT


def test_a_file_that_stays_shorter_than_its_entry_is_not_whole(
    run: Driver, channel: Channel, server: FileServer
) -> None:
    server.record = {"bytes": SIZE + 1}
    server.then = Play(says_length=False, tag=None)
    sink = Memory()
    with pytest.raises(ProviderUnreachable, match=r"200,000 bytes came of 200,001"):
        run(download("file-1", "qwen-plus", channel, sink))
    assert not sink.whole


def test_a_part_of_an_earlier_process_is_gone_on_with(
    run: Driver, channel: Channel, server: FileServer
) -> None:
    sink = Memory(CONTENT[:150_000], total=SIZE, tag='"first"')
    assert fetch(run, channel, sink).content == CONTENT
    assert server.sent == 50_000
    whole = Memory(CONTENT, total=SIZE, tag='"first"')
    fetch(run, channel, whole)
    assert len(server.asked) == 1, "what is whole needs its name only"


@pytest.mark.parametrize(
    "sink",
    [
        Memory(b"of what, nobody knows"),
        Memory(b"of another file", total=SIZE, tag='"other"'),
        Memory(CONTENT + b"and more", total=SIZE, tag='"first"'),
        Memory(b"of a shorter one", total=77),
    ],
)
def test_a_part_that_may_be_of_another_file_is_not(
    run: Driver, channel: Channel, server: FileServer, sink: Memory
) -> None:
    fresh = Memory(bytes(sink.content), total=sink.known.total, tag=sink.known.tag)
    assert fetch(run, channel, fresh).content == CONTENT


def test_a_refusal_is_the_providers(run: Driver, channel: Channel, server: FileServer) -> None:
    server.then = Play(status=404)
    with pytest.raises(ProviderError) as refused:
        run(download("file-1", "qwen-plus", channel, Memory()))
    assert refused.value.status == 404
    assert len(server.asked) == 1


@pytest.mark.parametrize("seed", range(40))
def test_whatever_a_server_does_the_file_is_whole_or_there_is_an_error(
    server: FileServer, time: Time, seed: int
) -> None:
    chance = random.Random(seed)  # noqa: S311 - a hostile server

    def play() -> Play:
        return Play(
            tag=chance.choice([None, '"first"', 'W/"first"', '"changed"']),
            ranges=chance.random() < 0.7,
            says_length=chance.random() < 0.7,
            cut=chance.choice([None, 0, chance.randrange(SIZE)]),
            status=chance.choice([None] * 6 + [416, 503]),
            shift=chance.choice([0] * 4 + [-1, 1]),
            part=chance.choice([None] * 4 + ["bytes 0-1/2", f"bytes 5-{SIZE}/*", "nonsense"]),
            packed=chance.random() < 0.1,
        )

    server.record = {"bytes": SIZE}
    server.plays = [play() for _ in range(chance.randrange(12))]
    sink = Memory()
    driver = Driver("httpx", sync=True, time=time)
    for _ in range(5):
        try:
            driver(download("file-1", "qwen-plus", channel_to(server.url, time), sink))
        except ProviderError:
            assert not sink.whole
        else:
            break
    assert sink.whole
    assert sink.content == CONTENT

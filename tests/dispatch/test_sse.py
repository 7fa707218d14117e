"""The decoder of server-sent events, held to a plain one that sees the whole stream at once."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tokenfare.dispatch.sse import Decoder, Event

PARTS = [
    b"data: a",
    b"data:",
    b'data: {"k": 1}',
    b"data: \xe4\xbd\xa0\xe5\xa5\xbd",
    b"data",
    b"event: error",
    b"event:x",
    b": comment",
    b":HTTP_STATUS/400",
    b"id: 5",
    b"retry: 10",
    b"nonsense",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"\n",
    b"\r",
    b"\r\n",
    b"\n\n",
    b"\r\n\r\n",
    b"\r\r",
]


def plainly(stream: bytes) -> list[Event]:
    """The standard's algorithm on the whole stream: normalise line ends, then go by lines."""
    text = stream.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    events, name, data, comments = [], "", [], []
    for line in text.split(b"\n")[:-1]:
        words = line.decode("utf-8", "replace")
        field, _, value = words.partition(":")
        value = value[1:] if value[:1] == " " else value
        if not words:
            if data:
                events.append(Event(name or "message", "\n".join(data), tuple(comments)))
            name, data, comments = "", [], []
        elif field == "":
            comments.append(value)
        elif field == "data":
            data.append(value)
        elif field == "event":
            name = value
    return events


def decoded(pieces: list[bytes]) -> list[Event]:
    decoder = Decoder()
    return [event for piece in pieces for event in decoder.feed(piece)]


streams = st.lists(st.sampled_from(PARTS) | st.binary(max_size=4), max_size=40).map(b"".join)


@given(streams, st.data())
def test_any_cut_of_the_bytes_gives_the_same_events(stream: bytes, data: st.DataObject) -> None:
    cuts = data.draw(st.lists(st.integers(0, len(stream)), max_size=20).map(sorted))
    pieces = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    assert decoded(pieces) == plainly(stream)


@given(streams)
def test_byte_by_byte_gives_the_same_events(stream: bytes) -> None:
    assert decoded([stream[i : i + 1] for i in range(len(stream))]) == plainly(stream)


def test_an_event_is_handed_over_with_its_last_byte() -> None:
    decoder = Decoder()
    assert decoder.feed(b"data: a\r\n\r") == [Event("message", "a")]
    assert decoder.feed(b"\ndata: b\n") == []
    assert decoder.feed(b"\n") == [Event("message", "b")]


def test_lines_of_data_are_joined_and_comments_kept() -> None:
    stream = b"event:error\n:HTTP_STATUS/400\ndata: a\ndata:b\n\n"
    assert Decoder().feed(stream) == [Event("error", "a\nb", ("HTTP_STATUS/400",))]


def test_an_unfinished_event_is_dropped() -> None:
    assert Decoder().feed(b"data: a\n") == []

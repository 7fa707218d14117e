"""A text that comes in parts has the count of the whole, wherever it was parted."""

from __future__ import annotations

import io
import os
import random
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_counting_laws import some
from token_texts import SNIPPETS, texts

from tokenfare.errors import InputError, InvalidRequestError, TokenizerError

HELD = 16 * 1024  # bytes up to which nothing is settled


def mixed(dice: random.Random, kinds: int, length: int) -> str:
    """A text of few kinds of snippet, so that runs of each stand everywhere."""
    few = dice.choices(SNIPPETS, k=kinds)
    text = ""
    while len(text) < length:
        text += "".join(dice.choices(few, k=200))
    return text


@settings(some, max_examples=60)
@given(
    seed=st.integers(0, 1 << 32), kinds=st.integers(1, 8), most=st.sampled_from([3, 900, 40_000])
)
def test_bytes_and_texts_count_as_the_whole_however_they_are_parted(qwen, seed, kinds, most):
    """Parts of bytes end inside characters, parts of either inside clusters, words, line ends."""
    dice = random.Random(seed)  # noqa: S311 - a text
    text = mixed(dice, kinds, 4 * HELD if most > 3 else HELD + 500)
    content = text.encode()
    for whole in (text, content):
        counter = qwen.counter()
        at = 0
        while at < len(whole):
            size = dice.randint(0, most)
            counter.add(whole[at : at + size])
            at += size
        assert counter.finish() == qwen.count(text)


@settings(some, max_examples=60)
@given(parts=st.lists(texts, max_size=30), times=st.integers(1, 200))
def test_at_any_time_the_tokens_are_those_of_what_came(qwen, parts, times):
    counter, came = qwen.counter(), ""
    for part in parts:
        counter.add(part * times)
        came += part * times
        assert counter.tokens == qwen.count(came)
    assert counter.finish() == counter.tokens


@pytest.mark.parametrize(
    "unit", ["字", "a", " ", "\n", "\u0301\u0323", "か\u3099", "=\u0338", "\r\n"]
)
def test_a_text_without_a_place_to_cut_it_is_counted_all_the_same(qwen, unit):
    text = unit * (300_000 // len(unit))
    counter = qwen.counter()
    for at in range(0, len(text), 7_001):
        counter.add(text[at : at + 7_001])
    assert counter.finish() == qwen.count(text)


def test_halves_of_a_surrogate_pair_meet_over_the_border(qwen):
    text = "ü \ud83d\ude00 \ud83d \ude00 \ud83d\ud83d\ude00" * 3_000
    for size in (1, 2, 3, 5_000):
        counter = qwen.counter()
        for at in range(0, len(text), size):
            counter.add(text[at : at + size])
        assert counter.finish() == qwen.count(text)


@pytest.mark.parametrize("before", [0, 5, HELD + 7, 3 * HELD])
@pytest.mark.parametrize("size", [1, 2, 4_000, 1 << 20])
def test_bytes_that_are_not_utf_8_are_named_by_their_offset(qwen, before, size):
    content = b"x " * (before // 2) + b"x" * (before % 2) + b"\xe4\xb8\xffmore"
    counter = qwen.counter()

    def add_all() -> None:
        for at in range(0, len(content), size):
            counter.add(content[at : at + size])

    with pytest.raises(InvalidRequestError, match=rf"byte 0xe4 at offset {before}$"):
        add_all()


def test_what_is_refused_is_not_added(qwen):
    counter = qwen.counter()
    counter.add("ab")
    counter.add(b"\xe4\xb8")
    for wrong in (5, None, bytearray(b"x"), b"ok\xff", "text inside a character"):
        with pytest.raises(InvalidRequestError, match=r"a part is str or bytes|not UTF-8"):
            counter.add(wrong)  # type: ignore[arg-type]
    assert counter.tokens == qwen.count("ab")
    with pytest.raises(InvalidRequestError, match="byte 0xe4 at offset 2"):
        counter.finish()
    counter.add(b"\xad")
    assert counter.finish() == qwen.count("ab中")


def test_a_part_that_was_interrupted_ends_the_counting(qwen, monkeypatch):
    """Nobody knows how much of it was counted."""
    signal = pytest.importorskip("signal")
    if not hasattr(signal, "setitimer"):
        pytest.skip("no timer that sends signals here")

    def handle(*_: object) -> None:
        raise InterruptedError("enough")

    counter, text = qwen.counter(), " \n" * 40_000_000
    before = signal.signal(signal.SIGALRM, handle)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        with pytest.raises(InterruptedError):
            counter.add(text)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    for use in (lambda: counter.add("x"), lambda: counter.tokens, counter.finish):
        with pytest.raises(TokenizerError, match="interrupted while it was added: begin anew"):
            use()


def test_a_file_counts_as_its_text(qwen, tmp_path: Path):
    text = mixed(random.Random(1), 40, 1_500_000)  # noqa: S311 - more than is read at once
    path = tmp_path / "text"
    path.write_bytes(text.encode())
    expected = qwen.count(text)
    assert qwen.count_file(path) == qwen.count_file(str(path)) == expected
    assert qwen.count_file(io.BytesIO(text.encode())) == expected
    path.write_bytes(b"not this" + text.encode())
    with path.open("rb") as file:
        file.seek(len(b"not this"))
        assert qwen.count_file(file) == expected


def test_a_file_that_cannot_be_counted_is_named(qwen, tmp_path: Path):
    path = tmp_path / "bad"
    with pytest.raises(InputError, match="bad: no such file"):
        qwen.count_file(path)
    path.write_bytes(b"a" * 3_000_000 + b"\xff")
    with pytest.raises(InputError, match=r"bad: not UTF-8: byte 0xff at offset 3000000$"):
        qwen.count_file(path)
    with pytest.raises(InputError, match=r"the stream: not UTF-8: byte 0xc3 at offset 1$"):
        qwen.count_file(io.BytesIO(b"a\xc3"))


def test_a_stream_that_does_not_wait_for_its_end_is_not_counted_as_if_it_had_come(qwen):
    ours, theirs = os.pipe()
    os.set_blocking(ours, False)
    with os.fdopen(ours, "rb") as file, os.fdopen(theirs, "wb") as pipe:
        pipe.write(b"the beginning")
        pipe.flush()
        with pytest.raises(InputError, match="not read to its end: the stream does not block"):
            qwen.count_file(file)


@pytest.mark.parametrize("raised", [ValueError("no"), TypeError("no"), OSError("no")], ids=repr)
def test_what_reading_a_stream_raises_comes_out_as_it_is(qwen, raised):
    class Broken(io.BytesIO):
        def read(self, _=-1):
            if self.tell():
                raise raised
            return super().read(1)

    with pytest.raises(type(raised)) as caught:
        qwen.count_file(Broken(b"xyz"))
    assert caught.value is raised


def test_a_counter_that_another_thread_takes_while_it_is_asked_for_the_end_says_so(qwen):
    counter = qwen.counter()
    long = " \n" * 10_000_000

    def add():
        while True:
            with suppress(TokenizerError):  # it is asked right now whether it is at work
                return counter.add(long)

    adding = threading.Thread(target=add)

    def meanwhile(frame, event, _):
        """Let the other thread begin when the tokens are known, and all else is not."""
        if event == "return" and frame.f_code.co_name == "tokens":
            sys.setprofile(None)
            adding.start()
            with suppress(TokenizerError):
                while True:
                    counter.tokens  # noqa: B018 - asking is what tells
                    time.sleep(0.001)

    sys.setprofile(meanwhile)
    try:
        with pytest.raises(TokenizerError, match="at work, for another thread"):
            counter.finish()
    finally:
        sys.setprofile(None)
        adding.join()
    assert counter.finish() == qwen.count(long)


def test_what_is_no_file_is_refused(qwen):
    for wrong in (5, None, b"path"):
        with pytest.raises(InvalidRequestError, match="by its path, or as a stream of bytes, not"):
            qwen.count_file(wrong)  # type: ignore[arg-type]
    odd = io.BytesIO(b"x")
    odd.read = lambda _: bytearray(b"x")  # type: ignore[method-assign, assignment, misc]
    with pytest.raises(InputError, match="the stream: a part is str or bytes"):
        qwen.count_file(odd)

"""Texts too long to take whole: shares, cut where counts add up, and panics that are exceptions."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_counting_laws import some
from token_texts import SNIPPETS, texts

from tokenfare import _core
from tokenfare.errors import CoreFailure, InvalidRequestError, TokenfareError
from tokenfare.tokenizers import Tokenizer

# Characters that are made UTF-8 at a time, of a text that is not ASCII: where it is counted, and
# where it is taken whole.
SHARE = 1 << 16
STRETCH = 1 << 14


def repeated(unit: str, length: int) -> str:
    return unit * (length // len(unit) + 1)


@settings(some, max_examples=25)
@given(text=texts)
def test_a_text_of_many_shares_equals_tiktoken(qwen, with_tiktoken, text):
    long = repeated(text + "ü x", 3 * SHARE + 1000)
    ids = qwen.encode(long)
    assert ids == with_tiktoken.encode_ordinary(qwen.decode(ids))
    assert qwen.count(long) == qwen.count(long, threads=2) == len(ids)


@settings(some, max_examples=40)
@given(text=texts, shift=st.integers(0, 40), data=st.data())
def test_every_place_may_fall_on_the_border_of_a_share(qwen, text, shift, data):
    long = "ü" + "x " * ((SHARE - shift) // 2) + repeated(text + "ü ", 2 * SHARE)
    count = qwen.count(long)
    assert count == len(qwen.encode(long)) == qwen.count(long, threads=3)
    limit = data.draw(st.integers(0, 2 * count))
    for n in (limit, 511, count - 1, count):
        assert qwen.count_up_to(long, n) == (count if count <= n else None)


@pytest.mark.parametrize("unit", ["字", "字\n", "\u0301", "ü", "か\u3099", "=\u0338", " \u3000"])
def test_a_text_without_a_cut_is_one_share(qwen, unit):
    text = unit * (3 * SHARE // len(unit))
    assert qwen.count(text) == len(qwen.encode(text))
    assert qwen.count_up_to(text, 10) is None


def test_of_more_characters_than_so_many_tokens_can_be_none_is_looked_at():
    """A token is at most 128 bytes, and NFC leaves a quarter of a text at least."""
    unread = Tokenizer.__new__(Tokenizer)
    unread._core = SimpleNamespace(longest_token=128, count_up_to=lambda *_: 3)
    assert unread.count_up_to("กำ" * (4 * 128 * 3 // 2), 3) == 3
    assert unread.count_up_to("กำ" * (4 * 128 * 3 // 2) + "ก", 3) is None
    assert unread.count_up_to("ก", 0) is None
    assert unread.fits("กำ" * (4 * 128 * 3 // 2), 3)
    assert not unread.fits("กำ" * (4 * 128 * 3 // 2) + "ก", 3)


@pytest.mark.parametrize("text", [b"x", None, 5, ["x"]])
def test_what_is_no_text_neither_fits_nor_does_not(qwen, text):
    with pytest.raises(InvalidRequestError, match="a text is expected, not"):
        qwen.fits(text, 5)
    with pytest.raises(InvalidRequestError, match="a text is expected, not"):
        qwen.count_up_to(text, 5)


@pytest.mark.parametrize("before", [0, 1, 2])
def test_surrogates_on_the_border_of_a_share(qwen, before):
    """A pair that a border would part is one character all the same; half a pair is U+FFFD."""
    start = "x " * (SHARE // 2 - 1) + "." * before
    for pair, meant in (("\ud83d\ude00", "😀"), ("\ud83dü", "\ufffdü"), ("ü\ude00", "ü\ufffd")):
        rest = "ü " * 20_000
        assert qwen.count(start + pair + rest) == qwen.count(start + meant + rest)
        assert qwen.encode(start + pair + rest) == qwen.encode(start + meant + rest)


def test_a_batch_counts_each_text_as_if_alone(qwen):
    """Of every form that Python keeps a string in, short and long, empty and with surrogates."""
    units = [
        "字 ",
        "通义千问。",
        "ü x\n",
        "plain ",
        "\ud83d\ude00é ",
        "\ud83d a",
        "",
        "x" * 5000 + "é",
    ]
    lengths = [3, 129, 4097, 150_000, 5, 60_000]
    texts = [repeated(unit or "", n)[:n] if unit else "" for n in lengths for unit in units]
    texts.insert(7, repeated("füße und 字 ", 700_000))
    assert qwen.count_batch(texts) == [len(qwen.encode(text)) for text in texts]


@pytest.mark.parametrize("border", [[0xD83D], [0xDE00], [0xD83D, 0xDE00], [0xE9]])
def test_a_long_text_is_cut_at_its_own_characters(qwen, border):
    """Where a text is made UTF-8 as a whole; one that falls on a border among them."""
    text = "x" * (STRETCH - 1) + "".join(map(chr, border)) + "ü and more. " * 500
    pieces = qwen.split(text, 1_000)
    assert "".join(pieces) == text
    assert all(qwen.count(piece) <= 1_000 for piece in pieces)
    start = qwen.truncate(text, 2_100)
    assert text.startswith(start)
    assert len(start) > STRETCH
    ids = qwen.encode(text + "<|im_end|>", special="qwen3")
    assert ids[:-1] == qwen.encode(text)
    assert ids[-1] == 151_645


def test_many_threads_count_long_texts_alike(qwen):
    texts = [repeated(snippet + " ü\n", 2 * SHARE) for snippet in SNIPPETS[::12]]
    expected = [qwen.count(text) for text in texts]
    found: dict[int, list[int]] = {}

    def work(number: int) -> None:
        order = texts[number:] + texts[:number]
        counts = [qwen.count(text) for text in order]
        split = len(texts) - number
        found[number] = counts[split:] + counts[:split]

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == dict.fromkeys(range(4), expected)


@pytest.mark.parametrize("size", [1, 1_000_000])
def test_a_panic_of_the_core_is_an_exception_of_the_library(size, capfd):
    """With the GIL and without; PyO3 alone would raise what `except Exception` does not catch."""
    with pytest.raises(
        CoreFailure, match=r"the counting core failed: it broke; .* report"
    ) as caught:
        _core.panic("it broke", size)
    assert isinstance(caught.value, TokenfareError)
    assert isinstance(caught.value, Exception)
    assert "it broke" in capfd.readouterr().err


def test_where_no_thread_can_be_started_the_one_that_asks_counts_all():
    code = (
        "from tokenfare import get_tokenizer\n"
        "qwen, text = get_tokenizer('qwen'), 'word by word ' * 20_000\n"
        "assert qwen.count(text, threads=8) == qwen.count(text)\n"
        "assert qwen.count_batch([text] * 4) == [qwen.count(text)] * 4\n"
    )
    # No machine has room for such a stack, so the system gives no thread that wants one.
    environment = {**os.environ, "RUST_MIN_STACK": str(1 << 46)}
    subprocess.run([sys.executable, "-c", code], env=environment, check=True)

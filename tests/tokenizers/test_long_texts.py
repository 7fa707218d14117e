"""Texts too long to take whole: blocks, cut where counts add up, and panics that are exceptions."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_counting_laws import some
from token_texts import SNIPPETS, texts

from tokenfare import _core
from tokenfare.errors import CoreFailure, TokenfareError

BLOCK = 1 << 18  # characters that the binding takes at a time, of a text that is not ASCII


def repeated(unit: str, length: int) -> str:
    return unit * (length // len(unit) + 1)


@settings(some, max_examples=25)
@given(text=texts)
def test_a_text_of_many_blocks_equals_tiktoken(qwen, with_tiktoken, text):
    long = repeated(text + "ü x", BLOCK + 1000)
    ids = qwen.encode(long)
    assert ids == with_tiktoken.encode_ordinary(qwen.decode(ids))
    assert qwen.count(long) == qwen.count(long, threads=2) == len(ids)


@settings(some, max_examples=40)
@given(text=texts, shift=st.integers(0, 40), data=st.data())
def test_every_place_may_fall_on_the_border_of_a_block(qwen, text, shift, data):
    """Counted in blocks of 4,096 characters, which is what a small limit asks for."""
    long = "ü" + "x " * ((4096 - shift) // 2) + repeated(text + "ü ", 9000)
    count = qwen.count(long)
    assert count == len(qwen.encode(long))
    limit = data.draw(st.integers(0, 511))
    for n in (limit, 511):
        assert qwen.count_up_to(long, n) == (count if count <= n else None)


@pytest.mark.parametrize("unit", ["字", "字\n", "\u0301", "ü", "か\u3099", "=\u0338", " \u3000"])
def test_blocks_without_a_cut_are_joined(qwen, unit):
    text = unit * (3 * BLOCK // len(unit))
    assert qwen.count(text) == len(qwen.encode(text))
    assert qwen.count_up_to(text, 10) is None


@pytest.mark.parametrize("before", [0, 1, 2])
def test_surrogates_on_the_border_of_a_block(qwen, before):
    """A pair that a border would part is one character all the same; half a pair is U+FFFD."""
    start = "x " * (BLOCK // 2 - 1) + "." * before
    for pair, meant in (("\ud83d\ude00", "😀"), ("\ud83dü", "\ufffdü"), ("ü\ude00", "ü\ufffd")):
        rest = "ü " * 200_000
        assert qwen.count(start + pair + rest) == qwen.count(start + meant + rest)
        assert qwen.encode(start + pair + rest) == qwen.encode(start + meant + rest)


def test_many_threads_count_long_texts_alike(qwen):
    texts = [repeated(snippet + " ü\n", BLOCK + 100_000) for snippet in SNIPPETS[::12]]
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

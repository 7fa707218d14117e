"""What a beginning is certain to count, against the tokens of requests that go on in other ways."""

from __future__ import annotations

import unicodedata
from datetime import date
from itertools import takewhile

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tokenfare as tf
from batch_plans import hello
from tokenfare.budget import NO_OPTIONS, Options, count_beginning
from tokenfare.messages import parse
from tokenfare.tokenizers import Bounds, Count, measurer_or_bounds

PLUS = tf.Catalog.load(day=date(2024, 12, 18)).get("qwen-plus")
QWEN = tf.get_tokenizer("qwen")
TOOL = {"type": "function", "function": {"name": "look", "parameters": {}}}

parts = """the| the| cat's|. |\n\n|  |1234|今天|天气。|é|e|\u0301|=|\u0338|don't|ﷺ|\u0344|🙂"""
words = st.sampled_from(parts.split("|"))
texts = st.lists(words | st.text(max_size=3), min_size=1, max_size=12).map("".join).filter(bool)


def ids(text: str) -> list[int]:
    shown = text.encode(errors="replace").decode()
    return QWEN.encode(f"<|im_start|>user\n{shown}", special="qwen2")


def begun(text: str, more: str) -> Count:
    messages = parse([{"role": "user", "content": text + more}])
    return count_beginning(messages, 0, len(text), PLUS, QWEN)


@given(texts, texts, texts)
def test_the_low_end_is_common_to_whatever_follows(text: str, one: str, other: str) -> None:
    count = begun(text, one)
    pairs = zip(ids(text + one), ids(text + other), strict=False)
    assert count.low <= sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


@given(texts, st.sampled_from(["a", "s", " ", "7", "\n", "."]), texts)
def test_the_high_end_is_above_the_tokens_inside(text: str, next_one: str, rest: str) -> None:
    """No normalization reaches over the cut before an ASCII character; U+0338 may follow it."""
    count = begun(text, next_one + rest)
    shown = text.encode(errors="replace").decode()
    end = len(unicodedata.normalize("NFC", f"<|im_start|>user\n{shown}").encode())
    inside, size = 0, 0
    for each in ids(text + next_one + rest):
        size += len(QWEN.decode_bytes([each]))
        inside += size <= end
    assert inside <= count.high


@given(st.lists(texts, min_size=2, max_size=4), st.data())
def test_at_the_edge_of_a_message_it_is_exact(contents: list[str], data: st.DataObject) -> None:
    messages = parse([{"role": "user", "content": text} for text in contents])
    whole = data.draw(st.integers(1, len(messages)))
    alone = tf.budget.count_request(messages[:whole], PLUS, QWEN).total
    opening = 3  # of the answer: <|im_start|>, the role, a line break
    expected = Count.exactly(alone.value - opening)
    assert count_beginning(messages, whole, 0, PLUS, QWEN) == expected


def test_a_cut_at_a_word_is_close() -> None:
    """Twelve words, of which the last may go on, and a frame of five that is opened."""
    text = hello(12)
    certain, open_ended = begun(text, " and more"), begun(text, "s and more")
    assert (certain.low, certain.high) == (12, 12 + 5)
    assert (open_ended.low, open_ended.high) == (11, 11 + len(" hello") + 5)


HI = [{"role": "user", "content": "Hi"}, {"role": "user", "content": "x"}]
TEMPLATES = [(HI, Options(tools=(TOOL,)), 0), (HI, NO_OPTIONS, 1 + 5)]


@pytest.mark.parametrize(("messages", "options", "low"), TEMPLATES)
def test_what_follows_may_change_the_words_for_tools(
    messages: list[dict[str, str]], options: Options, low: int
) -> None:
    assert count_beginning(parse(messages), 1, 0, PLUS, QWEN, options).low == low


def test_a_result_is_certain_when_it_is_known_what_comes_next() -> None:
    call = {"id": "1", "type": "function", "function": {"name": "look", "arguments": "{}"}}
    messages = parse(
        [
            {"role": "user", "content": "Hi"},
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "1", "content": "seen"},
            {"role": "user", "content": "So?"},
        ]
    )
    one, two, three, four = (count_beginning(messages, n, 0, PLUS, QWEN) for n in (1, 2, 3, 4))
    assert one == Count.exactly(6)
    assert three.low == two.low < three.high < four.high


def test_without_a_vocabulary_only_bytes_are_certain() -> None:
    unknown = measurer_or_bounds("no-such-tokenizer")
    assert isinstance(unknown, Bounds)
    messages = parse([{"role": "user", "content": "hello hello hello"}])
    count = count_beginning(messages, 0, 11, PLUS, unknown)
    assert count.low == 0
    assert count.high >= 11

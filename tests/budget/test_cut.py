"""The text of a message, cut to the longest ending with which the request fits."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tokenfare as tf
from tokenfare.budget.cut import longest_that_fits
from tokenfare.tokenizers import Keep, get_tokenizer

CUT = tf.TrimPolicy(cut="end")
pieces = st.sampled_from(
    ["\n", "\n\n", "\r\n", " ", "  ", "\t", " \n", "\n \n", "the", "import", "ant", ".", "1", "é"]
)


def asked(text: str) -> list[dict[str, str]]:
    return [{"role": "system", "content": "Be brief."}, {"role": "user", "content": text}]


def size(text: str, template: str = "qwen2") -> int:
    return tf.count_messages(asked(text), template=template).total.value


def cut(text: str, limit: int, template: str = "qwen2") -> str:
    trimmed = tf.trim(asked(text), limit, policy=CUT, template=template)
    assert trimmed.count.value == size(trimmed.messages[-1]["content"], template) <= limit
    return str(trimmed.messages[-1]["content"])


@pytest.mark.parametrize(
    ("text", "tokens", "kept"),
    [
        ("first second\nthird", 1, "\nthird"),
        ("first second\n\n\nthird", 1, "\n\n\nthird"),
        ("first second \nthird", 1, " \nthird"),
        ("first second third", 1, " third"),
        ("\nfirst second", 2, "\nfirst second"),
        ("\nfirst second", 1, " second"),
    ],
)
def test_line_ends_that_cost_nothing_are_kept(text: str, tokens: int, kept: str) -> None:
    """The template writes a line end before the text. With those of the text, it is one token."""
    empty = size("x") - 1
    assert cut(text, empty + tokens) == kept


def test_a_message_in_parts_keeps_them_too() -> None:
    parts = [{"type": "text", "text": "first second\n\n\nthird"}]
    counted = tf.count_messages([{"role": "user", "content": "third"}], template="qwen2").total
    chat = [{"role": "user", "content": parts}]
    trimmed = tf.trim(chat, counted.value, policy=CUT, template="qwen2")
    assert trimmed.messages[0]["content"] == [{"type": "text", "text": "\n\n\nthird"}]


@settings(max_examples=40, deadline=None)
@given(
    text=st.lists(pieces, min_size=3, max_size=14).map("".join),
    template=st.sampled_from(["qwen2", "qwen3"]),
)
def test_no_longer_ending_fits(text: str, template: str) -> None:
    """Against every ending, counted as a whole, for every limit that it can be cut to."""
    inside = {i + 1 for i in range(len(text)) if text.startswith("\r\n", i)}
    endings = [text[at:] for at in range(len(text)) if at not in inside]
    sizes = {ending: size(ending, template) for ending in endings}
    least = size("x", template) - 1 + max(map(get_tokenizer("qwen").count, text))
    for limit in range(least, sizes[text]):
        longest = next(ending for ending in endings if sizes[ending] <= limit)
        assert cut(text, limit, template) == longest


class Counting:
    """A tokenizer that adds up the characters that it is given to count."""

    name = "counting"

    def __init__(self) -> None:
        self.tokenizer = get_tokenizer("qwen")
        self.characters = 0

    def measure(self, text: str) -> tf.Count:
        self.characters += len(text)
        return self.tokenizer.measure(text)

    def truncate(self, text: str, max_tokens: int, *, keep: Keep = "start") -> str:
        return self.tokenizer.truncate(text, max_tokens, keep=keep)


def test_much_white_space_is_not_counted_for_each_of_its_places() -> None:
    """There are hundreds of places: a token may be 128 spaces."""
    counting, text = Counting(), (" " * 120 + "\n") * 500
    found = longest_that_fits(
        counting, text, "end", 700, lambda part: counting.measure("\n" + part)
    )
    assert found is not None
    assert counting.characters < 10 * len(text)

"""Texts to tokenize: a hypothesis strategy that mixes what tokenizers stumble over."""

# ruff: noqa: E501 - a line of snippets is a family, and wide characters count double

from __future__ import annotations

from hypothesis import strategies as st

SNIPPETS = (
    # words and contractions, in several cases and scripts
    "the", "Hello", " world", "WORLD", "don't", "I'LL", "we've", "'s", "'\u017f", "'S", "'re", "''d",
    "naïve", "straße", "Привет", " мир", "Ελλάδα", "שלום", "مرحبا", "السلام", "हिन्दी", "ที่นี่", "გამარჯობა",
    "通义千问", "具有强大的能力", "日本語", "カタカナ", "ひらがな", "한국어", "안녕하세요", "𠀀𠀁", "ꦗꦮ",
    # numbers
    "1", "12", "2024", "３", "١٢", "½", "Ⅷ", "²", "3.14", "1,000",
    # punctuation, code, markup
    ".", "...", "!", "?!", "()", "{}", "=>", "==", "://", "--", "。", "、", "「", "—", "$", "€", "_", "#",
    "def f(x):", "</div>", "<|im_start|>", "<|endoftext|>", "<|extra_3|>", "<think>", "<|im_end|>\u0338",
    # white space of every kind, and line ends
    " ", "  ", "   ", "\t", "\t ", "\n", "\n\n", "\r\n", "\r", " \n", "\n ", "\n\t", "\v", "\f", "\x85",
    "\xa0", "\u1680", "\u2003", "\u2028", "\u2029", "\u3000", " \u3000", ";\n", ".\r\n\r\n",
    # combining marks, conjoining Jamo, composition across a boundary
    "e\u0301", "a\u0323\u0301", "\u0301", "=\u0338", "\u1100\u1161\u11a8", "\uac00\u11a8", "\u0f71\u0f72",
    "\u0344", "\u212b", "\u2126", "\ufa10", "\u0958", "\u0e33", "\u3099", "か\u3099",
    # emoji and joiners, variation selectors, flags, format characters
    "😀", "👩\u200d👩\u200d👧", "🇨🇳", "☺\ufe0f", "👍🏽", "\u200b", "\u200d", "\ufeff", "\u2060", "\u202e",
    # controls, NUL, private use, noncharacters, unassigned, the last code point
    "\0", "\x1b[0m", "\x7f", "\x1c", "\ue000", "\ufffe", "\ufffd", "\u0378", "\U000e0001", "\U0010ffff",
)  # fmt: skip

characters = st.characters(exclude_categories=["Cs"])
latin = st.text(st.characters(min_codepoint=32, max_codepoint=0x17F), max_size=8)
han = st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FFF), max_size=12)
repeated = st.builds(lambda s, n: s * n, st.sampled_from(SNIPPETS), st.integers(2, 80))
anything = st.text(characters, max_size=8)

texts = st.lists(
    st.one_of(st.sampled_from(SNIPPETS), latin, han, anything, repeated), max_size=40
).map("".join)


def byte_letters() -> list[str]:
    """Give the printable character that GPT-2's byte-level alphabet writes for each byte."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = iter(range(256, 512))
    return [chr(b) if b in printable else chr(next(others)) for b in range(256)]

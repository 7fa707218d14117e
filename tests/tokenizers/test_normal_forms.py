"""Bounds by the bytes of a normal form, where making it would take Python the square of the length.

`unicodedata` sorts combining marks by insertion: 20,000 times U+0F81 take nearly a second, and ten
times as many a hundred times as long.
"""

from __future__ import annotations

import sys
import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenfare.tokenizers import bounds
from tokenfare.tokenizers.nfc import _like_marks, has_a_run_of_marks, nfc_bytes
from tokenizers import normalizers

MARKS = ["\u0f81", "\u0301\u0316", "\u0344", "\uff9e\u0301", "\U0001d165", "\u0f71\u0f72\u0f74"]


def utf8(text: str) -> int:
    return len(text.encode(errors="surrogatepass"))


def test_every_code_point_that_is_sorted_is_like_marks() -> None:
    for number in range(sys.maxunicode + 1):
        spelled = unicodedata.normalize("NFKD", chr(number))
        if all(map(unicodedata.combining, spelled)):
            assert _like_marks().fullmatch(chr(number) * 8), hex(number)


@given(
    before=st.integers(0, 40),
    after=st.integers(0, 40),
    marks=st.lists(st.sampled_from("".join(MARKS)), min_size=128, max_size=300),
)
def test_no_run_of_128_marks_is_missed(before: int, after: int, marks: list[str]) -> None:
    assert has_a_run_of_marks("x" * before + "".join(marks) + "x" * after)


@pytest.mark.parametrize("unit", MARKS)
def test_what_is_bounded_instead_of_normalized_is_no_less(unit: str) -> None:
    text = "तो e" + unit * 400 + "通"
    most = max(utf8(text), utf8(unicodedata.normalize("NFC", text)))
    assert bounds.byte_level(text) >= most
    assert bounds.most_bytes(text) >= most
    assert bounds.unknown(text) >= max(most, utf8(unicodedata.normalize("NFKC", text))) + 2
    low, high = nfc_bytes(text)
    assert low <= utf8(unicodedata.normalize("NFC", text)) <= high


@pytest.mark.parametrize("unit", MARKS)
def test_endless_marks_are_bounded_in_no_time(unit: str) -> None:
    text = "e" + unit * (300_000 // len(unit))
    began = time.process_time()
    for bound in (bounds.byte_level, bounds.most_bytes, bounds.unknown, nfc_bytes):
        bound(text)
    assert time.process_time() - began < 2


@pytest.mark.parametrize(
    "text",
    [
        "通义千问，具有强大的能力。！？" * 500,
        "😀👩\u200d👩\u200d👧🇨🇳" * 500,
        "…———«»" * 500,
        unicodedata.normalize("NFD", "Tiếng Việt ở đây được viết rời. ") * 500,
        "हिन्दी में लिखा हुआ पाठ। " * 500,
        "בְּרֵאשִׁית בָּרָא אֱלֹהִים " * 500,
    ],
)
def test_what_people_write_is_bounded_by_its_bytes_in_nfc(text: str) -> None:
    assert bounds.byte_level(text) == utf8(unicodedata.normalize("NFC", text))


def test_the_bound_holds_under_an_older_normalizer_too() -> None:
    """Hugging Face's is of Unicode 9: what later ones compose it leaves apart."""
    older = normalizers.NFC()
    for number in range(sys.maxunicode + 1):
        apart = unicodedata.normalize("NFD", chr(number))
        if len(apart) > 1:
            for text in (apart, apart + "\u0301", "\u0958" + apart):
                assert bounds.byte_level(text) >= utf8(older.normalize_str(text)), hex(number)


def test_the_bounds_hold_across_marks_that_an_older_normalizer_does_not_know() -> None:
    older = [normalizers.NFC(), normalizers.NFKC()]
    for number in range(0x300, sys.maxunicode + 1):
        if unicodedata.combining(chr(number)):
            for text in (f"e{chr(number)}\u0301" * 2, f"\u0958e{chr(number)}\u0323"):
                most = max(utf8(each.normalize_str(text)) for each in older)
                assert bounds.byte_level(text) >= utf8(older[0].normalize_str(text)), hex(number)
                assert bounds.unknown(text) >= most + 2, hex(number)


def test_what_is_composed_lately_is_what_this_pythons_unicode_knows_beyond_the_older() -> None:
    older = normalizers.NFC()
    composed = (chr(number) for number in range(sys.maxunicode + 1))
    apart = {c: unicodedata.normalize("NFD", c) for c in composed}
    lately = {
        c
        for c, text in apart.items()
        if len(text) > 1
        and unicodedata.normalize("NFC", text) == c
        and older.normalize_str(text) != c
    }
    assert lately
    assert all(bounds._COMPOSED_LATELY.match(c) for c in lately)

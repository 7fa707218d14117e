"""Truncating and splitting: what is promised, held to twins that try every cut."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from itertools import accumulate, pairwise, product

import pytest
import regex
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from token_texts import SNIPPETS, texts

import tokenfare
from tokenfare.errors import CharacterTooLong, InvalidRequestError
from tokenfare.tokenizers import Span, Tokenizer, measurer
from tokenfare.tokenizers.cutting_by_bound import spans, truncated

FAMILY = "👩\u200d👩\u200d👧"

some = settings(
    max_examples=120,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

# Clusters by another library, whose Unicode is newer: on text that was there before.
known = st.lists(st.sampled_from(SNIPPETS), max_size=12).map("".join)


def places(text: str) -> list[int]:
    """Every position between grapheme clusters, the ends included."""
    return [0, *(match.end() for match in regex.finditer(r"\X", text))]


def split(tokenizer, text: str, limit: int) -> tuple[list[str], CharacterTooLong | None]:
    """The pieces, or the character that is more than the limit."""
    try:
        return tokenizer.split(text, limit), None
    except CharacterTooLong as error:
        return [], error


@pytest.fixture(scope="module")
def size(with_tiktoken) -> Callable[[str], int]:
    """Count by tiktoken, on NFC: not by the code under test."""
    return lambda text: len(with_tiktoken.encode_ordinary(unicodedata.normalize("NFC", text)))


@some
@given(text=known, data=st.data())
def test_the_longest_beginning_and_end_of_all_that_fit_are_kept(qwen, size, text, data):
    limit = data.draw(st.integers(1, size(text) + 1))
    heads = [text[:at] for at in places(text) if size(text[:at]) <= limit]
    tails = [text[at:] for at in places(text) if size(text[at:]) <= limit]
    for keep, fitting in (("start", heads), ("end", tails)):
        longest = max(fitting, key=len)
        if text and not longest:
            with pytest.raises(CharacterTooLong):
                qwen.truncate(text, limit, keep=keep)
        else:
            assert qwen.truncate(text, limit, keep=keep) == longest


@some
@given(text=known, data=st.data())
def test_both_ends_are_half_and_what_is_left(qwen, size, text, data):
    """The definition, written out: head by half of the limit, tail by the rest, shortened till the
    two together fit."""
    limit = data.draw(st.integers(1, size(text) + 1))
    half = (limit + 1) // 2
    head = max(at for at in places(text) if size(text[:at]) <= half)
    left = limit - size(text[:head])
    tail = min(at for at in places(text) if at >= head and size(text[at:]) <= left)
    while size(text[:head] + text[tail:]) > limit:
        tail = min(at for at in places(text) if at > tail)
    expected = text if size(text) <= limit else text[:head] + text[tail:]
    if text and not expected:
        with pytest.raises(CharacterTooLong):
            qwen.truncate(text, limit, keep="ends")
    else:
        assert qwen.truncate(text, limit, keep="ends") == expected


def test_a_longer_beginning_may_be_the_one_that_fits(qwen):
    """`impor` is two tokens, `import` one: no search by halves finds this."""
    assert (qwen.count("impor"), qwen.count("import")) == (2, 1)
    assert qwen.truncate("import os", 1) == "import"


@some
@given(text=texts, limit=st.integers(20, 60), data=st.data())
def test_pieces_fit_and_join_and_overlap_as_asked(qwen, size, text, limit, data):
    pieces, error = split(qwen, text, limit)
    if error:
        assert size(error.character) == error.tokens > limit
        assert text[error.position :].startswith(error.character)
        return
    assert "".join(pieces) == text
    assert all(piece and size(piece) <= limit for piece in pieces)
    assert qwen.split(text, limit) == pieces
    overlap = data.draw(st.integers(0, limit - 1))
    end = 0
    for span in qwen.spans(text, limit, overlap=overlap):
        assert span.start <= end < span.end
        assert size(text[span.start : span.end]) == span.tokens <= limit
        assert size(text[span.start : end]) <= overlap
        end = span.end
    assert end == len(text)


@some
@given(text=known, limit=st.integers(15, 40))
def test_pieces_end_between_characters(qwen, text, limit):
    pieces, _ = split(qwen, text, limit)
    assert set(accumulate(map(len, pieces))) <= set(places(text))


@pytest.mark.parametrize(
    ("text", "limit", "pieces"),
    [
        ("One.\n\nTwo. Three.\nFour.", 7, ["One.\n\n", "Two. Three.\nFour."]),
        ("One two three.\nFour five six.", 6, ["One two three.\n", "Four five six."]),
        ("One two. Three four five.", 6, ["One two. ", "Three four five."]),
        ("你好，世界。今天天气很好。", 6, ["你好，世界。", "今天天气很好。"]),
        ("「好。」他说。", 4, ["「好。」", "他说。"]),
        ("one two three four", 3, ["one two ", "three four"]),
    ],
)
def test_a_piece_ends_at_the_best_boundary_within_reach(qwen, text, limit, pieces):
    assert qwen.split(text, limit) == pieces


@pytest.mark.parametrize(
    ("unit", "limit", "kept"),
    [
        ("a", 100, 100 * 8),  # eight letters a token
        (" ", 100, 100 * 128),
        ("\n", 10, 10 * 32),
        ("7", 100, 100),
    ],
)
def test_a_megabyte_of_one_character_is_cut_where_arithmetic_says(qwen, unit, limit, kept):
    text = unit * 1_000_000
    assert qwen.truncate(text, limit) == unit * kept
    assert qwen.truncate(text, limit, keep="end") == unit * kept
    pieces = qwen.split(text, limit)
    assert "".join(pieces) == text
    assert {len(piece) for piece in pieces[:-1]} == {kept}


@pytest.mark.parametrize("before", ["\U0001f469", "=", "\u2014", ". ", "-\n", "\n", " ", "\t"])
def test_the_longest_end_may_start_with_the_last_characters_of_a_long_piece(qwen, size, before):
    """Alone, `/div` is one word; behind other punctuation `/` is not part of the word."""
    seams = ("</", "/", " ", "\t", "'", "'l", "\n", "\r\n", "")
    for seam, after in product(seams, ("div>", "ll go", "l", " x", "5", "\tif")):
        text = before * 80 + seam + after
        ends = {text[at:]: size(text[at:]) for at in places(text)}
        for limit in range(1, 8):
            fitting = [end for end, tokens in ends.items() if tokens <= limit]
            assert qwen.truncate(text, limit, keep="end") == max(fitting, key=len)


def test_runs_hold_more_where_a_longer_token_comes_last(qwen):
    """Ten tokens of `=` are not ten times the token that repeats: the last one may be longer."""
    counts = [qwen.count("=" * length) for length in range(2_000)]
    longest = max(length for length, count in enumerate(counts) if count <= 10)
    assert longest > 10 * 64
    assert qwen.truncate("=" * 1_000_000, 10) == "=" * longest


@pytest.mark.parametrize(
    "unit",
    ["ab", "\r\n", " \n\t", "\u1112\u1161\u11ab", "e\u0301", FAMILY, "🇨🇳", "\0", "通义",
     "。", "😀 ", "don't"],
)  # fmt: skip
def test_a_long_text_without_boundaries_is_cut_in_time_that_grows_with_it(qwen, unit):
    text = unit * (400_000 // len(unit.encode()))
    spans = qwen.spans(text, 300)
    assert "".join(text[span.start : span.end] for span in spans) == text
    sample = spans[:: max(1, len(spans) // 20)]
    assert all(qwen.count(text[s.start : s.end]) == s.tokens <= 300 for s in sample)
    for keep in ("start", "end", "ends"):
        assert 250 < qwen.count(qwen.truncate(text, 300, keep=keep)) <= 300


@pytest.mark.parametrize("unit", ["a", "=", " ", "\n", "-", "xqzj", "通", "ab ", "、", "))))"])
@pytest.mark.parametrize(("limit", "overlap"), [(20, 10), (100, 99), (500, 64)])
def test_an_endless_run_is_split_with_an_overlap_as_any_text(qwen, size, unit, limit, overlap):
    text = unit * (60_000 // len(unit.encode())) + "end."
    spans = qwen.spans(text, limit, overlap=overlap)
    end = 0
    for span in spans:
        assert span.start <= end < span.end
        assert span.tokens <= limit
        end = span.end
    assert end == len(text)
    sample = spans[1 :: max(1, len(spans) // 20)]
    before = dict(zip(spans[1:], spans, strict=False))
    for span in sample:
        assert size(text[span.start : span.end]) == span.tokens
        assert size(text[span.start : before[span].end]) <= overlap


def test_what_is_kept_is_the_users_own_text(qwen):
    """Counted in NFC, cut and given back as it came: decomposed, with surrogates, with NUL."""
    text = "e\u0301\0a\ud800b\ud83d\ude00\u1112\u1161\u11ab" * 40
    for keep in ("start", "end", "ends"):
        kept = qwen.truncate(text, 50, keep=keep)
        assert qwen.count(kept) <= 50
        assert text.startswith(kept) or text.endswith(kept) or keep == "ends"
    pieces = qwen.split(text, 50)
    assert "".join(pieces) == text
    assert all(qwen.count(piece) <= 50 for piece in pieces)
    assert not any(piece.startswith("\ude00") for piece in pieces), "a pair is one character"


@some
@given(text=texts)
def test_fitting_is_being_no_more_than_the_limit(qwen, size, text):
    count = size(text)
    for limit in {1, max(1, count - 1), max(1, count), count + 1, 3 * len(text) + 1}:
        assert qwen.fits(text, limit) == (count <= limit)


def test_where_the_bytes_fit_nothing_is_tokenized():
    bare = Tokenizer.__new__(Tokenizer)  # without a vocabulary: to count would fail
    assert bare.fits("héllo", 6)
    assert bare.fits("", 1)
    with pytest.raises(AttributeError):
        bare.fits("\u0fb9", 3)  # 3 bytes, and 6 in NFC


def test_the_empty_text_is_nothing_to_cut(qwen):
    assert [qwen.truncate("", 1, keep=keep) for keep in ("start", "end", "ends")] == [""] * 3
    assert qwen.split("", 1) == []


@pytest.mark.parametrize("limit", [0, -1])
@pytest.mark.parametrize("name", ["qwen", "qwen3.5"])
def test_a_limit_below_one_is_refused(name, limit):
    for cut in (measurer(name).truncate, measurer(name).split):
        with pytest.raises(InvalidRequestError, match=f"max_tokens is {limit}; .* at least 1"):
            cut("x", limit)


@pytest.mark.parametrize("limit", ["5", 2.5, None, True])
def test_a_limit_that_is_no_number_of_tokens_is_refused(qwen, limit):
    for cut in (qwen.truncate, qwen.split, qwen.fits):
        with pytest.raises(
            InvalidRequestError, match=f"max_tokens is a whole number, not {limit!r}"
        ):
            cut("x", limit)
    with pytest.raises(InvalidRequestError, match=r"overlap is a whole number, not 1\.5"):
        qwen.split("x", 5, overlap=1.5)


@pytest.mark.parametrize("limit", ["5", 2.5, None, True])
def test_counting_up_to_what_is_no_number_is_refused(qwen, limit):
    with pytest.raises(InvalidRequestError, match=f"limit is a whole number, not {limit!r}"):
        qwen.count_up_to("x", limit)
    with pytest.raises(InvalidRequestError, match=r"threads is a whole number, not 2\.5"):
        qwen.count("x", threads=2.5)


def test_counting_up_to_more_than_a_machine_word_is_counting(qwen):
    assert qwen.count_up_to("hello world", 10**30) == 2
    assert qwen.count("hello world", threads=10**30) == 2


def test_one_text_is_not_taken_for_a_list_of_its_characters(qwen):
    with pytest.raises(InvalidRequestError, match="texts are a list; `count` takes one"):
        qwen.count_batch("hello")
    with pytest.raises(InvalidRequestError, match="chats are a list of prompts"):
        tokenfare.count_chats("hello", model="qwen-max")


@pytest.mark.parametrize("name", ["qwen", "qwen3.5"])
def test_what_is_no_text_is_named(name):
    for cut in (measurer(name).truncate, measurer(name).split):
        with pytest.raises(InvalidRequestError, match="a text is expected, not bytes"):
            cut(b"x", 5)


@pytest.mark.parametrize("overlap", [-1, 5, 6])
@pytest.mark.parametrize("name", ["qwen", "qwen3.5"])
def test_an_overlap_that_leaves_no_room_is_refused(name, overlap):
    with pytest.raises(InvalidRequestError, match=f"overlap is {overlap}; .* less than max_tokens"):
        measurer(name).split("some text", 5, overlap=overlap)


def test_an_unknown_end_is_refused(qwen):
    with pytest.raises(
        InvalidRequestError, match="keep is 'middle'; it is one of start, end, ends"
    ):
        qwen.truncate("x", 1, keep="middle")


def test_a_character_that_does_not_fit_is_named_with_its_place_and_tokens(qwen, size):
    with pytest.raises(CharacterTooLong, match="at position 2 is") as caught:
        qwen.split(f"a {FAMILY} b", 3)
    assert caught.value.character == FAMILY
    assert (caught.value.position, caught.value.limit) == (2, 3)
    assert caught.value.tokens == size(FAMILY)
    with pytest.raises(CharacterTooLong) as caught:
        qwen.truncate(f"a {FAMILY}", 3, keep="end")
    assert caught.value.position == 2


def test_a_cluster_of_a_million_marks_is_an_error_and_no_loop(qwen):
    text = "e" + "\u0301" * 500_000
    for cut in (qwen.truncate, qwen.split):
        with pytest.raises(CharacterTooLong, match="…"):
            cut(text, 100)


def test_a_limit_beyond_every_number_keeps_everything(qwen):
    text = "word " * 1000
    assert qwen.truncate(text, 10**30) == text
    assert qwen.split(text, 10**30, overlap=10**29) == [text]


@some
@given(text=texts, limit=st.integers(40, 90), name=st.sampled_from(["qwen3.5", "llama2", "yi"]))
def test_without_a_vocabulary_pieces_certainly_fit(text, limit, name):
    bounds = measurer(name)
    pieces, error = split(bounds, text, limit)
    if error:
        assert bounds.at_most(error.character) == error.tokens > limit
        return
    assert "".join(pieces) == text
    assert all(bounds.at_most(piece) <= limit for piece in pieces)
    for keep in ("start", "end", "ends"):
        kept = bounds.truncate(text, limit, keep=keep)
        assert bounds.at_most(kept) <= limit
        assert kept or not text


def test_without_a_vocabulary_english_keeps_a_character_for_each_token():
    assert measurer("qwen3.5").truncate("plain words " * 20, 17) == ("plain words " * 20)[:17]
    assert measurer("qwen3.5").spans("one two", 4) == [Span(0, 4, 4), Span(4, 7, 3)]


@pytest.mark.parametrize(
    ("name", "text", "bytes_"),
    [
        ("llama2", "\u0344" * 11, 11 * 2 + 1),  # in NFC two marks: 11 x 4 bytes
        ("llama3", "\u0344" * 11, 11 * 2),
        ("qwen3.5", "e" + "\u0301" * 10, 2 + 9 * 2),  # as it is one byte more
    ],
)
def test_a_character_that_fits_by_its_bound_is_kept(name, text, bytes_):
    """Whether NFC makes it longer or shorter is no matter for a tokenizer that does not do so."""
    assert measurer(name).measure(text).high == bytes_
    assert measurer(name).truncate(text, bytes_) == text
    assert measurer(name).split(text, bytes_) == [text]


def characters(text: str) -> int:
    return len(regex.findall(r"\X", text))


@some
@given(
    st.lists(st.sampled_from([FAMILY, "a", "ab ", "é", "好", "\n\n", "🇨🇳"]), max_size=30).map(
        "".join
    ),
    st.integers(1, 9),
    st.integers(0, 3),
)
@example(f"ab a\n\na{FAMILY}", 4, 3)  # pieces that overlap, the first of them split again
def test_a_tokenizer_with_fewer_tokens_than_bytes_is_cut_too(text, limit, overlap):
    """One that counts characters: a family is 18 bytes and fits into a limit of one."""
    found = spans(characters, text, limit, min(overlap, limit - 1), nfc=True)
    assert all(characters(text[s.start : s.end]) == s.tokens <= limit for s in found)
    assert [s.start for s in found[:1]] == [0][: len(text)]
    assert all(a.start < b.start <= a.end < b.end for a, b in pairwise(found))
    assert [s.end for s in found[-1:]] == [len(text)][: len(text)]
    for keep in ("start", "end", "ends"):
        kept = truncated(characters, text, limit, keep, nfc=True)
        assert characters(kept) <= limit
        assert kept or not text


def test_one_character_may_be_more_than_a_bound_allows():
    with pytest.raises(CharacterTooLong) as caught:
        measurer("yi").truncate("a", 2)  # a byte, and two that such a tokenizer may add
    assert caught.value.tokens == 3

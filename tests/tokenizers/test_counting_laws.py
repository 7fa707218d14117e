"""Laws of counting, and the inputs that other tokenizers fall over."""

from __future__ import annotations

import hashlib
import threading
import time
import tomllib
import unicodedata

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from token_texts import SNIPPETS, texts

from tokenfare.errors import InvalidRequestError, VocabularyError
from tokenfare.tokenizers import SPECIAL_TOKENS, Tokenizer
from tokenfare.tokenizers.ranks import QWEN_FILE, expand

some = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@some
@given(text=texts)
def test_the_count_is_the_number_of_ids(qwen, text):
    assert qwen.count(text) == len(qwen.encode(text))


@some
@given(text=texts, data=st.data())
def test_counting_up_to_a_limit_agrees_for_every_limit(qwen, text, data):
    count = qwen.count(text)
    limit = data.draw(st.integers(0, 2 * count + 1))
    for n in {0, count - 1, count, count + 1, limit} - {-1}:
        assert qwen.count_up_to(text, n) == (count if n >= count else None)


@some
@given(batch=st.lists(texts, max_size=20))
def test_a_batch_is_its_texts(qwen, batch):
    assert qwen.count_batch(batch) == [qwen.count(text) for text in batch]


def test_a_large_batch_is_its_texts_in_order(qwen):
    batch = [snippet * (i % 700) for i, snippet in enumerate(SNIPPETS * 20)]
    assert qwen.count_batch(iter(batch)) == [qwen.count(text) for text in batch]


@pytest.mark.parametrize("threads", [2, 3, 64])
@pytest.mark.parametrize("separator", ["", " ", "\n", "1"])
def test_several_threads_count_what_one_counts(qwen, threads, separator):
    text = separator.join(SNIPPETS * 400)
    assert qwen.count(text, threads=threads) == qwen.count(text) == len(qwen.encode(text))


@settings(some, max_examples=30)
@given(text=texts)
def test_a_long_text_equals_tiktoken_wherever_it_is_cut_inside(qwen, with_tiktoken, text):
    """Texts are counted in parts of 32 kB; this moves every place across that border."""
    unit = text + " x"
    long = unit * (70_000 // len(unit.encode()) + 1)
    ids = qwen.encode(long)
    assert ids == with_tiktoken.encode_ordinary(qwen.decode(ids))
    assert qwen.count(long) == len(ids)


def test_counts_are_not_monotone(qwen):
    """A longer text may be fewer tokens, and two texts together more than apart: nothing may build
    on the opposite."""
    assert qwen.count("  ") + qwen.count("5") < qwen.count("  5")
    assert qwen.count("impor") > qwen.count("import")


# One megabyte each; the count is arithmetic where the vocabulary's longest run of the character is
# known: 8 a's, 128 spaces, 32 line ends ("\n" x 32), 16 tabs, 64 equal signs, one digit.
RUNS = {
    "one letter": ("a", 1_000_000, 125_000),
    "spaces": (" ", 1_000_000, 7_813),
    "line ends": ("\n", 1_000_000, 31_250),
    "tabs": ("\t", 1_000_000, 62_500),
    "equal signs": ("=", 1_000_000, 15_625),
    "digits": ("7", 1_000_000, 1_000_000),
}


@pytest.mark.parametrize("name", RUNS)
def test_a_megabyte_of_one_character_is_counted(qwen, name):
    """tiktoken 0.14 panics on the spaces and the tabs, kitoken aborts the process."""
    character, length, expected = RUNS[name]
    assert qwen.count(character * length) == expected


@pytest.mark.parametrize(
    "unit",
    ["abab", "thequickbrownfox", "Words", "\r\n", " \n\t", "=-", "e\u0301", "\u1100\u1161\u11a8",
     "\u0301", "\u4e2d", "\U0001f469\u200d", "\0", "<|im_end|>", "\u0e17\u0e35\u0e48", "\u3000 "],
)  # fmt: skip
def test_four_times_the_text_takes_about_four_times_the_time(qwen, unit):
    """No input is quadratic. The bound is generous because the machine is shared: quadratic would
    be sixteen times."""

    def seconds(length: int) -> float:
        text = unit * (length // len(unit))
        times = []
        for _ in range(3):
            start = time.process_time()
            qwen.count(text)
            times.append(time.process_time() - start)
        return max(min(times), 1e-3)

    assert seconds(800_000) < 9 * seconds(200_000)


def test_lone_surrogates_are_the_replacement_character(qwen):
    assert qwen.encode("a\ud800b") == qwen.encode("a\ufffdb")
    assert qwen.encode("\udc00\ud800") == qwen.encode("\ufffd\ufffd")
    assert qwen.count("\ud83d\ude00") == qwen.count("😀"), "a pair of surrogates is its character"


def test_nul_is_a_character_like_others(qwen, ranks):
    assert qwen.encode("\0") == [ranks[b"\0"]]
    assert qwen.count("a\0b") == 3


def test_special_tokens_are_text_unless_asked_for(qwen):
    text = "<|im_start|>user\nhi<|im_end|>"
    assert qwen.count(text) == 15
    assert qwen.encode(text, special="qwen2") == [151644, 872, 198, 6023, 151645]
    assert qwen.encode(text, special=["<|im_end|>"])[-1] == 151645
    assert qwen.decode(qwen.encode(text, special="qwen2")) == text


def test_generations_know_different_special_tokens(qwen):
    assert qwen.encode("<think>", special="qwen3") == [151667]
    assert len(qwen.encode("<think>", special="qwen2.5")) == 3
    assert qwen.encode("<|extra_0|>", special="qwen1") == [151646]
    assert qwen.encode("<|object_ref_start|>", special="qwen2.5") == [151646]
    sizes = {name: len(tokens) for name, tokens in SPECIAL_TOKENS.items()}
    assert sizes == {"qwen1": 208, "qwen2": 3, "qwen2.5": 22, "qwen3": 26}


def test_special_tokens_are_found_before_normalization(qwen):
    """`>` and U+0338 compose to U+226F, which would hide the token, if NFC came first."""
    ids = qwen.encode("<|im_end|>\u0338", special="qwen2")
    assert ids[0] == 151645
    assert qwen.decode(qwen.encode("<|im_end|>\u0338")) == "<|im_end|\u226f"


def test_what_cannot_be_meant_is_refused_with_its_name(qwen):
    with pytest.raises(InvalidRequestError, match="qwen9"):
        qwen.encode("x", special="qwen9")
    with pytest.raises(InvalidRequestError, match="<nope>"):
        qwen.encode("x", special=["<nope>"])
    with pytest.raises(InvalidRequestError, match="threads is 0; it is at least 1"):
        qwen.count("x", threads=0)
    with pytest.raises(InvalidRequestError, match="-1"):
        qwen.count_up_to("x", -1)
    with pytest.raises(InvalidRequestError, match="151650"):
        qwen.decode([151650])
    with pytest.raises(InvalidRequestError):
        qwen.decode([-1])


def test_many_threads_get_the_same_counts(qwen):
    batch = [snippet * 300 for snippet in SNIPPETS]
    expected = [qwen.count(text) for text in batch]
    found: list[list[int]] = []
    threads = [
        threading.Thread(target=lambda: found.append([qwen.count(text) for text in batch]))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [expected] * 8


def test_the_vocabulary_is_the_one_that_its_provenance_describes():
    provenance = tomllib.loads((QWEN_FILE.parent / "PROVENANCE.toml").read_text(encoding="utf-8"))
    data = QWEN_FILE.read_bytes()
    assert hashlib.sha256(data).hexdigest() == provenance["sha256"]
    assert len(expand(data)) == provenance["tokens"] == 151_643


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda _: b"", "version 1"),
        (lambda d: b"PK" + d[2:], "version 1"),
        (lambda d: d[:-1], "bytes"),
        (lambda d: d + b"\0", "bytes"),
        (lambda d: d[:1000] + bytes([d[1000] ^ 1]) + d[1001:], "checksum"),
    ],
)
def test_a_damaged_vocabulary_is_refused_with_its_reason(change, reason):
    with pytest.raises(VocabularyError, match=reason):
        Tokenizer("damaged", change(QWEN_FILE.read_bytes()))


def test_decoding_is_exact_even_inside_a_character(qwen):
    ids = qwen.encode("𠀀")
    assert len(ids) > 1
    assert b"".join(qwen.decode_bytes([i]) for i in ids) == "𠀀".encode()
    assert qwen.decode(ids[:1]) == "\ufffd"


def test_unicodedata_is_no_newer_than_the_core():
    """The tests above hold the interpreter's NFC against the core's, which is 16.0."""
    assert tuple(map(int, unicodedata.unidata_version.split("."))) <= (16, 0, 0)

"""Counts as values, bounds that hold, and tokenizers by name."""

from __future__ import annotations

import copy
import operator
import pickle
import subprocess
import sys
import threading
from dataclasses import FrozenInstanceError, asdict, replace

import pydantic
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from token_texts import texts

from tokenfare.errors import (
    InexactCount,
    InvalidRequestError,
    UnknownTokenizer,
    VocabularyMissing,
)
from tokenfare.tokenizers import (
    Bounds,
    Count,
    Measurer,
    Tokenizer,
    get_tokenizer,
    measurer,
    tokenizer_names,
)


def test_an_exact_count_is_a_number():
    assert int(Count.exactly(7)) == 7
    assert Count.exactly(7).exact


@given(st.lists(st.integers(0, 12), min_size=3, max_size=3), st.integers(-1, 14))
def test_a_count_is_compared_with_a_number_where_every_truth_says_the_same(ends, limit):
    low, value, high = sorted(ends)
    count = Count(value, low, high, "bounds")
    for compare in (operator.lt, operator.le, operator.gt, operator.ge):
        answers = {compare(truth, limit) for truth in range(low, high + 1)}
        if len(answers) == 1:
            assert compare(count, limit) is answers.pop()
        else:
            with pytest.raises(InexactCount, match=r"not certain; compare \.high"):
                compare(count, limit)


def test_a_count_is_compared_with_whole_numbers_alone():
    for other in (Count.exactly(3), 3.5, True, "3", None):
        with pytest.raises(TypeError, match="not supported"):
            Count.exactly(7) < other  # noqa: B015


def test_counts_are_written_and_added_as_numbers_are():
    assert f"{Count.exactly(1_234):,}|{Count.exactly(7):>4}|{Count.exactly(7)}" == (
        "1,234|   7|Count(value=7, low=7, high=7, how='exact')"
    )
    assert sum([Count.exactly(3), Count(2, 1, 9, "bounds")]) == Count(5, 4, 12, "bounds")
    with pytest.raises(InexactCount, match="between 1 and 9"):
        f"{Count(2, 1, 9, 'bounds'):,}"
    with pytest.raises(TypeError, match="unsupported operand"):
        1 + Count.exactly(3)


@pytest.mark.parametrize("count", [Count.exactly(7), Count(5, 4, 12, "bounds")])
def test_a_count_is_a_value_that_stays_as_it_is(count):
    values = {"value": count.value, "low": count.low, "high": count.high, "how": count.how}
    assert eval(repr(count)) == count  # noqa: S307
    copies = [copy.copy(count), copy.deepcopy(count), pickle.loads(pickle.dumps(count))]  # noqa: S301
    assert [asdict(copied) for copied in copies] == [values] * 3
    assert pydantic.TypeAdapter(Count).dump_python(count) == values
    assert replace(count, high=20) == Count(count.value, count.low, 20, count.how)
    with pytest.raises(InvalidRequestError):
        replace(count, high=0)
    with pytest.raises(FrozenInstanceError):
        count.value = 8
    with pytest.raises(FrozenInstanceError):
        del count.high


def test_an_inexact_count_is_not_taken_for_a_number():
    with pytest.raises(InexactCount, match="between 1 and 9"):
        int(Count(3, 1, 9, "bounds"))
    with pytest.raises(TypeError):
        int(Count(3, 1, 9, "bounds"))


@pytest.mark.parametrize("ends", [(-1, -1, 0), (5, 6, 7), (5, 1, 4), (0, -1, 1)])
def test_a_count_that_contradicts_itself_cannot_be_made(ends):
    with pytest.raises(InvalidRequestError):
        Count(*ends, how="bounds")


def test_counts_add_end_by_end():
    total = Count.exactly(10) + Count(3, 1, 9, "bounds")
    assert total == Count(10 + 3, 10 + 1, 10 + 9, "bounds")
    assert (Count.exactly(1) + Count.exactly(2)).exact


def test_measuring_with_the_vocabulary_is_exact():
    measured = get_tokenizer("qwen").measure("hello world")
    assert measured == Count(2, 2, 2, "exact")


def test_one_tokenizer_is_shared_by_all_threads():
    found = []
    threads = [threading.Thread(target=lambda: found.append(measurer("qwen"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(map(id, found))) == 1


def test_a_missing_vocabulary_is_never_replaced_by_another():
    with pytest.raises(VocabularyMissing, match=r"qwen3\.5"):
        get_tokenizer("qwen3.5")
    assert isinstance(measurer("qwen3.5"), Bounds)
    assert isinstance(measurer("qwen"), Tokenizer)


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(UnknownTokenizer, match=r"known: qwen, qwen3\.5, llama3"):
        measurer("gpt-4")


@pytest.mark.parametrize("name", tokenizer_names())
def test_every_known_name_measures(name):
    tool = measurer(name)
    assert isinstance(tool, Measurer)
    assert tool.name == name
    assert tool.measure("").value == 0
    assert tool.measure("x").low == 1


@settings(deadline=None, max_examples=100)
@given(text=texts)
def test_bounds_hold_for_a_byte_level_tokenizer_that_is_known(text):
    """Qwen's own vocabulary is of the kind that the rule for Qwen 3.5 speaks about."""
    truth = get_tokenizer("qwen").count(text)
    for name in ("qwen3.5", "unknown"):
        measured = measurer(name).measure(text)
        assert measured.low <= truth <= measured.high
        assert measured.how == ("exact" if measured.low == measured.high else "bounds")


def test_bounds_that_meet_are_exact():
    """No text is no token, and one byte is one token in every byte-level vocabulary."""
    assert measurer("qwen3.5").measure("") == Count.exactly(0)
    assert measurer("unknown").measure("") == Count.exactly(0)
    assert measurer("qwen3.5").measure("$") == Count.exactly(1)
    assert measurer("qwen3.5").measure("$$") == Count(1, 1, 2, "bounds")


def test_bounds_hold_where_nfc_makes_a_text_longer():
    """U+1D160 is one character of 4 bytes and three of 4 in NFC."""
    text = "\U0001d160" * 10
    assert measurer("qwen3.5").measure(text).high == 10 * 12
    assert get_tokenizer("qwen").count(text) <= 10 * 12


def test_sentencepiece_may_put_one_space_before_the_text():
    """Without a merge, `xy` is the dummy space and two letters."""
    assert measurer("llama2").measure("xy").high == 3


def test_lone_surrogates_have_bounds():
    assert measurer("llama3").measure("\ud800").high == 3


def test_importing_loads_no_table_and_no_native_code():
    code = "import sys, tokenfare.tokenizers; print('tokenfare._core' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "False"


def test_an_exact_count_equals_its_number_and_is_found_by_it() -> None:
    """Otherwise `count == 7` would be false of every count, without a word."""
    assert Count.exactly(7) == 7
    assert operator.eq(7, Count.exactly(7))
    assert Count.exactly(7) != 8
    assert Count.exactly(7) != "7"
    assert Count.exactly(1) != True  # noqa: E712 - a truth value is no number of tokens
    assert {7: "seven"}[Count.exactly(7)] == "seven"
    assert hash(Count(5, 1, 9, "bounds")) == hash(Count(5, 1, 9, "bounds"))
    assert Count(7, 7, 7, "recorded") == Count.exactly(7), "each equals 7"
    assert len({Count(7, 7, 7, "recorded"), Count.exactly(7), 7}) == 1, "in any order"
    assert Count(5, 1, 9, "bounds") != Count(5, 1, 9, "length")


def test_whether_a_count_between_ends_is_a_number_is_said_where_it_is_certain() -> None:
    some = Count(5, 1, 9, "bounds")
    assert some != 0
    assert some != 10
    assert some == Count(5, 1, 9, "bounds")
    for number in (1, 5, 9):
        with pytest.raises(InexactCount, match=f"whether that is {number} is not certain"):
            _ = some == number

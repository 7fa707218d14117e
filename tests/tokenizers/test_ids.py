"""Ids as lists and as arrays, in and out."""

from __future__ import annotations

import array
import ctypes
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_counting_laws import some
from token_texts import SNIPPETS, texts

from tokenfare.errors import InvalidRequestError


@some
@given(text=texts)
def test_an_array_of_ids_is_the_list(qwen, text):
    ids = qwen.encode_to_numpy(text)
    assert ids.dtype == np.uint32
    assert ids.tolist() == qwen.encode(text)


def test_an_array_of_ids_may_be_written_to(qwen):
    ids = qwen.encode_to_numpy("hello")
    ids[0] = 1
    assert ids[0] == 1


@pytest.mark.parametrize("special", ["ordinary", "qwen2", ["<|im_end|>"]])
def test_an_array_knows_special_tokens_as_a_list_does(qwen, special):
    text = "<|im_start|>user\nhi<|im_end|>"
    assert qwen.encode_to_numpy(text, special=special).tolist() == qwen.encode(
        text, special=special
    )


@pytest.mark.parametrize("kind", [np.uint32, np.int64, np.int32, np.uint64, np.uint16])
def test_arrays_of_every_width_are_decoded(qwen, kind):
    ids = [i for i in qwen.encode("".join(SNIPPETS)) if i < 65_536]
    assert qwen.decode(np.array(ids, dtype=kind)) == qwen.decode(ids)
    assert qwen.decode_bytes(np.array(ids, dtype=kind)[::2]) == qwen.decode_bytes(ids[::2])


@pytest.mark.parametrize(
    "ids",
    [range(300), tuple(range(300)), iter(range(300)), array.array("I", range(300))],
    ids=lambda ids: type(ids).__name__,
)
def test_other_sequences_are_decoded(qwen, ids):
    assert qwen.decode(ids) == qwen.decode(list(range(300)))


@pytest.mark.parametrize("letter", "hHiIlLqQ")
def test_an_empty_array_is_decoded(qwen, letter):
    """The buffer of an empty `array.array` is not aligned."""
    assert qwen.decode(array.array(letter)) == ""
    assert qwen.decode(memoryview(array.array(letter))) == ""
    assert qwen.decode(np.array([], dtype=letter)) == ""


def test_an_array_that_is_not_aligned_is_decoded(qwen):
    ids = np.array(qwen.encode("hello world"), dtype=np.uint32)
    shifted = np.frombuffer(b"-" + ids.tobytes(), dtype=np.uint32, offset=1)
    assert qwen.decode(shifted) == "hello world"
    with pytest.raises(InvalidRequestError, match="hand over the array itself"):
        qwen.decode(memoryview(shifted))


@pytest.mark.parametrize("mask", [np.ma.nomask, [False, False]])
def test_an_array_that_masks_nothing_is_decoded(qwen, mask):
    assert qwen.decode(np.ma.masked_array(qwen.encode("hello world"), mask)) == "hello world"


def test_numbers_that_are_not_plain_are_read_by_their_index(qwen):
    ids = qwen.encode("hello world")
    assert qwen.decode([np.uint32(i) for i in ids]) == "hello world"
    assert qwen.decode([True]) == qwen.decode([1])


@some
@given(
    ids=st.lists(st.sampled_from([0, 1, 255, 256, 65_536, 151_642, 32_000]), max_size=40),
    other=st.sampled_from([True, False, np.int64(70_000), np.uint16(7), 0]),
    before=st.integers(0, 3),
)
def test_numbers_that_are_not_plain_stand_anywhere_in_a_long_list(qwen, ids, other, before):
    """A list is read 1,024 numbers at a time, plain ones in place."""
    mixed = [3] * (1023 - before) + [other, *ids, other] + [4] * 1030 + [other]
    assert qwen.decode_bytes(mixed) == qwen.decode_bytes(np.array([int(i) for i in mixed]))


def test_an_integer_of_another_class_is_its_value(qwen):
    class Whole(int):
        pass

    assert qwen.decode_bytes([3, Whole(7)]) == qwen.decode_bytes([3, 7])


@some
@given(ids=st.lists(st.integers(0, 151_642), max_size=50))
def test_any_ids_decode_alike_from_every_container(qwen, ranks, ids):
    tokens = {rank: token for token, rank in ranks.items()}
    expected = b"".join(tokens[i] for i in ids)
    assert qwen.decode_bytes(ids) == expected
    assert qwen.decode_bytes(np.array(ids, dtype=np.uint32)) == expected
    assert qwen.decode(ids) == expected.decode(errors="replace")


def test_special_tokens_stand_among_others(qwen):
    text = "<|im_start|>user\nhi<|im_end|>"
    ids = qwen.encode(text, special="qwen2")
    assert qwen.decode(np.array(ids)) == text


def test_every_id_is_the_same_number_again(qwen):
    """A million equal ids are a million pointers, not a million objects."""
    first, second = qwen.encode("internationalization"), qwen.encode("internationalization")
    assert all(one is other for one, other in zip(first, second, strict=True))


@pytest.mark.parametrize(
    ("ids", "reason"),
    [
        ([0, -1], r"ids\[1\] is -1, the id of no token"),
        ([2**32], r"ids\[0\] is 4294967296, the id of no token"),
        ([2**32 - 1], "4294967295 is the id of no token"),
        ([2**200], r"ids\[0\] does not fit 128 bits: the id of no token"),
        ([1, "x"], r"ids\[1\] is of .*str.*; an id is an integer"),
        ([None], r"ids\[0\] is of .*NoneType"),
        ([1.0], r"ids\[0\] is of .*float"),
        ((1, -5), r"ids\[1\] is -5"),
        (np.array([3, -7]), r"ids\[1\] is -7"),
        (np.array([2**40]), r"ids\[0\] is 1099511627776"),
        (np.array([1.5]), "holds no ids"),
        (np.ma.masked_array([15, 16, 17], [False, True, True]), r"ids\[1\] is masked.*compressed"),
        (np.array([[1]]), "one dimension, not 2"),
        (b"abc", "holds no ids"),
        (5, "iterable"),
    ],
    ids=str,
)
def test_what_is_no_id_is_refused_with_its_place(qwen, ids, reason):
    for decode in (qwen.decode, qwen.decode_bytes):
        with pytest.raises(InvalidRequestError, match=reason):
            decode(ids)


def test_what_iterating_ids_raises_comes_out_as_it_is(qwen):
    raised = TypeError("of the caller's own")

    class Broken:
        def __iter__(self):
            raise raised

    for ids in (Broken(), (each + 1 for each in [1, "x"])):
        with pytest.raises(TypeError) as caught:
            qwen.decode(ids)
        assert not isinstance(caught.value, InvalidRequestError)


@pytest.mark.parametrize(
    "raised", [TypeError("mine"), OverflowError("mine"), KeyError("mine"), KeyboardInterrupt()]
)
@pytest.mark.parametrize("container", [list, tuple, iter])
def test_what_the_index_of_an_id_raises_comes_out_as_it_is(qwen, container, raised):
    asked = []

    class Broken:
        def __index__(self):
            asked.append(self)
            raise raised

    for decode in (qwen.decode, qwen.decode_bytes):
        with pytest.raises(type(raised)) as caught:
            decode(container([1, Broken()]))
        assert caught.value is raised
    assert len(asked) == 2, "once a call"


def test_an_index_that_is_no_integer_is_no_id(qwen):
    class Odd:
        def __index__(self):
            return "1"  # noqa: PLE0305 - the mistake

    with pytest.raises(InvalidRequestError, match=r"ids\[0\] is of .*Odd.*; an id is an integer"):
        qwen.decode([Odd()])


@pytest.mark.parametrize("make", [np.int64, np.uint8, np.float64])
def test_a_single_number_of_numpy_is_no_ids(qwen, make):
    """It has `__getitem__`, as what can be iterated has."""
    with pytest.raises(InvalidRequestError, match="ids are a list, an array or another iterable"):
        qwen.decode(make(5))


@pytest.mark.parametrize("kind", ["i2", "u2", "i4", "u4", "i8", "u8"])
@pytest.mark.parametrize("order", "<>=")
def test_ids_in_the_byte_order_of_another_machine_are_read_right(qwen, order, kind):
    ids = [1, 2, 256, 512, 0x0102]
    expected = qwen.decode(ids)
    assert qwen.decode(np.array(ids, dtype=order + kind)) == expected
    assert qwen.decode_bytes(np.array(ids, dtype=order + kind)[:0]) == b""


@pytest.mark.parametrize("of", ["__ctype_be__", "__ctype_le__"])
def test_an_array_of_ctypes_says_its_byte_order_and_is_read_by_it(qwen, of):
    ids = [1, 2, 256, 512]
    array = (getattr(ctypes.c_uint32, of) * len(ids))(*ids)
    assert qwen.decode(array) == qwen.decode(ids)


def test_a_view_that_does_not_give_its_numbers_is_refused_with_a_way_out(qwen):
    released = memoryview(np.array([1, 2], dtype=np.uint32))
    released.release()
    swapped = memoryview(np.array([1, 2], dtype=">u4"))
    for view, reason in ((released, "before the view is released"), (swapped, "the array itself")):
        for decode in (qwen.decode, qwen.decode_bytes):
            with pytest.raises(InvalidRequestError, match=reason):
                decode(view)


@pytest.mark.parametrize("special", [["qwen3"], {"<think>"}, 5])
def test_decoding_takes_the_name_of_one_set(qwen, special):
    for decode in (qwen.decode, qwen.decode_bytes):
        with pytest.raises(InvalidRequestError, match="decoding takes the name of one set"):
            decode([1], special=special)


def test_what_names_no_set_is_answered_with_those_that_there_are(qwen):
    with pytest.raises(InvalidRequestError, match=r"called 'ordinary'; known: qwen1, qwen2, "):
        qwen.decode([1], special="ordinary")
    with pytest.raises(InvalidRequestError, match=r"called 'x'; known: ordinary, qwen1, "):
        qwen.encode("a", special="x")


@pytest.mark.parametrize("special", [5, [5], [["<think>"]], None])
def test_encoding_refuses_what_is_neither_a_set_nor_a_collection_of_names(qwen, special):
    for encode in (qwen.encode, qwen.encode_to_numpy):
        with pytest.raises(InvalidRequestError, match="the name of a set of special tokens"):
            encode("a", special=special)


def test_a_list_that_shrinks_while_it_is_read_is_an_error_or_its_rest(qwen):
    class Shrinking:
        def __index__(self):
            ids.clear()
            return 1

    ids = [Shrinking(), 2, 3]
    with pytest.raises((InvalidRequestError, IndexError)):
        qwen.decode(ids)


def test_numpy_is_loaded_only_when_it_is_asked_for():
    code = (
        "import sys; from tokenfare.tokenizers import get_tokenizer; t = get_tokenizer('qwen');"
        "t.decode(t.encode('x')); t.count_batch(['x']); print('numpy' in sys.modules);"
        "t.encode_to_numpy('x'); print('numpy' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["False", "True"]


def test_without_numpy_its_package_is_named(qwen, monkeypatch):
    monkeypatch.setitem(sys.modules, "numpy", None)  # as if it were not installed
    with pytest.raises(ImportError, match=r"^encode_to_numpy needs numpy.*: pip install numpy$"):
        qwen.encode_to_numpy("x")


def test_what_was_decoded_before_leaves_nothing_behind(qwen):
    """Room is kept from call to call: after longer texts, errors, and texts too long to keep."""
    short, long = "a line, \u901a\u4e49", "one two three " * 400_000
    ids, many = qwen.encode(short), qwen.encode(long)
    some_words = ("one two three " * 1000).rstrip()
    for more, expected in ((many[:3000], some_words), (many, long)):
        assert qwen.decode(more) == expected
        assert qwen.decode(ids) == short
        with pytest.raises(InvalidRequestError, match="200000 is the id of no token"):
            qwen.decode([*more, 200_000])
        assert qwen.decode(np.array(ids)) == short
        assert qwen.decode([]) == ""

"""Columns of strings over the Arrow interface: every layout, nulls, chunks, and what is refused."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_counting_laws import some
from token_texts import SNIPPETS, texts

from tokenfare.errors import InvalidRequestError

LAYOUTS = (
    pa.string(),
    pa.large_string(),
    pa.string_view(),
    pa.dictionary(pa.int32(), pa.string()),
    pa.dictionary(pa.int8(), pa.large_string()),
)
ROWS = [None, "", *SNIPPETS, None, "x" * 100, SNIPPETS[0], None]


def counted(qwen, rows):
    return [None if text is None else qwen.count(text) for text in rows]


def column(rows, layout):
    if pa.types.is_dictionary(layout):
        return pa.array(rows, layout.value_type).dictionary_encode().cast(layout)
    return pa.array(rows, layout)


@pytest.mark.parametrize("layout", LAYOUTS, ids=str)
def test_every_layout_is_counted_row_by_row(qwen, layout):
    array = column(ROWS, layout)
    for source in (array, pa.chunked_array([array[:5], array[5:5], array[5:]])):
        counts = qwen.count_batch(source)
        assert counts.to_list() == list(counts) == counted(qwen, ROWS)
        assert counts.null_count == 3


@pytest.mark.parametrize("layout", LAYOUTS, ids=str)
def test_a_slice_is_counted_from_where_it_starts(qwen, layout):
    array = column(ROWS, layout)
    for start in (1, 7, 8, 9, 64):
        assert list(qwen.count_batch(array[start:])) == counted(qwen, ROWS[start:])


@some
@given(rows=st.lists(st.none() | texts, max_size=20), layout=st.sampled_from(LAYOUTS))
def test_a_column_is_its_rows(qwen, rows, layout):
    assert list(qwen.count_batch(column(rows, layout))) == counted(qwen, rows)


def test_counts_go_back_into_arrow_as_they_are(qwen):
    counts = pa.array(qwen.count_batch(pa.array(ROWS)))
    assert counts.type == pa.int64()
    assert counts.to_pylist() == counted(qwen, ROWS)
    counts.validate(full=True)


def test_a_column_of_a_stream_of_batches_is_counted(qwen):
    table = pa.table({"text": pa.chunked_array([ROWS[:9], ROWS[9:]])})
    assert list(qwen.count_batch(table["text"])) == counted(qwen, ROWS)


def reader_that_raises(raised):
    def made():
        yield pa.record_batch({"text": ["a b"]})
        raise raised

    return pa.RecordBatchReader.from_batches(pa.schema([("text", pa.string())]), made())


def test_what_makes_the_batches_of_a_reader_raises_comes_out_as_it_is(qwen):
    raised = OSError("the database is gone")
    with pytest.raises(OSError, match="gone") as caught:
        qwen.count_batch(reader_that_raises(raised))
    assert caught.value is raised


def test_a_batch_that_is_unlike_its_readers_schema_is_counted_by_name_or_refused(qwen):
    """pyarrow does not compare them; the column at the same place may be another one."""
    schema = pa.schema([("a", pa.string()), ("text", pa.string())])
    right = pa.record_batch({"a": ["x"], "text": ["a b c"]})

    def counts(batch):
        reader = pa.RecordBatchReader.from_batches(schema, [right, batch])
        return list(qwen.count_batch(reader, column="text"))

    assert counts(pa.record_batch({"text": ["a b"], "a": ["x"]})) == counted(qwen, ["a b c", "a b"])
    for unlike, reason in (
        (pa.record_batch({"a": ["x"], "b": ["y"]}), "no column 'text'; there is a, b"),
        (pa.record_batch({"text": [1]}), "'text' is of Int64"),
        (pa.record_batch([], []), "without columns"),
    ):
        with pytest.raises(InvalidRequestError, match=f"from row 1 on is unlike .*{reason}"):
            counts(unlike)


@pytest.mark.parametrize("kind", [ValueError, TypeError, pa.ArrowInvalid])
def test_what_pyarrow_raises_for_data_too_is_refused_in_its_words(qwen, kind):
    """Whether the iterator or pyarrow raised it is not to be seen; it is the cause's cause."""
    raised = kind("the 7th row is odd")
    with pytest.raises(InvalidRequestError, match="the 7th row is odd") as caught:
        qwen.count_batch(reader_that_raises(raised))
    refused = caught.value.__cause__
    assert refused is not None
    assert refused.__cause__ is raised


def test_a_reader_without_batches_has_no_counts_and_one_without_texts_is_refused(qwen):
    def reader(kind):
        return pa.RecordBatchReader.from_batches(pa.schema([("text", kind)]), iter(()))

    assert list(qwen.count_batch(reader(pa.string()))) == []
    with pytest.raises(InvalidRequestError, match="'text' is of Int64"):
        qwen.count_batch(reader(pa.int64()))


def test_counts_without_nulls_are_a_numpy_array(qwen):
    rows = [text for text in ROWS if text is not None]
    counts = qwen.count_batch(pa.array(rows))
    assert np.asarray(counts).dtype == np.int64
    assert np.asarray(counts).tolist() == counts.to_numpy().tolist() == counted(qwen, rows)
    assert np.asarray(counts, dtype=np.float32).dtype == np.float32
    with pytest.raises(ValueError, match="copy"):
        np.array(counts, copy=False)


def test_numpy_has_no_null_and_is_told_so(qwen):
    counts = qwen.count_batch(pa.array(ROWS))
    with pytest.raises(ValueError, match=f"3 of {len(ROWS)} rows are null"):
        np.asarray(counts)


def test_who_asks_numpy_for_floats_has_nulls_as_not_a_number(qwen):
    counts = qwen.count_batch(pa.array(["a b", None]))
    for dtype in (float, np.float32, "f8"):
        found = np.asarray(counts, dtype=dtype)
        assert found.dtype == np.dtype(dtype)
        assert found[0] == 2
        assert np.isnan(found[1])
    with pytest.raises(ValueError, match=r"1 of 2 rows are null.*floats"):
        np.asarray(counts, dtype=np.int32)


def test_counts_are_gone_through_in_order(qwen):
    """By a method of their own: it is what pandas tells a column of values from one value by."""
    counts = qwen.count_batch(pa.array(["a b", None, "a"]))
    assert hasattr(counts, "__iter__")
    assert list(counts) == [2, None, 1]
    assert sorted(filter(None, counts)) == [1, 2]


class Frame:
    """A frame of pandas: it makes Arrow of all its columns or, if it cannot, of none."""

    iloc = None

    def __init__(self, values):
        self._values = values

    @property
    def columns(self):
        return list(self._values)

    def __getitem__(self, names):
        return Frame({name: self._values[name] for name in names})

    def __arrow_c_stream__(self, requested_schema=None):
        return pa.table(self._values).__arrow_c_stream__(requested_schema)


def test_a_frame_is_asked_for_no_other_column_than_the_one_that_is_counted(qwen):
    frame = Frame({"text": ["a b", None], "mixed": ["a", 7]})
    assert qwen.count_batch(frame, column="text").to_list() == [2, None]
    with pytest.raises(InvalidRequestError, match=r"Could not convert|[Ee]xpected bytes"):
        qwen.count_batch(frame, column="mixed")
    with pytest.raises(InvalidRequestError, match=r"no column .other.*text"):
        qwen.count_batch(Frame({"text": ["a"]}), column="other")


def test_a_column_that_a_mixed_frame_does_not_have_is_what_is_complained_of(qwen):
    frame = Frame({"text": ["a b", None], "mixed": ["a", 7]})
    for named in ("typo", "Text"):
        with pytest.raises(InvalidRequestError) as caught:
            qwen.count_batch(frame, column=named)
        said = f"there is no column '{named}'; there is text, mixed"
        assert str(caught.value) == f"{qwen.name}: {said}"
    plain = pa.table({"text": ["a b"], "other": ["c"]})
    with pytest.raises(InvalidRequestError, match="no column 'typo'; there is text, other"):
        qwen.count_batch(plain, column="typo")


def test_rows_are_taken_by_number_from_both_ends(qwen):
    counts = qwen.count_batch(pa.array(["a b", None, "hello world foo"]))
    assert (counts[0], counts[1], counts[2], counts[-1]) == (2, None, 3, 3)
    assert (counts[-3], len(counts)) == (2, 3)
    assert repr(counts) == "<CountColumn, 3 rows, 1 of them null>"
    for beyond in (3, -4):
        with pytest.raises(IndexError, match=f"no row {beyond} in 3"):
            counts[beyond]


def test_an_empty_column_has_no_counts(qwen):
    for source in (pa.array([], pa.string()), pa.chunked_array([], pa.string())):
        assert len(qwen.count_batch(source)) == 0


def test_a_large_column_is_counted_in_order(qwen):
    rows = [SNIPPETS[i % len(SNIPPETS)] * (i % 40) for i in range(20_000)]
    assert list(qwen.count_batch(pa.array(rows))) == counted(qwen, rows)


def test_the_column_is_let_go_afterwards(qwen):
    before = pa.total_allocated_bytes()
    array = pa.array(["some text"] * 1000)
    counts = qwen.count_batch(array)
    del array
    assert pa.total_allocated_bytes() == before
    assert len(counts) == 1000


def test_text_that_is_no_text_is_refused_with_its_row(qwen):
    """A producer may hand over bytes that are not UTF-8 under a type that promises it."""
    bad = pa.array([b"fine", b"\xff\xfe", b"fine"], pa.binary()).view(pa.string())
    with pytest.raises(InvalidRequestError, match="row 1 of the column is not UTF-8"):
        qwen.count_batch(bad)
    with pytest.raises(InvalidRequestError, match="row 4 of the column is not UTF-8"):
        qwen.count_batch(pa.chunked_array([["a", "b", "c"], bad]))


def test_what_lies_under_a_null_is_not_looked_at(qwen):
    values = pa.py_buffer(b"\xff\xfffine")
    offsets = pa.array([0, 2, 6], pa.int32()).buffers()[1]
    valid = pa.py_buffer(bytes([0b10]))
    array = pa.Array.from_buffers(pa.string(), 2, [valid, offsets, values])
    assert list(qwen.count_batch(array)) == [None, 1]


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (pa.array([1, 2]), "the column is of Int64, and one of strings is expected; cast it"),
        (pa.array([b"x"]), "of Binary, and one"),
        (pa.table({"a": ["x"], "b": ["y"]}), r"several columns \(a, b\); say which one .* column="),
        (pa.array([1, 2]).dictionary_encode(), r"of Dictionary\(Int32, Int64\), and one"),
        (pa.nulls(3), "of Null, and one"),
    ],
    ids=str,
)
def test_what_is_no_column_of_strings_is_refused_by_its_type(qwen, source, reason):
    with pytest.raises(InvalidRequestError, match=reason):
        qwen.count_batch(source)


class Careless:
    def __arrow_c_stream__(self, requested_schema=None):
        return "not a capsule"


class WrongCapsule:
    def __arrow_c_stream__(self, requested_schema=None):
        return pa.array(["x"]).__arrow_c_array__()[0]


class NoPair:
    def __arrow_c_array__(self, requested_schema=None):
        return ()


@pytest.mark.parametrize("source", [Careless(), WrongCapsule(), NoPair()])
def test_a_capsule_that_is_none_is_refused(qwen, source):
    with pytest.raises(InvalidRequestError):
        qwen.count_batch(source)


@pytest.mark.parametrize("taken", ["both", "the array", "the schema"])
def test_a_column_that_somebody_took_already_is_refused(qwen, taken):
    capsules, fresh = (pa.array(["x"]).__arrow_c_array__() for _ in range(2))
    pa.Array._import_from_c_capsule(*capsules)
    schema = fresh[0] if taken == "the array" else capsules[0]
    array = fresh[1] if taken == "the schema" else capsules[1]

    class Spent:
        def __arrow_c_array__(self, requested_schema=None):
            return schema, array

    with pytest.raises(InvalidRequestError, match="was handed out already"):
        qwen.count_batch(Spent())


@pytest.mark.parametrize("column", [5, ["a"], {}])
@pytest.mark.parametrize("source", [pa.table({"a": ["x"], "b": ["y"]}), Frame({"a": ["x"]}), ["x"]])
def test_a_column_is_named_by_a_text(qwen, source, column):
    with pytest.raises(InvalidRequestError, match="is no str, and a column is named by one"):
        qwen.count_batch(source, column=column)


def test_half_a_surrogate_pair_names_no_column(qwen):
    with pytest.raises(InvalidRequestError, match=r"no column '\\ud800'"):
        qwen.count_batch(pa.table({"a": ["x"]}), column="\ud800")


def test_a_list_names_what_is_no_string(qwen):
    with pytest.raises(
        InvalidRequestError, match=r"texts\[1\]: a string is expected, not NoneType"
    ):
        qwen.count_batch(["a", None])
    with pytest.raises(InvalidRequestError, match=r"texts\[0\]: a string is expected, not bytes"):
        qwen.count_batch(iter([b"a"]))

"""Columns of tables, for models and by tokenizers: `tokenfare.count` on Arrow data."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from token_texts import texts

import tokenfare as tf
from tokenfare import tokenizers
from tokenfare.errors import InvalidRequestError, UnknownModel, VocabularyMissing

TEXTS = ["Hello, world", None, "你好", "", "Hello, world"]
NUMBERS = [3, None, 1, 0, 3]
LAYOUTS = (
    pa.string(),
    pa.large_string(),
    pa.string_view(),
    pa.dictionary(pa.int32(), pa.string()),
)
DICTIONARIES = (
    pa.dictionary(pa.int8(), pa.large_string()),
    pa.dictionary(pa.uint16(), pa.string_view()),
    pa.dictionary(pa.int64(), pa.string()),
)


def table(layout: pa.DataType = LAYOUTS[0]) -> pa.Table:
    texts = in_layout(TEXTS, layout)
    return pa.table({"id": range(5), "prompt": texts, "other": ["a"] * 5})


class Stream:
    """What has the one method, and nothing else of a table."""

    def __init__(self, given: Any) -> None:
        self.__arrow_c_stream__ = given.__arrow_c_stream__


class Piece:
    """The same in one piece."""

    def __init__(self, given: Any) -> None:
        self.__arrow_c_array__ = given.__arrow_c_array__


@pytest.mark.parametrize("layout", LAYOUTS, ids=str)
def test_a_column_of_a_table_is_counted_whoever_holds_it(layout: pa.DataType) -> None:
    whole = table(layout)
    cut = pa.concat_tables([whole.slice(0, 2), whole.slice(2, 0), whole.slice(2)])
    (batch,) = whole.to_batches()
    for source in (whole, cut, Stream(cut), batch, Piece(batch), cut.to_reader()):
        counts = tf.count(source, column="prompt")
        assert counts.to_list() == NUMBERS
    assert tf.count(whole.slice(1, 2), column="prompt").to_list() == NUMBERS[1:3]
    assert tf.count(whole["prompt"]).to_list() == NUMBERS
    assert tf.count(Piece(whole["prompt"].combine_chunks())).to_list() == NUMBERS


def in_layout(texts: list[str | None], layout: pa.DataType) -> pa.Array:
    """A dictionary holds what a shuffled one may: a value twice, one that no row has, nothing."""
    if not pa.types.is_dictionary(layout):
        return pa.array(texts, layout)
    values = [*reversed(texts), "no row has this", None]
    keys = [None if text is None and i % 2 else values.index(text) for i, text in enumerate(texts)]
    found = pa.DictionaryArray.from_arrays(
        pa.array(keys, layout.index_type), pa.array(values, layout.value_type)
    )
    assert found.to_pylist() == texts
    return found


@settings(deadline=None, max_examples=150)
@given(
    layout=st.sampled_from([*LAYOUTS, *DICTIONARIES]),
    chunks=st.lists(st.lists(st.none() | texts, max_size=6), max_size=4),
    carrier=st.sampled_from(["column", "table", "array", "batch"]),
    data=st.data(),
)
def test_every_layout_is_its_texts_by_both_methods_and_however_it_is_cut(
    layout: pa.DataType, chunks: list[list[str | None]], carrier: str, data: st.DataObject
) -> None:
    """Each chunk of a dictionary comes with its own; a slice begins within a byte of validity."""
    if carrier in {"array", "batch"}:
        chunks = [[text for chunk in chunks for text in chunk]]
    column = pa.chunked_array([in_layout(chunk, layout) for chunk in chunks], layout)
    start = data.draw(st.integers(0, len(column)))
    column = column.slice(start)
    sources = {
        "column": lambda: Stream(column),
        "table": lambda: Stream(pa.table({"n": range(len(column)), "text": column})),
        "array": lambda: Piece(column.chunk(0)),
        "batch": lambda: Piece(pa.record_batch({"n": range(len(column)), "text": column.chunk(0)})),
    }
    counts = tf.count(sources[carrier](), column="text" if carrier in {"table", "batch"} else None)
    rows = [text for chunk in chunks for text in chunk][start:]
    assert counts.to_list() == [None if row is None else int(tf.count(row)) for row in rows]


def test_a_table_of_one_column_needs_no_name() -> None:
    assert tf.count(table().select(["prompt"])).to_list() == NUMBERS


def test_a_field_of_a_structure_is_null_where_that_is() -> None:
    mask = pa.array([False, True, False])
    given = pa.StructArray.from_arrays([pa.array(["a", "b", None])], ["text"], mask=mask)
    assert tf.count(given, column="text").to_list() == [1, None, None]
    assert tf.count(given[1:], column="text").to_list() == [None, None]


def test_a_model_counts_by_its_tokenizer() -> None:
    assert tf.count(table(), model="qwen-plus", column="prompt").to_list() == NUMBERS
    assert tf.count(table(), tokenizer="qwen", column="prompt").to_list() == NUMBERS
    with pytest.raises(UnknownModel, match="qwen-pluss"):
        tf.count(table(), model="qwen-pluss", column="prompt")
    with pytest.raises(InvalidRequestError, match="not both"):
        tf.count(table(), model="qwen-plus", tokenizer="qwen", column="prompt")


def test_a_column_that_could_only_be_bounded_is_refused_with_the_way_out() -> None:
    """A column of numbers says nothing of what is uncertain about them."""
    bounded = next(
        name
        for name in tokenizers.tokenizer_names()
        if tokenizers.tokenizer_info(name).origin == "bounds only"
    )
    assert not tf.count("a text", tokenizer=bounded).exact
    with pytest.raises(VocabularyMissing, match="gives bounds that hold without it"):
        tf.count(table(), tokenizer=bounded, column="prompt")


@pytest.mark.parametrize(
    ("source", "column", "reason"),
    [
        (table(), None, r"several columns \(id, prompt, other\); say which one .* column='…'"),
        (table(), "promt", "no column 'promt'; there is id, prompt, other"),
        (table(), "id", "'id' is of Int64, and one of strings is expected; there is prompt, other"),
        (table().select(["id"]), None, "'id' is of Int64, .*; cast it to strings first"),
        (table()["id"], None, "the column is of Int64, .*; cast it to strings first"),
        (table()["prompt"], "prompt", "one column and no table: leave column='prompt' out"),
        (pa.table([["a"], ["b"]], names=["x", "x"]), "x", "several columns are called 'x'"),
        (pa.table({str(i): ["x"] for i in range(99)}), "y", "there is 0, 1, .*, 19, …"),
        (pa.table({}), None, "a table without columns; one of strings is expected"),
        ("a text", "prompt", "column='prompt' is for tables"),
        (["a", "b"], None, "Arrow data is expected .*, not list; .*count_batch takes a list"),
        ([{"role": "user", "content": "a"}], None, "count_messages one of messages"),
        (7, None, "not int"),
    ],
    ids=lambda it: it if isinstance(it, str) else type(it).__name__,
)
def test_what_cannot_be_counted_is_named_with_the_way_out(
    source: Any, column: str | None, reason: str
) -> None:
    with pytest.raises(InvalidRequestError, match=reason):
        tf.count(source, column=column)


def test_a_row_that_is_no_text_is_named_with_its_column() -> None:
    bad = pa.array([b"fine", b"\xff\xfe"], pa.binary()).view(pa.string())
    with pytest.raises(InvalidRequestError, match="row 1 of the column 'b' is not UTF-8"):
        tf.count(pa.table({"a": ["x", "y"], "b": bad}), column="b")
    assert tf.count(pa.table({"a": ["x", "y"], "b": bad}), column="a").to_list() == [1, 1]


def test_a_value_of_a_dictionary_that_is_no_text_is_not_taken_for_a_row() -> None:
    bad = pa.array([b"fine", b"\xff\xfe"], pa.binary()).view(pa.string())
    column = pa.DictionaryArray.from_arrays(pa.array([0, 0, 0, 1]), bad)
    with pytest.raises(InvalidRequestError, match="value 1 in the dictionary of the column is not"):
        tf.count(column)


def test_a_list_has_no_columns(qwen: Any) -> None:
    with pytest.raises(InvalidRequestError, match="a list has neither __arrow_c_stream__"):
        qwen.count_batch(["a"], column="text")

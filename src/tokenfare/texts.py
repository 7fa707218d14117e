"""Count one text, or a column of texts, for a model of the catalogue or with a named tokenizer.

This is a separate module, below `api`, so that a program that only counts loads quickly: it
imports the tokenizers, but neither the router nor the counting of whole requests. The catalogue is
loaded only if a model is named and the index does not know its tokenizer.
"""

from __future__ import annotations

import os
from functools import lru_cache

from tokenfare.catalog.index import FILES_VARIABLE, tokenizer_of
from tokenfare.errors import InvalidRequestError
from tokenfare.tokenizers import get_tokenizer, measurer

TYPE_CHECKING = False  # as in typing, which takes long to import
if TYPE_CHECKING:  # so that only the first call that needs the catalogue's class loads it
    from datetime import date
    from typing import overload

    from tokenfare._core import ArrowArray, ArrowStream, CountColumn
    from tokenfare.catalog import Catalog
    from tokenfare.tokenizers import Bounds, Count, Tokenizer
    from tokenfare.tokenizers.via_transformers import ByTransformers

DEFAULT_TOKENIZER = "qwen"


def default_catalog(day: date | None = None) -> Catalog:
    """The shipped catalogue with the user's own files on top, on a day (default: today).

    The files are named in `TOKENFARE_CATALOG`; each is read once.
    """
    from datetime import date

    from tokenfare.catalog.catalog import today

    if day is not None and not isinstance(day, date):
        raise InvalidRequestError(
            f"a day is a datetime.date such as date(2024, 12, 18), not {day!r}"
        )
    return _on(os.environ.get(FILES_VARIABLE, ""), day or today())


def facts_of(catalog: Catalog | None, day: date | None = None) -> Catalog:
    """The given catalogue, or the default one; on a day, if one is given."""
    if catalog is None:
        return default_catalog(day)
    from tokenfare.catalog import Catalog

    given: object = catalog  # what a caller without a type checker may have given
    if not isinstance(given, Catalog):
        raise InvalidRequestError(
            f"a catalog is a tokenfare.Catalog, not {type(given).__name__}; "
            "Catalog.load(['mine.toml']) lays files over the shipped one"
        )
    return given if day is None else given.as_of(day)


@lru_cache(maxsize=16)
def _on(files: str, day: date) -> Catalog:
    return _of(files).as_of(day)


@lru_cache(maxsize=4)
def _of(files: str) -> Catalog:
    from tokenfare.catalog import Catalog

    return Catalog.load(environment={FILES_VARIABLE: files})


if TYPE_CHECKING:

    @overload
    def count(
        text: str,
        *,
        model: str | None = None,
        tokenizer: str | None = None,
        column: None = None,
        catalog: Catalog | None = None,
    ) -> Count: ...
    @overload
    def count(
        text: ArrowStream | ArrowArray,
        *,
        model: str | None = None,
        tokenizer: str | None = None,
        column: str | None = None,
        catalog: Catalog | None = None,
    ) -> CountColumn: ...


def count(
    text: str | ArrowStream | ArrowArray,
    *,
    model: str | None = None,
    tokenizer: str | None = None,
    column: str | None = None,
    catalog: Catalog | None = None,
) -> Count | CountColumn:
    """Count the tokens of a text, or of each row of an Arrow column.

    Only the text itself is counted, not what a chat template adds: see `count_messages` for that.

    Args:
        text: A text, or Arrow data: a column, or a table together with `column`. Anything with
            `__arrow_c_stream__` or `__arrow_c_array__` will do (pyarrow, Polars, DuckDB, Daft,
            pandas).
        model: Count with the tokenizer of this model of the catalogue (id or alias).
        tokenizer: Count with the tokenizer of this name (`tokenfare.tokenizers.tokenizer_names`).
            Give either a model or a tokenizer; the default is Qwen's tokenizer.
        column: The column of a table to count; a table with a single column needs none.
        catalog: The catalogue that knows `model`; by default the shipped one with your own files on
            top.

    For a text, returns a `Count`: exact if the vocabulary is on this machine, otherwise bounds that
    always hold. For a column, returns an Arrow column of exact counts (`CountColumn`), null where
    the text is null.

    Raises:
        UnknownModel, UnknownTokenizer: No model or tokenizer has this name.
        InvalidRequestError: The column does not exist or does not hold strings.
        VocabularyMissing: A column is counted without the vocabulary, which would give only bounds.

    Examples:
        >>> import tokenfare as tf
        >>> tf.count("Hello, world", model="qwen-plus")
        Count(value=3, low=3, high=3, how='exact')
        >>> tf.count("Hello, world", model="llama3.3-70b-instruct")
        Count(value=3, low=1, high=12, how='bounds')
    """
    if isinstance(text, str):
        if column is not None:
            raise InvalidRequestError(f"column={column!r} is for tables; a text is counted alone")
        return measurer_for(model, tokenizer, catalog).measure(text)
    if not (hasattr(text, "__arrow_c_stream__") or hasattr(text, "__arrow_c_array__")):
        raise InvalidRequestError(
            "a text or Arrow data is expected (what has __arrow_c_stream__ or __arrow_c_array__), "
            f"not {type(text).__name__}; get_tokenizer(…).count_batch takes a list of texts, "
            "count_messages one of messages"
        )
    return get_tokenizer(_name(model, tokenizer, catalog)).count_batch(text, column=column)


def measurer_for(
    model: str | None, tokenizer: str | None, catalog: Catalog | None = None
) -> Tokenizer | ByTransformers | Bounds:
    """The tokenizer of a model, or the one named; Qwen's if neither is given."""
    return measurer(_name(model, tokenizer, catalog))


def _name(model: str | None, tokenizer: str | None, catalog: Catalog | None) -> str:
    if model is not None and tokenizer is not None:
        raise InvalidRequestError("give a model or a tokenizer, not both")
    if model is not None:
        return tokenizer_for(model, catalog)
    return DEFAULT_TOKENIZER if tokenizer is None else tokenizer


def tokenizer_for(model: str, catalog: Catalog | None = None) -> str:
    """The name of a model's tokenizer. Raises `UnknownModel`."""
    ours_alone = catalog is None and not os.environ.get(FILES_VARIABLE)
    known = tokenizer_of(model) if ours_alone and isinstance(model, str) else None
    return known or facts_of(catalog).get(model).tokenizer

"""Counting a text alone, for a model of the catalogue or by a tokenizer.

Apart from `api`, since it needs neither requests nor the router, and whoever only counts should not
wait for them to be imported: nothing heavier than the tokenizers is, unless the catalogue has to be
asked.
"""

from __future__ import annotations

import os
from functools import lru_cache
from typing import TYPE_CHECKING

from tokenfare.catalog.index import FILES_VARIABLE, tokenizer_of
from tokenfare.errors import InvalidRequestError
from tokenfare.tokenizers import Bounds, Count, Tokenizer, measurer

if TYPE_CHECKING:  # loading the catalogue's class is left to the first call that needs it
    from datetime import date

    from tokenfare.catalog import Catalog
    from tokenfare.tokenizers.via_transformers import ByTransformers

DEFAULT_TOKENIZER = "qwen"


def default_catalog(day: date | None = None) -> Catalog:
    """The shipped catalogue under the user's own files, on a day (today if none is given).

    The files are those that `TOKENFARE_CATALOG` names; each is read once.
    """
    from tokenfare.catalog.catalog import today

    return _on(os.environ.get(FILES_VARIABLE, ""), day or today())


@lru_cache(maxsize=16)
def _on(files: str, day: date) -> Catalog:
    return _of(files).as_of(day)


@lru_cache(maxsize=4)
def _of(files: str) -> Catalog:
    from tokenfare.catalog import Catalog

    return Catalog.load(environment={FILES_VARIABLE: files})


def count(
    text: str,
    *,
    model: str | None = None,
    tokenizer: str | None = None,
    catalog: Catalog | None = None,
) -> Count:
    """Tokens of a text alone, without what a chat adds to it.

    By `model`'s tokenizer, or by a `tokenizer` named directly; Qwen's if neither is given. Exact
    where the vocabulary is here, otherwise with bounds that hold. Raises `UnknownModel` and
    `UnknownTokenizer`.
    """
    return measurer_for(model, tokenizer, catalog).measure(text)


def measurer_for(
    model: str | None, tokenizer: str | None, catalog: Catalog | None = None
) -> Tokenizer | ByTransformers | Bounds:
    """The tokenizer of a model, or the one named; Qwen's if neither is given."""
    if model is not None and tokenizer is not None:
        raise InvalidRequestError("give a model or a tokenizer, not both")
    if model is not None:
        tokenizer = tokenizer_for(model, catalog)
    return measurer(tokenizer or DEFAULT_TOKENIZER)


def tokenizer_for(model: str, catalog: Catalog | None = None) -> str:
    """The name of a model's tokenizer. Raises `UnknownModel`."""
    ours_alone = catalog is None and not os.environ.get(FILES_VARIABLE)
    known = tokenizer_of(model) if ours_alone else None
    return known or (catalog or default_catalog()).get(model).tokenizer

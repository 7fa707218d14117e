"""The index of tokenizers is what the catalogue's files say, on every day."""

from datetime import date

import pytest

from tokenfare.catalog import Catalog
from tokenfare.catalog.index import tokenizer_of


@pytest.mark.parametrize("day", [date(2024, 12, 18), date(2025, 6, 1), date(2026, 11, 23)])
def test_the_index_agrees_with_the_catalogue_on_every_name(day: date) -> None:
    for model in Catalog.load(day=day).models(all=True):
        for name in (model.id, *model.aliases):
            assert tokenizer_of(name) == model.tokenizer, name


def test_a_name_that_is_not_there_has_no_tokenizer() -> None:
    assert tokenizer_of("gpt-4") is None

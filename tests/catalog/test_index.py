"""The index of tokenizers is what the catalogue's files say, on every day."""

from datetime import date
from pathlib import Path

import pytest

from tokenfare.catalog import Catalog, index
from tokenfare.catalog.index import tokenizer_of
from tokenfare.errors import CatalogError


@pytest.mark.parametrize("day", [date(2024, 12, 18), date(2025, 6, 1), date(2026, 11, 23)])
def test_the_index_agrees_with_the_catalogue_on_every_name(day: date) -> None:
    for model in Catalog.load(day=day).models(all=True):
        for name in (model.id, *model.aliases):
            assert tokenizer_of(name) == model.tokenizer, name


def test_a_name_that_is_not_there_has_no_tokenizer() -> None:
    assert tokenizer_of("gpt-4") is None


@pytest.mark.parametrize(
    "damaged",
    [
        b"qwen-plus\tqw",
        b"qwen-plus",
        b"qwen-plus\n",
        b"qwen-plus\tqwen\tqwen\n",
        b"<<<<<<< HEAD\nqwen-plus\tqwen\n",
        b'{\n  "qwen-plus": "qwen"\n}\n',
        b"\xff\xfe\n",
        None,
    ],
)
def test_a_damaged_index_is_refused_with_its_path(
    damaged: bytes | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "index.tsv"
    if damaged is not None:
        path.write_bytes(damaged)
    monkeypatch.setattr(index, "PATH", str(path))
    index._index.cache_clear()
    with pytest.raises(CatalogError, match=r"index\.tsv: .*; install tokenfare again"):
        tokenizer_of("qwen-plus")
    monkeypatch.undo()
    assert tokenizer_of("qwen-plus") == "qwen"


def test_the_index_has_no_other_names_than_the_catalogue() -> None:
    models = Catalog.load().models(all=True)
    assert set(index._index()) == {name for each in models for name in (each.id, *each.aliases)}

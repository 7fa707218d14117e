"""Which tokenizer a model of the shipped catalogue has, without loading the catalogue.

Reading and checking the catalogue's files takes pydantic and some 0.2 s; counting a text for a
model needs one word of it. The index holds that word for every id and alias. It is made from the
files by `scripts/make_catalog.py` and held equal to them by a test. A model's tokenizer does
not change with the day.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

FILES_VARIABLE = "TOKENFARE_CATALOG"
"""The environment variable that names the user's own files; where it is set, they may say other
than the index."""

PATH = Path(__file__).parent / "data" / "index.json"


def tokenizer_of(name: str) -> str | None:
    """The tokenizer of a model by its id or alias, `None` for a name that is not in the index."""
    return _index().get(name)


@cache
def _index() -> dict[str, str]:
    loaded: dict[str, str] = json.loads(PATH.read_text(encoding="utf-8"))
    return loaded

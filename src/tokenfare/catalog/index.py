"""The tokenizer of each model in the shipped catalogue, without loading the catalogue.

Reading and checking the catalogue's files needs pydantic and some 0.2 s, and counting a text for a
model needs only the name of its tokenizer. The index has that name for every id and alias.
`scripts/make_catalog.py` makes it from the files, and a test compares the two. A model's tokenizer
does not change with the day.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

FILES_VARIABLE = "TOKENFARE_CATALOG"
"""The environment variable that names the user's own files. If it is set, the index must not be
used, since these files may differ from it."""

PATH = Path(__file__).parent / "data" / "index.json"


def tokenizer_of(name: str) -> str | None:
    """The tokenizer of a model by its id or alias, `None` for a name that is not in the index."""
    return _index().get(name)


@cache
def _index() -> dict[str, str]:
    loaded: dict[str, str] = json.loads(PATH.read_text(encoding="utf-8"))
    return loaded

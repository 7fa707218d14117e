"""The tokenizer of each model in the shipped catalogue, without loading the catalogue.

Reading and checking the catalogue's files needs pydantic and some 0.2 s, and counting a text for a
model needs only the name of its tokenizer. The index has that name for every id and alias.
`scripts/make_catalog.py` makes it from the files, and a test compares the two. A model's tokenizer
does not change with the day.
"""

from __future__ import annotations

import os.path
from functools import cache

from tokenfare.errors import CatalogError

FILES_VARIABLE = "TOKENFARE_CATALOG"
"""The environment variable that names the user's own files. If it is set, the index must not be
used, since these files may differ from it."""

# A `str`, since importing pathlib takes longer than reading the file. So does importing json.
PATH = os.path.join(os.path.dirname(__file__), "data", "index.tsv")  # noqa: PTH118, PTH120


def tokenizer_of(name: str) -> str | None:
    """The tokenizer of a model by its id or alias, `None` for a name that is not in the index.

    Raises `CatalogError` if the file of the index is damaged.
    """
    return _index().get(name)


@cache
def _index() -> dict[str, str]:
    try:
        with open(PATH, encoding="utf-8") as file:  # noqa: PTH123 - as above
            return _names(file.read())
    except (OSError, ValueError) as error:
        raise CatalogError(
            PATH, "", f"not names with tokenizers ({error}); install tokenfare again"
        ) from error


def _names(text: str) -> dict[str, str]:
    *lines, rest = text.split("\n")
    if rest:
        raise ValueError("it ends within a line")
    return dict(line.split("\t") for line in lines)

"""Writes the index of names that counting uses instead of the whole catalogue.

Run it after an edit of the catalogue's files; a test holds the index equal to them.
"""

from __future__ import annotations

import json
from pathlib import Path

from tokenfare.catalog import Catalog
from tokenfare.catalog.index import PATH


def index(catalog: Catalog) -> dict[str, str]:
    """Every id and alias with the tokenizer of its model."""
    return {
        name: model.tokenizer
        for model in catalog.models(all=True)
        for name in (*model.aliases, model.id)
    }


if __name__ == "__main__":
    found = index(Catalog.load())
    Path(PATH).write_text(json.dumps(found, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    print(f"{len(found)} names in {PATH.name}")

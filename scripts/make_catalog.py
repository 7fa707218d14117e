"""Makes the two files that programs read from the catalogue's files that people write.

`catalog.json`: all facts, checked, in a form that loads in milliseconds. `index.tsv`: the names
with their tokenizers, for counting. Run it after an edit of the TOML files; tests hold both equal
to them.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from tokenfare.catalog import Catalog, index, snapshot
from tokenfare.catalog.load import SHIPPED, SNAPSHOT, from_files


def index_of(catalog: Catalog) -> dict[str, str]:
    """Every id and alias with the tokenizer of its model."""
    return {
        name: model.tokenizer
        for model in catalog.models(all=True)
        for name in (*model.aliases, model.id)
    }


if __name__ == "__main__":
    facts = from_files(sorted(SHIPPED.glob("*.toml")))
    SNAPSHOT.write_bytes(snapshot.written(facts.models, facts.providers, facts.sources))
    names = index_of(Catalog(facts, datetime.now(tz=UTC).date()))
    text = "".join(f"{name}\t{tokenizer}\n" for name, tokenizer in sorted(names.items()))
    Path(index.PATH).write_text(text, encoding="utf-8")
    print(f"{len(facts.models)} models in {SNAPSHOT.name}, {len(names)} names in {index.PATH}")

"""What tests of imports share: a list in a file, brought in, and laid over the catalogue."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from tokenfare.catalog import Catalog
from tokenfare.catalog.imports import Imported, imported
from tokenfare.catalog.load import overlaid_file, shipped
from tokenfare.catalog.schema import checked
from tokenfare.catalog.snapshot import as_file, opened

DAY = date(2026, 11, 25)


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., tuple[Imported, Catalog]]:
    """Import a list; what it makes must pass the check of files that people write."""

    def reading(name: str, data: object, **options: bool) -> tuple[Imported, Catalog]:
        path = tmp_path / f"{name}-list.json"
        path.write_text(data if isinstance(data, str) else json.dumps(data))
        found = imported(name, path, DAY, shipped(), **options)
        snapshot = tmp_path / "imported.json"
        snapshot.write_bytes(found.written())
        facts, digest = opened(snapshot, found.written())
        assert digest is not None
        rows = {row.id: row for row in checked(as_file(snapshot, facts), as_json=True).model}
        assert rows == dict(found.models)
        return found, Catalog(overlaid_file(shipped(), snapshot), DAY)

    return reading


@pytest.fixture
def reasons() -> Callable[[Imported, str], dict[str, str]]:
    """What was left out of one entry, by key."""

    def of(found: Imported, model: str) -> dict[str, str]:
        return {entry.key: entry.why for entry in found.left_out if entry.model == model}

    return of

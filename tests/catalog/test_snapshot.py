"""What programs read is what people wrote: the snapshot against the catalogue's TOML files."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from copy import deepcopy
from datetime import date

import pytest

from tokenfare.catalog import Catalog
from tokenfare.catalog.codec import from_plain, to_plain
from tokenfare.catalog.entries import ModelRow
from tokenfare.catalog.facts import EMPTY, sha256
from tokenfare.catalog.load import SHIPPED, SNAPSHOT, from_files, overlaid_file, shipped
from tokenfare.catalog.rows import canonical
from tokenfare.catalog.snapshot import opened, shape
from tokenfare.errors import CatalogError

FILES = from_files(sorted(SHIPPED.glob("*.toml")))
DAYS = [date(2023, 6, 1), date(2024, 12, 18), date(2025, 3, 1), date(2026, 11, 23)]


def test_the_snapshot_holds_the_facts_of_the_files():
    head, _, body = SNAPSHOT.read_bytes().partition(b"\n")
    remedy = "run scripts/make_catalog.py"
    assert body.strip() == canonical(FILES.models, FILES.providers, FILES.sources), remedy
    assert json.loads(head)["sha256"] == sha256(body.strip()) == FILES.digest
    assert json.loads(head)["shape"] == shape(), remedy


def test_a_file_of_another_version_is_checked_again(tmp_path):
    """Its entries may have fields that are not known here, or lack some that are."""
    head, _, body = SNAPSHOT.read_bytes().partition(b"\n")
    path = tmp_path / "other.json"
    path.write_bytes(head.replace(shape().encode(), b"other") + b"\n" + body)
    _, digest = opened(path, path.read_bytes())
    assert digest is None
    _, digest = opened(path, head + b"\n" + body)
    assert digest == FILES.digest


def test_a_later_version_of_the_form_is_refused(tmp_path):
    head, _, body = SNAPSHOT.read_bytes().partition(b"\n")
    path = tmp_path / "later.json"
    path.write_bytes(head.replace(b'"version": 1', b'"version": 2') + b"\n" + body)
    with pytest.raises(CatalogError, match=r"later\.json: version: version 1, not 2; import"):
        overlaid_file(EMPTY, path)


@pytest.mark.parametrize("day", DAYS)
def test_every_model_of_the_snapshot_is_that_of_the_files(day):
    ours, theirs = Catalog(shipped(), day), Catalog(FILES, day)
    assert ours.models(all=True) == theirs.models(all=True)
    assert ours.provider("dashscope") == theirs.provider("dashscope")
    assert ours.digest == theirs.digest


def test_a_row_survives_the_way_to_plain_data_and_back():
    for row in FILES.models.values():
        assert from_plain(ModelRow, json.loads(json.dumps(to_plain(row)))) == row


def test_loading_and_asking_takes_no_pydantic_and_no_toml():
    code = (
        "import sys; from tokenfare.catalog import Catalog; c = Catalog.load();"
        "c.get('qwen-plus').evidence['price']; c.models(all=True); c.digest;"
        "sys.exit(bool({'pydantic', 'tomllib'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("copied", [deepcopy, lambda model: pickle.loads(pickle.dumps(model))])  # noqa: S301
def test_a_model_travels_with_its_evidence(copied):
    model = Catalog.load(day=DAYS[1]).get("qwen-plus-2024-08-06")
    assert copied(model) == model
    assert copied(model).evidence["limits.max_input"].mark == "derived"


def test_a_model_is_written_without_an_address_in_memory():
    model = Catalog.load((), day=DAYS[1]).get("qwen-plus")
    assert f"evidence=<evidence of {len(model.evidence)} facts>)" in repr(model)
    assert repr(model) == repr(Catalog(FILES, DAYS[1]).get("qwen-plus"))

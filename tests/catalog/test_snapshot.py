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


def test_a_model_is_written_by_its_id_and_day():
    model = Catalog.load((), day=DAYS[1]).get("qwen-plus")
    assert repr(model) == f"<Model qwen-plus on {DAYS[1]}>"
    assert repr(model.evidence) == f"<evidence of {len(model.evidence)} facts>"


def edited(tmp_path, edit):
    """The shipped snapshot with one model, edited and not written anew."""
    head, _, body = SNAPSHOT.read_bytes().partition(b"\n")
    facts = json.loads(body)
    facts["models"] = {"qwen-plus": facts["models"]["qwen-plus"]}
    path = tmp_path / "edited.json"
    path.write_bytes(head + b"\n" + json.dumps(edit(facts) or facts).encode())
    return path


def _other_key(facts):
    facts["models"]["mine"] = facts["models"].pop("qwen-plus")


def _other_id(facts):
    facts["models"]["qwen-plus"]["id"] = "mine"


def _other_provider(facts):
    facts["providers"]["mine"] = facts["providers"].pop("dashscope")


def _no_such_list(facts):
    facts["models"]["qwen-plus"]["regions"] = 9_999


@pytest.mark.parametrize(
    ("edit", "says"),
    [
        (_other_key, r"models: mine: id: expected 'mine', its key, not 'qwen-plus'; change both"),
        (_other_id, r"models: qwen-plus: id: expected 'qwen-plus', its key, not 'mine'"),
        (_other_provider, r"providers: mine: id: expected 'mine', its key, not 'dashscope'"),
        (_no_such_list, r"models: qwen-plus: regions: 9999 is the number of none of the \d+ lists"),
        (lambda _: [1], "expected a table, as it was written"),
        (lambda facts: facts | {"models": []}, "models: expected a table"),
        (lambda facts: facts | {"models": {"a": 5}}, "models: a: expected a table"),
        (lambda facts: facts | {"lists": None}, "lists: expected a list"),
        (lambda facts: facts | {"sources": 3}, "sources"),
    ],
)
def test_an_edit_of_a_snapshot_is_refused_where_it_means_two_things(tmp_path, edit, says):
    """An id stands twice, as the key and in the row: an edit of the key alone changed nothing."""
    path = edited(tmp_path, edit)
    with pytest.raises(CatalogError, match=says):
        overlaid_file(EMPTY, path)
    with pytest.raises(CatalogError, match=r"edited\.json"):
        Catalog.load([path])


def test_an_edit_of_key_and_id_names_another_model(tmp_path):
    def both(facts):
        row = facts["models"]["mine"] = facts["models"].pop("qwen-plus")
        row["id"] = "mine"
        row.pop("aliases", None)

    day = date(2024, 12, 18)
    found = Catalog.load([edited(tmp_path, both)], day=day).get("mine")
    assert found.price == Catalog.load([], day=day).get("qwen-plus").price

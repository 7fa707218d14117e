"""Whatever a list holds, an import ends with rows in order or with an error that names the file.

Lists of thousands of entries are kept by many hands; a value of the wrong kind in one of them is
left out and said, and the rest comes over.
"""

from __future__ import annotations

import json
from datetime import date

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tokenfare.catalog import Catalog
from tokenfare.catalog.imports import imported
from tokenfare.catalog.load import overlaid_file, shipped
from tokenfare.errors import CatalogError

DAY = date(2026, 11, 25)

PRICES = ["input_cost_per_token", "output_cost_per_token", "input_cost_per_token_above_200k_tokens"]
LITELLM = [
    *PRICES,
    *("mode", "litellm_provider", "max_input_tokens", "max_output_tokens", "max_tokens", "source"),
    *("cache_read_input_token_cost", "cache_creation_input_token_cost", "tiered_pricing", "rpm"),
    *("input_cost_per_token_batches", "output_cost_per_token_batches", "deprecation_date"),
    *("supported_modalities", "supported_output_modalities", "supports_vision"),
    "supported_regions",
]
MODELS_DEV = [
    *("id", "name", "family", "release_date", "modalities", "limit", "cost", "status"),
    *("last_updated", "provider"),
]
OPENROUTER = [
    *("id", "canonical_slug", "created", "context_length", "architecture", "pricing"),
    *("top_provider", "expiration_date", "description"),
]
INNER = [
    *("input", "output", "context", "tiers", "tier", "size", "type", "range", "reasoning"),
    *("prompt", "completion", "overrides", "min_prompt_tokens", "context_length", "modality"),
    *("input_modalities", "output_modalities", "max_completion_tokens", "context_over_200k"),
    *("cache_read", "cache_write", "input_cost_per_token", "output_cost_per_token"),
]
WORDS = ["chat", "text", "text->text", "2026-02", "2026-13-01", "1e-6", "-1", "0", "", "x"]
plain = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from(WORDS),
    st.integers(-(10**20), 10**20),
    st.floats(0, 10, allow_nan=False),
)
values = st.recursive(
    plain,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(INNER), inner, max_size=4)
    ),
    max_leaves=8,
)


def entries(keys: list[str]) -> st.SearchStrategy[dict[str, object]]:
    return st.dictionaries(st.sampled_from(keys), values, max_size=8)


def check(name: str, data: object, folder) -> None:
    path, out = folder / "list.json", folder / "imported.json"
    path.write_text(json.dumps(data))
    try:
        found = imported(name, path, DAY, shipped())
    except CatalogError as refused:
        named = refused.path
    else:
        named = None
    if named is not None:
        assert named == str(path)
        return
    out.write_bytes(found.written())
    catalog = Catalog(overlaid_file(shipped(), out), DAY)
    assert set(found.models) <= {model.id for model in catalog.models(all=True)}
    for model_id in found.models:
        assert dict(catalog.get(model_id).evidence)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("lists")


FEW = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@FEW
@example(entry={"mode": []})
@example(entry={"tiered_pricing": [{"range": ["x", None]}]})
@given(entry=entries(LITELLM))
def test_any_entry_of_litellm(entry, folder):
    check("litellm", {"m": {"litellm_provider": "maker", "mode": "chat"} | entry}, folder)


@FEW
@given(entry=entries(MODELS_DEV), provider=entries(["name", "env", "npm", "api", "models"]))
def test_any_entry_of_models_dev(entry, provider, folder):
    check("models-dev", {"maker": {"models": {"m": entry}} | provider}, folder)
    check("models-dev", {"maker": provider | {"models": {"m": entry}}}, folder)


@FEW
@example(entry={"created": 10**20})
@given(entry=entries(OPENROUTER))
def test_any_entry_of_openrouter(entry, folder):
    check("openrouter", {"data": [{"id": "m"} | entry]}, folder)


@FEW
@given(data=values)
def test_anything_at_all(data, folder):
    for name in ("litellm", "models-dev", "openrouter"):
        check(name, data, folder)


@pytest.mark.parametrize("value", [[2**63, None, None], [1, [2], 3], {"a": 1}])
def test_what_python_takes_for_a_decimal_in_parts_is_no_price(tmp_path, value: object) -> None:
    """`Decimal` takes a sign, digits and an exponent, and overflows on some."""
    row = {"litellm_provider": "x", "mode": "chat", "input_cost_per_token": value}
    path = tmp_path / "list.json"
    path.write_text(json.dumps({"x/m": row}))
    reasons = [entry.why for entry in imported("litellm", path, DAY, shipped()).left_out]
    assert any(why.startswith("not a price: ") for why in reasons)


ABSURD = ["1e9999999", '"1e9999999"', "1e-9999999", "1e" + "9" * 25, "1." + "1" * 50, "1" * 5_000]


@pytest.mark.parametrize("number", ABSURD)
@pytest.mark.parametrize("key", ["max_input_tokens", "input_cost_per_token"])
def test_a_number_beyond_any_is_left_out_and_said(tmp_path, key: str, number: str) -> None:
    """Some of these took minutes and all memory, others a traceback."""
    row = {"litellm_provider": "dashscope", "mode": "chat", "max_input_tokens": 1_000}
    row |= {"input_cost_per_token": 1, "output_cost_per_token": 1, key: "HERE"}
    path = tmp_path / "list.json"
    path.write_text(json.dumps({"dashscope/m": row}).replace('"HERE"', number))
    found = imported("litellm", path, DAY, shipped())
    (left,) = [entry for entry in found.left_out if entry.key == key]
    assert ("at most 40 digits" in left.why) is (number != ABSURD[3])  # that is none to Python
    assert left.why.startswith("not a ")
    assert len(left.why) < 200


def test_a_price_keeps_all_of_its_digits(tmp_path) -> None:
    """For a million instead of one token, the point moves; it was rounded to 28 digits."""
    price = "0.1234567890123456789012345678901234567"
    row = {"litellm_provider": "x", "mode": "chat", "max_input_tokens": 1_000}
    row |= {"input_cost_per_token": "HERE", "output_cost_per_token": 1}
    path = tmp_path / "list.json"
    path.write_text(json.dumps({"x/m": row}).replace('"HERE"', price))
    (tier,) = imported("litellm", path, DAY, shipped()).models["x/m"].prices[0].tiers
    assert str(tier.input) == "123456.7890123456789012345678901234567"

"""LiteLLM's price map as a layer of the catalogue, and what holds for every import.

The list is small and made up, in the form of the real one; what it must become is arithmetic.
"""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal, localcontext

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tokenfare.catalog import Catalog
from tokenfare.catalog.imports import imported
from tokenfare.catalog.load import overlaid_file, shipped
from tokenfare.errors import CatalogError
from tokenfare.money import Money

DAY = date(2026, 11, 25)

LITELLM = """{
  "sample_spec": {"mode": "one of: chat, …"},
  "small": {
    "litellm_provider": "maker", "mode": "chat", "source": "https://maker.example/prices",
    "max_input_tokens": 100000, "max_output_tokens": 4096, "max_tokens": 4096,
    "input_cost_per_token": 1.5e-07, "output_cost_per_token": 6e-07,
    "input_cost_per_token_batches": 7.5e-08, "output_cost_per_token_batches": 3e-07,
    "cache_read_input_token_cost": 1.5e-08, "supports_vision": true, "rpm": 500, "tpm": 200000,
    "supports_function_calling": true
  },
  "maker/long-2026-01-31": {
    "litellm_provider": "maker", "mode": "chat", "max_input_tokens": 1000000.0,
    "input_cost_per_token": 1e-06, "output_cost_per_token": 2e-06,
    "input_cost_per_token_above_200k_tokens": 2e-06,
    "output_cost_per_token_above_200k_tokens": 4e-06,
    "cache_read_input_token_cost": 3.3e-07, "cache_creation_input_token_cost": 1.25e-06
  },
  "maker/ranges": {
    "litellm_provider": "maker", "mode": "chat", "max_input_tokens": 258048,
    "tiered_pricing": [
      {"range": [0, 32000.0], "input_cost_per_token": 1.2e-06, "output_cost_per_token": 6e-06},
      {"range": [32000.0, 252000.0], "input_cost_per_token": 3e-06,
       "output_cost_per_token": 1.5e-05, "output_cost_per_reasoning_token": 3e-05}
    ]
  },
  "maker/gap": {
    "litellm_provider": "maker", "mode": "chat", "max_input_tokens": 100,
    "tiered_pricing": [
      {"range": [0, 10], "input_cost_per_token": 1e-06, "output_cost_per_token": 1e-06},
      {"range": [20, 30], "input_cost_per_token": 1e-06, "output_cost_per_token": 1e-06}
    ]
  },
  "maker/zero": {"litellm_provider": "maker", "mode": "chat",
                 "input_cost_per_token": 0.0, "output_cost_per_token": 0.0},
  "maker/gone": {"litellm_provider": "maker", "mode": "chat", "max_input_tokens": 10,
                 "input_cost_per_token": 1e-06, "output_cost_per_token": 1e-06,
                 "deprecation_date": "2026-03-01"},
  "maker/going": {"litellm_provider": "maker", "mode": "chat", "max_input_tokens": 10,
                  "input_cost_per_token": 1e-06, "output_cost_per_token": 1e-06,
                  "deprecation_date": "2027-03-01"},
  "maker/odd": {"litellm_provider": "maker", "mode": "chat", "max_input_tokens": "many",
                "max_output_tokens": 10000000000000000000,
                "input_cost_per_token": -1, "output_cost_per_token": "1e-6"},
  "maker/vectors": {"litellm_provider": "maker", "mode": "embedding"},
  "dashscope/qwen-plus": {"litellm_provider": "dashscope", "mode": "chat",
                          "max_input_tokens": 1000, "input_cost_per_token": 1e-06,
                          "output_cost_per_token": 1e-06},
  "dashscope/other": {"litellm_provider": "dashscope", "mode": "chat", "max_input_tokens": 1000,
                      "input_cost_per_token": 1e-06, "output_cost_per_token": 1e-06},
  "maker/not a name": {"litellm_provider": "maker", "mode": "chat"}
}"""


def usd(text: str) -> Money:
    return Money(Decimal(text), "USD")


def test_litellm_says_money_for_a_token_and_the_catalogue_for_a_million(read):
    _, catalog = read("litellm", LITELLM)
    model = catalog.get("maker/small")
    price = model.price
    assert price is not None
    # 1,000,000 tokens at 1.5e-07 each, and at 6e-07.
    assert (price.cost(1_000_000, 0), price.cost(0, 1_000_000)) == (usd("0.15"), usd("0.6"))
    assert (price.batch, model.cache and model.cache.hit) == (Decimal("0.5"), Decimal("0.1"))
    assert model.modalities == {"text", "image"}
    assert (model.rates.requests_per_minute, model.rates.tokens_per_minute) == (500, 200_000)
    assert (model.wire_id, model.provider, model.aliases) == ("small", "maker", ("small",))
    assert catalog.get("small") is model


def test_a_fact_of_a_list_says_which_list_and_which_day(read):
    found, catalog = read("litellm", LITELLM)
    (source,) = found.sources.values()
    assert (source.title, source.as_of) == ("LiteLLM's price map", DAY)
    assert "litellm-list.json, SHA-256 " in source.where
    evidence = catalog.get("maker/small").evidence
    assert evidence["price"].note == "the list cites https://maker.example/prices"
    for told in evidence.values():
        assert told.source.startswith("LiteLLM's price map (litellm-list.json")
        assert told.since == DAY
        assert told.confidence in ("medium", "low")
    assert evidence["tokenizer"].mark == evidence["chat"].mark == "derived"


def test_input_and_answer_together_are_held_to_the_one_number_that_litellm_has(read):
    _, catalog = read("litellm", LITELLM)
    limits = catalog.get("maker/small").limits
    assert (limits.context, limits.max_input, limits.max_output) == (100_000, 100_000, 4_096)
    assert catalog.get("maker/small").evidence["limits.context"].mark == "derived"
    assert catalog.get("maker/long-2026-01-31").limits.max_input == 1_000_000


@pytest.mark.parametrize(
    ("name", "tokens", "expected"),
    [
        ("maker/long-2026-01-31", 200_000, "0.2"),  # 200,000 at 1e-06
        ("maker/long-2026-01-31", 200_001, "0.400002"),  # all of them at 2e-06
        ("maker/ranges", 32_000, "0.0384"),  # 32,000 at 1.2e-06
        ("maker/ranges", 32_001, "0.096003"),  # all of them at 3e-06
        ("maker/ranges", 258_048, "0.774144"),
    ],
)
def test_a_tier_of_litellm_prices_the_whole_request(name, tokens, expected, read):
    _, catalog = read("litellm", LITELLM)
    price = catalog.get(name).price
    assert price is not None
    assert price.cost(tokens, 0) == usd(expected)


def test_thinking_has_its_own_price_where_the_list_gives_one(read):
    _, catalog = read("litellm", LITELLM)
    price = catalog.get("maker/ranges").price
    assert price is not None
    assert [tier.thinking_output for tier in price.tiers] == [None, 30]


@pytest.mark.parametrize(
    ("reasoning", "whole"),
    [("0.000009", "9"), ("0.000008", "8"), ("0.000003", "8"), ("0", "8")],
)
def test_an_answer_with_reasoning_costs_the_dearer_of_the_two_at_most(reasoning, whole, read):
    """A list prices the tokens of reasoning; how many of an answer they are, nobody knows."""
    row = {
        "litellm_provider": "maker",
        "mode": "chat",
        "max_input_tokens": 1_000,
        "input_cost_per_token": "0.000002",
        "output_cost_per_token": "0.000008",
        "output_cost_per_reasoning_token": reasoning,
    }
    _, catalog = read("litellm", {"thinker": row})
    price = catalog.get("maker/thinker").price
    assert price is not None
    assert price.cost(0, 1_000_000, thinking=True) == usd(whole)


def test_what_litellm_says_and_the_catalogue_cannot_is_left_out_with_the_reason(read, reasons):
    found, catalog = read("litellm", LITELLM)
    assert reasons(found, "maker/small") == {}
    assert reasons(found, "small") == {
        "supports_function_calling": "the catalogue has no place for it"
    }
    assert (
        reasons(found, "maker/long-2026-01-31")
        == {
            # 0.33 of the price for reading, 1.25 for writing: exact; kept
        }
    )
    assert "a gap" in reasons(found, "maker/gap")["tiered_pricing"]
    assert catalog.get("maker/gap").price is None
    assert catalog.get("maker/zero").price is None
    assert "says 0" in str(catalog.get("maker/zero").evidence["price"].note)
    odd = reasons(found, "maker/odd")
    assert odd["max_input_tokens"] == "not a whole number above zero: 'many'"
    assert odd["max_output_tokens"] == "more than any text has: 10000000000000000000"
    assert odd.get("input_cost_per_token") == "not a price: -1"
    assert reasons(found, "maker/vectors") == {"mode": "no model for text: 'embedding'"}
    assert "in the catalogue" in reasons(found, "dashscope/qwen-plus")[""]
    assert "sample_spec" not in {entry.model for entry in found.left_out}


def test_a_price_to_write_a_cache_makes_it_one_that_requests_ask_for(read):
    _, catalog = read("litellm", LITELLM)
    cache = catalog.get("maker/long-2026-01-31").cache
    assert cache is not None
    assert cache.marked is not None
    assert (cache.hit, cache.marked.write, cache.marked.hit) == (
        None,
        Decimal("1.25"),
        Decimal("0.33"),
    )


def test_a_factor_that_is_no_decimal_number_is_left_out(read, reasons):
    uneven = LITELLM.replace("1.5e-08", "1.0e-08")  # 1 / 15 of the input price
    found, catalog = read("litellm", uneven)
    why = reasons(found, "small").get("cache_read_input_token_cost")
    assert why == "not an exact factor on the input price"
    assert catalog.get("small").cache is None


def test_a_factor_is_exact_whatever_precision_the_program_has_set(read, reasons):
    """Two thirds are 0.67 to two digits, and that times 1.5 is the 1.0 that the list says."""
    uneven = LITELLM.replace("1.5e-08", "1.0e-07")
    with localcontext(prec=2):
        found, catalog = read("litellm", uneven)
    assert "cache_read_input_token_cost" in reasons(found, "small")
    assert catalog.get("small").cache is None


def test_what_is_retired_is_known_as_retired(read, reasons):
    found, catalog = read("litellm", LITELLM)
    gone, going = catalog.get("maker/gone"), catalog.get("maker/going")
    assert (gone.status, gone.retired_on, gone.price) == ("retired", date(2026, 3, 1), None)
    assert (going.status, going.retired_on) == ("available", date(2027, 3, 1))
    assert "retired on 2026-03-01" in reasons(found, "maker/gone")[""]


def test_models_of_a_provider_that_is_known_join_it(read):
    found, catalog = read("litellm", LITELLM)
    other = catalog.get("dashscope/other")
    assert (other.provider, other.wire_id, other.regions) == ("dashscope", "other", ("cn-beijing",))
    assert "dashscope" not in found.providers
    assert catalog.get("dashscope/qwen-plus").id == "qwen-plus"
    assert catalog.get("qwen-plus") == Catalog(shipped(), DAY).get("qwen-plus")


def test_to_be_compared_the_known_ones_are_taken_as_well(read):
    found, _ = read("litellm", LITELLM, known_too=True)
    assert found.models["dashscope/qwen-plus"].sent_as == "qwen-plus"


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("litellm", "{", "not JSON"),
        ("litellm", "[]", "expected a table at the top"),
        ("litellm", "{}", "expected LiteLLM's price map; no model is in it"),
        ("openrouter", '{"models": []}', "expected OpenRouter's list of models"),
        ("litellm", '{"a": {"input_cost_per_token": NaN}}', "NaN is not a number"),
    ],
)
def test_a_file_that_is_no_such_list_is_refused(name, content, problem, read):
    with pytest.raises(CatalogError, match=problem):
        read(name, content)


keys = st.sampled_from([f"unheard_of_{n}" for n in range(9)])


@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(extra=st.dictionaries(keys, st.integers(1, 9), min_size=1))
def test_no_key_of_an_entry_is_dropped_unsaid(extra, tmp_path_factory, reasons):
    path = tmp_path_factory.mktemp("lists") / "list.json"
    data = json.loads(LITELLM)
    data["maker/ranges"] |= extra
    path.write_text(json.dumps(data))
    found = imported("litellm", path, DAY, shipped())
    assert set(reasons(found, "maker/ranges")) == set(extra)


def test_an_edited_import_is_checked_again(tmp_path, read):
    found, _ = read("litellm", LITELLM)
    edited = tmp_path / "edited.json"
    edited.write_bytes(found.written().replace(b'"input":"0.15"', b'"input":"0.10"'))
    price = Catalog(overlaid_file(shipped(), edited), DAY).get("maker/small").price
    assert price is not None
    assert price.cost(1_000_000, 0) == usd("0.1")
    edited.write_bytes(found.written().replace(b'"input":"0.15"', b'"input":0.15'))
    with pytest.raises(
        CatalogError, match=r"maker/small: prices\[0\]\.tiers\[0\]\.input: .*quotes"
    ):
        overlaid_file(shipped(), edited)


def test_a_list_that_was_not_imported_says_how_it_can_be(tmp_path):
    path = tmp_path / "raw.json"
    path.write_text(LITELLM)
    with pytest.raises(CatalogError, match="tokenfare catalog import"):
        overlaid_file(shipped(), path)

"""Lists of others as a layer of the catalogue: units, tiers, and nothing dropped unsaid.

The lists are small and made up, in the form of the real ones; what they must become is arithmetic.
"""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tokenfare.catalog import Catalog
from tokenfare.catalog.imports import Imported, imported
from tokenfare.catalog.load import overlaid_file, shipped
from tokenfare.catalog.schema import checked
from tokenfare.catalog.snapshot import as_file, opened
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
                "input_cost_per_token": -1, "output_cost_per_token": "1e-6"},
  "maker/vectors": {"litellm_provider": "maker", "mode": "embedding"},
  "dashscope/qwen-plus": {"litellm_provider": "dashscope", "mode": "chat",
                          "max_input_tokens": 1000, "input_cost_per_token": 1e-06,
                          "output_cost_per_token": 1e-06},
  "dashscope/other": {"litellm_provider": "dashscope", "mode": "chat", "max_input_tokens": 1000,
                      "input_cost_per_token": 1e-06, "output_cost_per_token": 1e-06},
  "maker/not a name": {"litellm_provider": "maker", "mode": "chat"}
}"""

MODELS_DEV = {
    "maker": {
        "id": "maker",
        "name": "The Maker",
        "env": ["MAKER_KEY"],
        "npm": "@ai-sdk/openai-compatible",
        "api": "https://api.maker.example/v1/",
        "doc": "https://maker.example",
        "models": {
            "small": {
                "id": "small",
                "name": "Small",
                "family": "tiny",
                "release_date": "2026-02",
                "last_updated": "2026-02-01",
                "attachment": False,
                "modalities": {"input": ["text", "image", "pdf"], "output": ["text"]},
                "limit": {"context": 131_072, "input": 129_024, "output": 8_192},
                "cost": {
                    "input": 0.15,
                    "output": 0.6,
                    "cache_read": 0.015,
                    "tiers": [
                        {"tier": {"size": 64_000}, "input": 0.3, "output": 1.2, "cache_read": 0.03}
                    ],
                    "context_over_200k": {"input": 0.3, "output": 1.2},
                },
            },
            "picture": {"modalities": {"input": ["text"], "output": ["image"]}},
        },
    },
    "alibaba": {
        "name": "Alibaba",
        "env": ["DASHSCOPE_API_KEY"],
        "npm": "@ai-sdk/openai-compatible",
        "api": "https://dashscope-intl.aliyuncs.com/compatible-mode/v1",
        "models": {"abroad": {"limit": {"context": 10, "output": 5}, "cost": {"input": 0}}},
    },
    "elsewhere": {
        "name": "Elsewhere",
        "npm": "@ai-sdk/elsewhere",
        "api": "https://${HOST}/v1",
        "models": {"own": {"limit": {"context": 10}}},
    },
}

OPENROUTER = {
    "data": [
        {
            "id": "maker/small",
            "canonical_slug": "maker/small-2026-02",
            "name": "Small",
            "created": 1_770_829_182,
            "context_length": 202_752,
            "architecture": {"input_modalities": ["text", "image"], "output_modalities": ["text"]},
            "pricing": {
                "prompt": "0.0000008",
                "completion": "0.00000256",
                "input_cache_read": "0.00000016",
                "web_search": "0.005",
                "overrides": [
                    {"min_prompt_tokens": 128_001, "prompt": "0.0000016"},
                    {"utc_start": 0, "utc_end": 1_200, "prompt": "0.0000001"},
                ],
            },
            "top_provider": {"context_length": 131_072, "max_completion_tokens": 8_192},
            "supported_parameters": ["max_tokens"],
        },
        {
            "id": "openrouter/auto",
            "context_length": 2_000_000,
            "architecture": {"modality": "text->text"},
            "pricing": {"prompt": "-1", "completion": "-1"},
        },
        {
            "id": "maker/small:free",
            "context_length": 32_768,
            "architecture": {"modality": "text+image->text"},
            "pricing": {"prompt": "0", "completion": "0"},
            "expiration_date": "2027-01-01",
        },
        {"id": "maker/picture", "architecture": {"modality": "text->image"}},
        "not a table",
    ]
}


@pytest.fixture
def read(tmp_path):
    def reading(name: str, data: object, **options: bool) -> tuple[Imported, Catalog]:
        path = tmp_path / f"{name}-list.json"
        path.write_text(data if isinstance(data, str) else json.dumps(data))
        found = imported(name, path, DAY, shipped(), **options)
        snapshot = tmp_path / "imported.json"
        snapshot.write_bytes(found.written())
        return found, Catalog(overlaid_file(shipped(), snapshot), DAY)

    return reading


def usd(text: str) -> Money:
    return Money(Decimal(text), "USD")


def reasons(found: Imported, model: str) -> dict[str, str]:
    return {entry.key: entry.why for entry in found.left_out if entry.model == model}


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


def test_what_litellm_says_and_the_catalogue_cannot_is_left_out_with_the_reason(read):
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


def test_a_factor_that_is_no_decimal_number_is_left_out(read):
    uneven = LITELLM.replace("1.5e-08", "1.0e-08")  # 1 / 15 of the input price
    found, catalog = read("litellm", uneven)
    why = reasons(found, "small").get("cache_read_input_token_cost")
    assert why == "not an exact factor on the input price"
    assert catalog.get("small").cache is None


def test_what_is_retired_is_known_as_retired(read):
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


def test_models_dev_says_money_for_a_million(read):
    found, catalog = read("models-dev", MODELS_DEV)
    model = catalog.get("maker/small")
    price = model.price
    assert price is not None
    assert price.cost(64_000, 1_000) == usd("0.0102")  # 64,000 x 0.15 + 1,000 x 0.6, a million
    assert price.cost(64_001, 1_000) == usd("0.0204003")
    limits = model.limits
    assert (limits.context, limits.max_input, limits.max_output) == (131_072, 129_024, 8_192)
    assert (model.family, model.released_on) == ("tiny", date(2026, 2, 1))
    assert model.modalities == {"text", "image"}
    assert reasons(found, "maker/small") == {
        "modalities.input": "the catalogue has no place for pdf inside messages",
        "attachment": "the catalogue has no place for it",
        "cost.tiers[0].cache_read": "the catalogue has no place for it",
    }
    assert reasons(found, "maker/picture")["modalities.output"] == "answers with image, not text"


def test_models_dev_names_where_calls_go_and_the_variable_of_the_key(read):
    found, catalog = read("models-dev", MODELS_DEV)
    provider = catalog.provider("maker")
    assert dict(provider.base_urls) == {"global": "https://api.maker.example/v1"}
    assert provider.key_variable == "MAKER_KEY"
    assert provider.evidence["base_urls.global"].source.startswith("models.dev")
    assert catalog.get("alibaba/abroad").provider == "dashscope"
    assert catalog.get("alibaba/abroad").regions == ("ap-southeast-1",)
    assert dict(catalog.provider("elsewhere").base_urls) == {}
    assert "OpenAI-compatible" in reasons(found, "elsewhere")["api"]


def test_the_tree_of_models_dev_says_what_its_json_says(tmp_path, read):
    provider = tmp_path / "providers" / "maker"
    (provider / "models" / "sub").mkdir(parents=True)
    (tmp_path / "models" / "maker").mkdir(parents=True)
    (provider / "provider.toml").write_text('name = "The Maker"\nenv = ["MAKER_KEY"]\n')
    (tmp_path / "models" / "maker" / "base.toml").write_text(
        'name = "Base"\nfamily = "tiny"\nlicense = "MIT"\n[limit]\ncontext = 1_000\noutput = 10\n'
    )
    (provider / "models" / "sub" / "own.toml").write_text(
        'base_model = "maker/base"\nbase_model_omit = ["limit.output"]\n'
        "[limit]\ninput = 900\n[cost]\ninput = 0.1\noutput = 0.3\n"
    )
    (provider / "models" / "broken.toml").symlink_to(tmp_path / "nowhere.toml")
    found = imported("models-dev", tmp_path, DAY, shipped())
    row = found.models["maker/sub/own"]
    limits = row.limits[0]
    assert (row.family, row.prices[0].tiers[0].input) == ("tiny", Decimal("0.1"))
    assert limits.context is not None
    assert limits.max_input is not None
    assert (limits.context.tokens, limits.max_input.tokens, limits.max_output) == (1_000, 900, None)
    assert reasons(found, "maker/broken") == {
        "": "not a table with anything in it: 'a broken link'"
    }


def test_a_base_that_is_not_there_is_named(tmp_path):
    models = tmp_path / "providers" / "maker" / "models"
    models.mkdir(parents=True)
    (models.parent / "provider.toml").write_text("name = 'Maker'\n")
    (models / "own.toml").write_text("base_model = 'none'\n")
    with pytest.raises(CatalogError, match=r"own\.toml: base_model: no file models/none\.toml"):
        imported("models-dev", tmp_path, DAY, shipped())


def test_openrouter_says_money_for_a_token_in_text(read):
    found, catalog = read("openrouter", OPENROUTER)
    model = catalog.get("openrouter/maker/small")
    price = model.price
    assert price is not None
    assert price.cost(128_000, 0) == usd("0.1024")  # 128,000 x 0.0000008
    assert price.cost(128_001, 0) == usd("0.2048016")  # the override holds from 128,001 on
    assert price.cost(0, 1_000_000) == usd("2.56")
    assert (model.cache and model.cache.hit) == Decimal("0.2")
    assert model.wire_id == "maker/small"
    assert catalog.get("openrouter/maker/small-2026-02") is model
    # The narrower of the two windows: requests go to the preferred provider.
    assert (model.limits.context, model.limits.max_output) == (131_072, 8_192)
    assert model.released_on == date(2026, 2, 11)
    provider = catalog.provider("openrouter")
    assert provider.base_urls["global"] == "https://openrouter.ai/api/v1"
    left = reasons(found, "maker/small")
    assert left["pricing.web_search"] == "the catalogue has no place for it"
    assert "another condition" in left["pricing.overrides[1]"]
    assert "supported_parameters" in left
    assert reasons(found, "data[4]") == {"": "not a table with anything in it: 'not a table'"}


def test_a_price_that_is_not_fixed_beforehand_is_no_price(read):
    found, catalog = read("openrouter", OPENROUTER)
    assert catalog.get("openrouter/openrouter/auto").price is None
    assert "fixed beforehand" in str(
        catalog.get("openrouter/openrouter/auto").evidence["price"].note
    )
    assert reasons(found, "openrouter/auto")["pricing.prompt"] == "not a price: '-1'"


def test_a_free_variant_of_openrouter_is_free(read):
    _, catalog = read("openrouter", OPENROUTER)
    free = catalog.get("openrouter/maker/small:free")
    assert (free.access, free.retired_on) == ("free", date(2027, 1, 1))
    assert free.price is not None
    assert free.price.cost(1_000, 1_000) == usd("0")


@pytest.mark.parametrize(
    ("name", "data"),
    [("litellm", LITELLM), ("models-dev", MODELS_DEV), ("openrouter", OPENROUTER)],
)
def test_what_an_import_makes_passes_the_check_of_files_that_people_write(name, data, read):
    found, catalog = read(name, data)
    facts, digest = opened(Path("x"), found.written())
    assert digest is not None
    file = checked(as_file(facts), as_json=True)
    assert {row.id: row for row in file.model} == dict(found.models)
    assert {row.id for row in file.model} <= {model.id for model in catalog.models(all=True)}


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


@settings(max_examples=30, deadline=None)
@given(extra=st.dictionaries(keys, st.integers(1, 9), min_size=1))
def test_no_key_of_an_entry_is_dropped_unsaid(extra, tmp_path_factory):
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

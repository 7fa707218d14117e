"""The lists of models.dev and OpenRouter as layers of the catalogue.

The lists are small and made up, in the form of the real ones; what they must become is arithmetic.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from tokenfare.catalog.imports import imported
from tokenfare.catalog.load import shipped
from tokenfare.errors import CatalogError
from tokenfare.money import Money

DAY = date(2026, 11, 25)

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


def usd(text: str) -> Money:
    return Money(Decimal(text), "USD")


def test_models_dev_says_money_for_a_million(read, reasons):
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


def test_models_dev_names_where_calls_go_and_the_variable_of_the_key(read, reasons):
    found, catalog = read("models-dev", MODELS_DEV)
    provider = catalog.provider("maker")
    assert dict(provider.base_urls) == {"global": "https://api.maker.example/v1"}
    assert provider.key_variable == "MAKER_KEY"
    assert provider.evidence["base_urls.global"].source.startswith("models.dev")
    assert catalog.get("alibaba/abroad").provider == "dashscope"
    assert catalog.get("alibaba/abroad").regions == ("ap-southeast-1",)
    assert dict(catalog.provider("elsewhere").base_urls) == {}
    assert "OpenAI-compatible" in reasons(found, "elsewhere")["api"]


def test_the_tree_of_models_dev_says_what_its_json_says(tmp_path, read, reasons):
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


def test_openrouter_says_money_for_a_token_in_text(read, reasons):
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


@pytest.mark.parametrize(
    ("later", "expected"), [({}, "2.25"), ({"own": 4}, "4"), ({"written": 3}, "3")]
)
@pytest.mark.parametrize("list_", ["models-dev", "openrouter"])
def test_a_later_tier_without_a_price_of_reasoning_has_at_least_the_first_ones(
    read, list_, later, expected
):
    """Else the high end of a long request's fare would be below what it may cost."""
    if list_ == "models-dev":
        cost = {"input": 1, "output": 1, "reasoning": 2.25, "tiers": [{"tier": {"size": 9}}]}
        cost["tiers"][0] |= {"input": 2, "output": later.get("written", 2)}
        cost["tiers"][0] |= {"reasoning": later["own"]} if "own" in later else {}
        service = {"name": "S", "models": {"m": {"limit": {"context": 99}, "cost": cost}}}
        _, catalog = read(list_, {"maker": service})
        price = catalog.get("maker/m").price
    else:
        override = {"min_prompt_tokens": 10, "prompt": "0.000002"}
        override["completion"] = f"0.00000{later.get('written', 2)}"
        override |= {"internal_reasoning": f"0.00000{later['own']}"} if "own" in later else {}
        pricing = {"prompt": "0.000001", "completion": "0.000001", "overrides": [override]}
        pricing["internal_reasoning"] = "0.00000225"
        text = {"modality": "text->text"}
        entry = {"id": "m", "context_length": 99, "architecture": text, "pricing": pricing}
        _, catalog = read(list_, {"data": [entry]})
        price = catalog.get("openrouter/m").price
    assert price.cost(9, 1_000_000, thinking=True) == usd("2.250009")
    assert price.cost(10, 1_000_000, thinking=True) == usd(expected) + usd("0.00002")


def test_a_price_that_is_not_fixed_beforehand_is_no_price(read, reasons):
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

"""Prices, aliases and lives of models by day. Expected values are the provider's, not ours."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest

from tokenfare.catalog import Catalog
from tokenfare.errors import InvalidRequestError, UnknownModel
from tokenfare.money import Money

SEED_DAY = date(2024, 12, 18)
LATE = date(2026, 11, 23)

# CNY for 1,000 tokens of input and of output, mid-December 2024.
DECEMBER = {
    "qwen-max": ("0.02", "0.06"),
    "qwen-max-latest": ("0.02", "0.06"),
    "qwen-max-0919": ("0.02", "0.06"),
    "qwen-max-2024-04-28": ("0.04", "0.12"),
    "qwen-max-0403": ("0.04", "0.12"),
    "qwen-max-0107": ("0.04", "0.12"),
    "qwen-plus": ("0.0008", "0.002"),
    "qwen-plus-latest": ("0.0008", "0.002"),
    "qwen-plus-1127": ("0.0008", "0.002"),
    "qwen-plus-1125": ("0.0008", "0.002"),
    "qwen-plus-0919": ("0.0008", "0.002"),
    "qwen-plus-2024-08-06": ("0.004", "0.012"),
    "qwen-plus-2024-07-23": ("0.004", "0.012"),
    "qwen-plus-0624": ("0.004", "0.012"),
    "qwen-plus-0206": ("0.004", "0.012"),
    "qwen-turbo": ("0.0003", "0.0006"),
    "qwen-turbo-latest": ("0.0003", "0.0006"),
    "qwen-turbo-1101": ("0.0003", "0.0006"),
    "qwen-turbo-2024-09-19": ("0.0003", "0.0006"),
    "qwen-turbo-2024-06-24": ("0.002", "0.006"),
    "qwen-turbo-0206": ("0.002", "0.006"),
    "qwen-long": ("0.0005", "0.002"),
    "qwen-vl-max": ("0.02", "0.02"),
    "qwen-vl-max-latest": ("0.02", "0.02"),
    "qwen-vl-max-1119": ("0.02", "0.02"),
    "qwen-vl-max-1030": ("0.02", "0.02"),
    "qwen-vl-max-0809": ("0.02", "0.02"),
    "qwen-vl-max-2024-02-01": ("0.02", "0.02"),
    "qwen-vl-plus": ("0.008", "0.008"),
    "qwen-vl-plus-latest": ("0.008", "0.008"),
    "qwen-vl-plus-0809": ("0.008", "0.008"),
    "qwen-vl-plus-2023-12-01": ("0.008", "0.008"),
    "qwen-math-plus": ("0.004", "0.012"),
    "qwen-math-plus-latest": ("0.004", "0.012"),
    "qwen-math-plus-0919": ("0.004", "0.012"),
    "qwen-math-plus-0816": ("0.004", "0.012"),
    "qwen-math-turbo": ("0.002", "0.006"),
    "qwen-math-turbo-latest": ("0.002", "0.006"),
    "qwen-math-turbo-0919": ("0.002", "0.006"),
    "qwen-coder-plus": ("0.0035", "0.007"),
    "qwen-coder-plus-latest": ("0.0035", "0.007"),
    "qwen-coder-plus-1106": ("0.0035", "0.007"),
    "qwen-coder-turbo": ("0.002", "0.006"),
    "qwen-coder-turbo-latest": ("0.002", "0.006"),
    "qwen-coder-turbo-0919": ("0.002", "0.006"),
    "baichuan2-turbo": ("0", "0"),
    "baichuan2-13b-chat-v1": ("0.008", "0.008"),
    "baichuan2-7b-chat-v1": ("0.006", "0.006"),
    "chatglm-6b-v2": ("0.006", "0.006"),
    "ziya-llama-13b-v1": ("0", "0"),
}


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return Catalog.load(day=SEED_DAY)


def cny(text: str) -> Money:
    return Money(Decimal(text), "CNY")


@pytest.mark.parametrize(("name", "price"), DECEMBER.items())
def test_what_a_model_charged_in_december_2024(name, price, catalog):
    model = catalog.get(name)
    thousand_in, thousand_out = price
    assert model.price is not None
    assert model.price.cost(1_000, 0) == cny(thousand_in)
    assert model.price.cost(0, 1_000) == cny(thousand_out)


@pytest.mark.parametrize("name", ["qwen-audio-turbo", "llama3.1-405b", "yi-large", "chatglm3-6b"])
def test_what_is_only_on_trial_is_never_billed(name, catalog):
    """A call is within the quota or it is an error; that is worked out, and says so."""
    model = catalog.get(name)
    assert model.access == "trial"
    assert model.price.cost(1_000_000, 1_000_000) == cny("0")
    assert model.evidence["price"].mark == "derived"
    assert "trial quota" in model.evidence["price"].note


@pytest.mark.parametrize(
    ("name", "day", "million_in", "million_out"),
    [
        ("qwen-max", date(2024, 5, 20), 120, 120),
        ("qwen-max", date(2024, 5, 21), 40, 120),
        ("qwen-max", date(2024, 6, 1), 40, 120),
        ("qwen-max", date(2024, 9, 18), 40, 120),
        ("qwen-max", date(2024, 9, 19), 20, 60),
        ("qwen-max", date(2025, 2, 12), 20, 60),
        ("qwen-max", date(2025, 2, 13), Decimal("2.4"), Decimal("9.6")),
        ("qwen-max", date(2025, 6, 1), Decimal("2.4"), Decimal("9.6")),
        ("qwen-max", LATE, Decimal("2.4"), Decimal("9.6")),
        ("qwen-plus", date(2024, 6, 1), 4, 12),
        ("qwen-plus", date(2025, 6, 1), Decimal("0.8"), 2),
        ("qwen-turbo", date(2024, 6, 1), 2, 6),
        ("qwen-long", date(2024, 5, 20), 20, 20),
        ("qwen-long", date(2024, 6, 1), Decimal("0.5"), 2),
        ("qwen-long", LATE, Decimal("0.5"), 2),
        ("qwen-vl-max", date(2024, 12, 30), 20, 20),
        ("qwen-vl-max", date(2025, 1, 15), 3, 9),
        ("qwen-vl-max", date(2025, 11, 1), Decimal("1.6"), 4),
        ("qwen-vl-plus", date(2025, 1, 15), Decimal("1.5"), Decimal("4.5")),
        ("qwen-vl-plus", date(2026, 5, 1), Decimal("0.8"), 2),
    ],
)
def test_a_price_is_that_of_the_day(name, day, million_in, million_out, catalog):
    price = catalog.as_of(day).get(name).price
    assert price is not None
    # Each side by thousands: a million at once would be in another tier.
    assert price.cost(1_000, 0).amount * 1_000 == million_in
    assert price.cost(0, 1_000).amount * 1_000 == million_out


@pytest.mark.parametrize(
    ("snapshot", "million_in", "million_out"),
    [
        ("qwen-max-2024-09-19", 20, 60),
        ("qwen-max-2024-04-28", 40, 120),
        ("qwen-vl-max-2024-08-09", 20, 20),
        ("qwen-vl-plus-2023-12-01", 8, 8),
    ],
)
def test_a_snapshot_does_not_follow_the_price_of_its_alias(
    snapshot, million_in, million_out, catalog
):
    price = catalog.as_of(date(2025, 3, 1)).get(snapshot).price
    assert price is not None
    assert price.cost(1_000, 0).amount * 1_000 == million_in
    assert price.cost(0, 1_000).amount * 1_000 == million_out


@pytest.mark.parametrize(
    ("input_tokens", "expected"),
    [
        (128_000, 128_000 * Decimal("0.8") + 1_000 * Decimal(2)),
        (128_001, 128_001 * Decimal("2.4") + 1_000 * Decimal(20)),
        (256_000, 256_000 * Decimal("2.4") + 1_000 * Decimal(20)),
        (256_001, 256_001 * Decimal("4.8") + 1_000 * Decimal(48)),
        (997_952, 997_952 * Decimal("4.8") + 1_000 * Decimal(48)),
    ],
)
def test_the_tier_of_the_input_prices_the_whole_request(input_tokens, expected, catalog):
    price = catalog.as_of(LATE).get("qwen-plus").price
    assert price is not None
    assert price.cost(input_tokens, 1_000) == Money(expected / 1_000_000, "CNY")


def test_thinking_has_a_price_of_its_own(catalog):
    price = catalog.as_of(LATE).get("qwen-plus").price
    assert price is not None
    assert [tier.thinking_output for tier in price.tiers] == [8, 24, 64]


def test_a_batch_costs_half_and_only_main_names_are_in_it(catalog):
    price = catalog.get("qwen-plus").price
    assert price is not None
    assert price.cost(1_000, 1_000, batch=True) == cny("0.0014")
    snapshot = catalog.get("qwen-plus-2024-09-19").price
    assert snapshot is not None
    with pytest.raises(InvalidRequestError, match="no batch price"):
        snapshot.cost(1, 1, batch=True)


def test_only_qwen_plus_has_a_cache_in_december_2024(catalog):
    cached = {m.id: m.cache.hit for m in catalog.models() if m.cache}
    assert cached == {"qwen-plus": Decimal("0.4")}
    later = catalog.as_of(date(2025, 2, 28))
    assert {m.id for m in later.models() if m.cache} == {"qwen-max", "qwen-plus", "qwen-turbo"}


@pytest.mark.parametrize(
    ("name", "day", "target"),
    [
        ("qwen-max", SEED_DAY, "qwen-max-2024-09-19"),
        ("qwen-max", date(2025, 6, 1), "qwen-max-2025-01-25"),
        ("qwen-max-latest", date(2025, 1, 24), "qwen-max-2024-09-19"),
        ("qwen-max-latest", date(2025, 1, 25), "qwen-max-2025-01-25"),
        ("qwen-turbo", SEED_DAY, "qwen-turbo-2024-09-19"),
        ("qwen-turbo", date(2025, 1, 10), "qwen-turbo-2024-11-01"),
        ("qwen-plus", SEED_DAY, "qwen-plus-2024-09-19"),
        ("qwen-plus", LATE, None),
        ("qwen-plus-latest", SEED_DAY - timedelta(days=4), "qwen-plus-2024-11-27"),
        ("qwen-plus-latest", date(2024, 12, 20), None),
        ("qwen-vl-plus", SEED_DAY, None),
        ("qwen3-max", LATE, "qwen3-max-2026-01-23"),
    ],
)
def test_a_name_stands_for_the_snapshot_of_the_day(name, day, target, catalog):
    assert catalog.as_of(day).get(name).points_to == target


@pytest.mark.parametrize(
    ("name", "day", "limits"),
    [
        ("qwen-turbo", date(2025, 1, 10), (1_000_000, 1_000_000, 8_192)),
        ("qwen-turbo", date(2026, 5, 1), (1_000_000, None, 16_384)),
        ("qwen-plus", LATE, (1_000_000, 997_952, 32_768)),
        ("qwen-long", LATE, (10_000_000, 10_000_000, 32_768)),
        ("qwen-max", LATE, (32_768, 30_720, 8_192)),
        ("qwen-max-2025-01-25", LATE, (131_072, 129_024, 8_192)),
        ("qwen-vl-max", date(2026, 5, 1), (131_072, 129_024, 8_192)),
        ("qwen3-max", LATE, (262_144, 258_048, 65_536)),
        ("qwen3.5-plus", LATE, (1_000_000, 991_808, 65_536)),
        ("qwen3.5-flash", LATE, (1_000_000, None, None)),
        ("qwen-flash", LATE, (1_000_000, None, 32_768)),
        ("qwen3-coder-flash", LATE, (1_000_000, 997_952, 65_536)),
        ("qwen3-vl-plus", LATE, (262_144, None, 32_768)),
        ("qwen3-vl-flash", LATE, (None, None, None)),
        ("qwen3.8-max", LATE, (1_000_000, None, 131_072)),
    ],
)
def test_limits_grow(name, day, limits, catalog):
    found = catalog.as_of(day).get(name).limits
    assert (found.context, found.max_input, found.max_output) == limits


def test_what_is_left_of_december_2024_in_november_2026(catalog):
    """The two audio models are not on the retirement page; nothing else of them was seen."""
    served = {model.id for model in catalog.models()}
    left = served & {model.id for model in catalog.as_of(LATE).models()}
    assert left == {
        "qwen-max",
        "qwen-plus",
        "qwen-plus-latest",
        "qwen-long",
        "qwen-audio-turbo",
        "qwen-audio-turbo-latest",
    }
    status = catalog.as_of(LATE).get("qwen-audio-turbo").evidence["status"]
    assert status.confidence == "low"


@pytest.mark.parametrize(
    ("name", "last_day"),
    [
        ("qwen-max-0107", date(2025, 5, 7)),
        ("llama3.3-70b-instruct", date(2025, 7, 1)),
        ("billa-7b-sft-v1", date(2025, 7, 1)),
        ("yi-large", date(2025, 7, 29)),
        ("qwen-vl-plus-2023-12-01", date(2025, 7, 29)),
        ("qwen-plus-0919", date(2026, 1, 29)),
        ("qwen-audio-turbo-1204", date(2026, 1, 29)),
        ("baichuan2-turbo", date(2026, 3, 29)),
        ("qwen-turbo-latest", date(2026, 5, 12)),
        ("qwen-coder-turbo-latest", date(2026, 5, 12)),
        ("qwen-turbo", date(2026, 10, 9)),
        ("qwen-math-plus-0816", date(2026, 10, 9)),
        ("qwen3-coder-plus", date(2026, 10, 9)),
        ("qwen3-max-preview", date(2026, 10, 9)),
    ],
)
def test_a_retired_model_is_known_and_no_longer_served(name, last_day, catalog):
    assert catalog.as_of(last_day).get(name).status == "available"
    retired = catalog.as_of(last_day + timedelta(days=1))
    assert retired.get(name).status == "retired"
    assert retired.get(name) not in retired.models()
    assert retired.get(name) in retired.models(all=True)


def test_a_snapshot_does_not_exist_before_its_day(catalog):
    assert catalog.as_of(date(2024, 9, 18)).get("qwen-max-0919").status == "not released"
    assert catalog.as_of(date(2024, 9, 19)).get("qwen-max-0919").status == "available"


def test_where_only_the_first_tier_is_known_no_price_is_given(catalog):
    """A price that is right for short requests only would make long ones look cheap."""
    model = catalog.as_of(LATE).get("qwen3.7-plus")
    evidence = model.evidence["price"]
    assert model.price is None
    assert evidence.mark == "not stated"
    assert evidence.note is not None
    assert "first tier" in evidence.note


@pytest.mark.parametrize("name", ["qwen3.5-plus", "qwen3.6-plus", "qwen3.7-max", "qwen3.8-max"])
def test_from_qwen_3_5_on_the_vocabulary_is_another(name, catalog):
    assert catalog.get(name).tokenizer == "qwen3.5"
    assert catalog.get("qwen3-max").tokenizer == "qwen"


@pytest.mark.parametrize(
    ("name", "day", "requests", "tokens"),
    [
        ("qwen-plus", SEED_DAY, None, None),
        ("qwen-plus", date(2025, 3, 1), 15_000, 1_200_000),
        ("qwen-plus", LATE, 30_000, 5_000_000),
        ("qwen-plus-0624", date(2025, 3, 1), 30, 30_000),
        ("qwen-max-0107", date(2025, 3, 1), 5, 10_000),
        ("qwen-turbo", SEED_DAY, 500, None),
        ("qwen-long", LATE, 1_200, 3_000_000),
    ],
)
def test_rates_are_those_of_the_day(name, day, requests, tokens, catalog):
    rates = catalog.as_of(day).get(name).rates
    assert (rates.requests_per_minute, rates.tokens_per_minute) == (requests, tokens)


def test_a_dispute_keeps_both_values(catalog):
    turbo = catalog.get("qwen-turbo-2024-06-24").evidence["price"]
    assert turbo.confidence == "medium"
    assert [dispute.says for dispute in turbo.disputes] == ["0.0003 in and 0.0006 out"]
    assert turbo.disputes[0].because
    assert "one-api" in turbo.disputes[0].source


def test_a_provider_has_an_endpoint_by_region(catalog):
    provider = catalog.provider("dashscope")
    assert provider.name == "DashScope"
    assert provider.key_variable == "DASHSCOPE_API_KEY"
    assert provider.default_region == "cn-beijing"
    assert provider.base_urls["cn-beijing"] == "https://dashscope.aliyuncs.com/compatible-mode/v1"
    assert set(provider.base_urls) == {"cn-beijing", "ap-southeast-1", "us-east-1"}
    assert provider.max_body_bytes == 16 * 1024 * 1024
    batch = provider.batch
    assert batch is not None
    assert (batch.max_lines, batch.max_file_bytes, batch.max_line_bytes) == (
        50_000,
        500_000_000,
        6_000_000,
    )
    assert (batch.min_window_hours, batch.max_window_hours) == (24, 336)
    assert batch.caches is False


@pytest.mark.parametrize(
    "name", ["dashscope/qwen-plus", "alibaba/qwen-plus", "dashscope:qwen-plus", "Alibaba/qwen-plus"]
)
def test_a_name_may_carry_its_provider(name, catalog):
    assert catalog.get(name).id == "qwen-plus"


def test_an_unknown_name_gets_the_nearest_ones(catalog):
    with pytest.raises(UnknownModel, match="no model is called 'qwen-pluss'") as caught:
        catalog.get("qwen-pluss")
    assert caught.value.nearest[0] == "qwen-plus"
    with pytest.raises(UnknownModel, match="answer chats, and none for embeddings"):
        catalog.get("text-embedding-v4")
    with pytest.raises(UnknownModel, match="nearest: qwen-plus-2024-08-06"):
        catalog.get("Qwen-Plus-0806")  # its short form is in no list of the provider's


def test_a_name_unlike_any_other_gets_none(catalog):
    with pytest.raises(UnknownModel) as caught:
        catalog.get("%%%%")
    assert caught.value.nearest == ()


def test_an_unknown_provider_is_not_cut_off(catalog):
    with pytest.raises(UnknownModel):
        catalog.get("elsewhere/qwen-plus")


def test_the_day_is_the_clocks_unless_given():
    assert Catalog.load(clock=lambda: LATE).day == LATE
    assert Catalog.load(day=SEED_DAY, clock=lambda: LATE).day == SEED_DAY

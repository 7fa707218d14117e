"""How fast a model may be called and what the batch service takes, from the provider's pages."""

from __future__ import annotations

from datetime import date

import pytest

from models import model as made_up
from tokenfare.catalog import Catalog, Limits

SEED_DAY = date(2024, 12, 18)
LATE = date(2026, 11, 23)


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return Catalog.load(day=LATE)


# Requests and tokens a minute.
PRINTED = {
    date(2025, 3, 1): {
        "qwen-max": (1_200, 1_000_000),
        "qwen-max-latest": (1_200, 1_000_000),
        "qwen-max-0125": (60, 100_000),
        "qwen-max-0919": (60, 100_000),
        "qwen-max-2024-04-28": (60, 100_000),
        "qwen-max-0403": (60, 100_000),
        "qwen-max-0107": (5, 10_000),
        "qwen-plus": (15_000, 1_200_000),
        "qwen-plus-latest": (15_000, 1_200_000),
        "qwen-plus-2024-08-06": (60, 150_000),
        "qwen-plus-1127": (60, 150_000),
        "qwen-plus-1125": (60, 150_000),
        "qwen-plus-0919": (60, 150_000),
        "qwen-plus-2024-07-23": (60, 60_000),
        "qwen-plus-0624": (30, 30_000),
        "qwen-plus-0206": (30, 30_000),
        "qwen-turbo": (1_200, 5_000_000),
        "qwen-turbo-latest": (1_200, 5_000_000),
        "qwen-turbo-1101": (60, 5_000_000),
        "qwen-turbo-2024-09-19": (60, 150_000),
        "qwen-turbo-2024-06-24": (60, 150_000),
    },
    date(2026, 3, 1): {
        "qwen3-max": (30_000, 5_000_000),
        "qwen-max": (1_200, 1_000_000),
        "qwen3.5-plus": (30_000, 5_000_000),
        "qwen-plus": (30_000, 5_000_000),
        "qwen-plus-latest": (15_000, 1_200_000),
        "qwen-flash": (30_000, 10_000_000),
        "qwen-turbo": (1_200, 5_000_000),
        "qwen-long": (1_200, 3_000_000),
        "qwen-vl-max": (1_200, 1_000_000),
        "qwen-vl-plus": (1_200, 1_000_000),
        "qwen-vl-max-1119": (60, 100_000),
        "abab6.5s-chat": (60, 100_000),
        "baichuan2-turbo": (10, 20_000),
    },
}


@pytest.mark.parametrize(
    ("day", "name", "printed"),
    [(day, name, pair) for day, rows in PRINTED.items() for name, pair in rows.items()],
)
def test_a_model_may_be_called_as_often_as_the_page_of_the_time_says(day, name, printed, catalog):
    rates = catalog.as_of(day).get(name).rates
    assert (rates.requests_per_minute, rates.tokens_per_minute) == printed


def test_how_rates_are_enforced_is_a_fact_of_the_provider(catalog):
    provider = catalog.provider("dashscope")
    throttle = provider.throttle
    assert throttle is not None
    assert (throttle.window_seconds, throttle.recovers_after_seconds) == (1, 60)
    assert (throttle.counted_for, throttle.counts_output, throttle.counts_batch) == (
        "account",
        True,
        False,
    )
    assert provider.evidence["throttle"].source
    assert catalog.as_of(SEED_DAY).provider("dashscope").throttle is None


@pytest.mark.parametrize("name", ["qwen3.5-plus", "qwen3.5-flash", "qwen3.6-plus", "qwen3.8-max"])
def test_the_batch_service_takes_less_context_of_late_models(name, catalog):
    model = catalog.get(name)
    assert model.limits.context == 1_000_000
    assert model.batch_limits.context == 256_000
    assert (model.batch_limits.max_input or 0) <= 256_000
    assert model.evidence["batch_max_context"].source


WIDE, THINKING = Limits(1_000, 900, 100, 50), Limits(400, 300, 80, 50)


@pytest.mark.parametrize(
    ("stated", "cap", "thinking", "expected"),
    [
        # Each number that is above the context of the batch service is that context.
        (WIDE, 500, False, Limits(500, 500, 100, 50)),
        (WIDE, 99, False, Limits(99, 99, 99, 50)),
        (WIDE, 950, False, Limits(950, 900, 100, 50)),
        (WIDE, 2_000, False, WIDE),
        # What is not stated is bounded by it all the same, and by nothing else.
        (Limits(None, None, None), 500, False, Limits(500, None, None)),
        (Limits(None, 900, None), 500, False, Limits(500, 500, None)),
        (Limits(None, None, 900), 500, False, Limits(500, None, 500)),
        (WIDE, None, False, WIDE),
        # Of a request that reasons, its own limits are held to the same context.
        (WIDE, 500, True, THINKING),
        (WIDE, 350, True, Limits(350, 300, 80, 50)),
        (WIDE, None, True, THINKING),
    ],
)
def test_in_a_batch_no_limit_is_above_its_context(stated, cap, thinking, expected):
    one = made_up(limits=stated, thinking_limits=THINKING, batch_max_context=cap)
    assert one.limits_for(batch=True, thinking=thinking) == expected
    assert one.served(batch=True, thinking=thinking).limits == expected
    live = THINKING if thinking else stated
    assert one.limits_for(thinking=thinking) == one.served(thinking=thinking).limits == live


def test_in_a_batch_other_models_take_what_they_always_take(catalog):
    model = catalog.get("qwen-plus")
    assert model.batch_limits is model.limits
    assert model.limits == Limits(1_000_000, 997_952, 32_768)


def test_a_dated_snapshot_is_never_in_the_batch_service(catalog):
    for day in (SEED_DAY, date(2025, 6, 1), LATE):
        for model in catalog.as_of(day).models(all=True):
            if model.kind == "snapshot" and model.price is not None:
                assert model.price.batch is None, model.id

"""What holds for every model on every day, whatever the files say."""

from __future__ import annotations

import random
from dataclasses import fields
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tokenfare.catalog import Catalog, Model
from tokenfare.catalog.check import findings
from tokenfare.catalog.load import SHIPPED, from_files, joined_files, shipped

CATALOG = Catalog.load(day=date(2024, 12, 18))
DAYS = [
    date(2023, 1, 1),
    date(2024, 5, 21),
    date(2024, 12, 18),
    date(2025, 1, 1),
    date(2025, 6, 1),
    date(2026, 4, 1),
    date(2026, 11, 23),
    date(2040, 1, 1),
]
days = st.dates(min_value=date(1990, 1, 1), max_value=date(2100, 1, 1))


def test_nothing_is_wrong_with_the_shipped_facts():
    facts = shipped()
    assert [str(finding) for finding in findings(facts, facts.models)] == []


@pytest.mark.parametrize("day", DAYS)
def test_no_number_is_without_a_source(day):
    for model in CATALOG.as_of(day).models(all=True):
        evidence = model.evidence
        numbers = {
            "limits.context": model.limits.context,
            "limits.max_input": model.limits.max_input,
            "limits.max_output": model.limits.max_output,
            "limits.max_image_tokens": model.limits.max_image_tokens,
            "price": model.price,
            "chat": model.chat,
            "documents": model.documents,
            "cache": model.cache,
            "retired_on": model.retired_on,
            "released_on": model.released_on,
            "batch_max_context": model.batch_max_context,
            "rates": model.rates.requests_per_minute or model.rates.tokens_per_minute,
        }
        for key, number in numbers.items():
            if number is None:
                assert key not in evidence or evidence[key].mark == "not stated", (model.id, key)
            else:
                assert evidence[key].source, (model.id, key)
                assert evidence[key].mark != "not stated", (model.id, key)


@pytest.mark.parametrize("day", DAYS)
def test_no_number_of_a_provider_is_without_a_source(day):
    provider = CATALOG.as_of(day).provider("dashscope")
    facts = {
        "key_variable": provider.key_variable,
        "max_body_bytes": provider.max_body_bytes,
        "throttle": provider.throttle,
        "batch": provider.batch,
        **{f"base_urls.{region}": url for region, url in provider.base_urls.items()},
    }
    told = {key for key, fact in facts.items() if fact is not None}
    assert set(provider.evidence) == told
    assert all(evidence.source for evidence in provider.evidence.values())


def test_every_field_of_a_model_has_its_evidence_or_needs_none():
    """A field that is added to a model and not to its evidence fails here."""
    identity = {"id", "family", "provider", "kind", "day", "sent_as", "evidence"}
    said = {field.name for field in fields(Model)} - identity
    keys = {
        key.partition(".")[0]
        for day in DAYS
        for model in CATALOG.as_of(day).models(all=True)
        for key in model.evidence
    }
    assert said - keys == set()


@pytest.mark.parametrize("day", DAYS)
def test_what_is_known_on_a_day_was_known_by_then(day):
    """Only what a model cannot be without may be taken from later."""
    dated = ("limits.context", "price", "points_to", "documents", "rates", "cache", "status")
    for model in CATALOG.as_of(day).models(all=True):
        for key in dated:
            if key in model.evidence:
                assert model.evidence[key].since <= day, (model.id, key)


@settings(deadline=None)
@given(day=days)
def test_any_day_has_an_answer(day):
    catalog = CATALOG.as_of(day)
    served = catalog.models()
    assert catalog.day == day
    assert len(catalog.models(all=True)) == len(CATALOG.models(all=True))
    assert all(model.status == "available" and model.day == day for model in served)
    assert catalog.digest == CATALOG.digest


@settings(deadline=None)
@given(day=days, days_later=st.integers(0, 4_000))
def test_a_retired_model_stays_retired(day, days_later):
    later = CATALOG.as_of(min(day + timedelta(days=days_later), date(2100, 1, 1)))
    for model in CATALOG.as_of(day).models(all=True):
        if model.status == "retired":
            assert later.get(model.id).status == "retired"


@settings(deadline=None)
@given(
    day=days,
    tokens=st.integers(1, 2_000_000),
    more=st.integers(0, 1_000_000),
    thinking=st.booleans(),
)
def test_a_longer_request_never_costs_less(day, tokens, more, thinking):
    for model in CATALOG.as_of(day).models():
        if model.price is not None:
            longer = model.price.cost(tokens + more, 1_000, thinking=thinking)
            assert model.price.cost(tokens, 1_000, thinking=thinking) <= longer, model.id


@settings(deadline=None)
@given(day=days, tokens=st.integers(1, 2_000_000))
def test_reasoning_never_costs_less_nor_leaves_more_room(day, tokens):
    for model in CATALOG.as_of(day).models():
        if model.price is not None:
            reasoned = model.price.cost(tokens, 1_000, thinking=True)
            assert model.price.cost(tokens, 1_000) <= reasoned, model.id
        others = model.limits_for(thinking=True)
        for name in ("context", "max_input", "max_output"):
            most = getattr(model.limits, name)
            assert most is None or getattr(others, name) <= most, (model.id, name)


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_the_digest_does_not_depend_on_the_order_of_the_files(seed):
    files = sorted(SHIPPED.glob("*.toml"))
    random.Random(seed).shuffle(files)  # noqa: S311 - an order, not a secret
    assert from_files(files).digest == CATALOG.digest


def test_the_digest_does_not_depend_on_how_facts_are_spread(tmp_path: Path):
    source = "[sources.s]\ntitle = 't'\nwhere = 'w'\nas_of = 2026-01-01\n"
    fact = "tokenizer = [{ from = 2026-01-01, source = 's', name = 'qwen' }]\n"
    (tmp_path / "a.toml").write_text(f"{source}[[model]]\nid = 'm'\nfamily = 'f'\n{fact}")
    (tmp_path / "b.toml").write_text(f"family = 'f'\n{source}[shared]\n{fact}[[model]]\nid = 'm'\n")
    assert joined_files([tmp_path / "a.toml"]).digest == joined_files([tmp_path / "b.toml"]).digest


def test_the_digest_changes_with_a_fact():
    files = sorted(SHIPPED.glob("*.toml"))
    assert from_files(files).digest == CATALOG.digest
    assert from_files(files[:-1]).digest != CATALOG.digest
    assert len(CATALOG.digest) == len(bytes.fromhex(CATALOG.digest)) * 2 == 64


def test_no_price_has_a_trace_of_a_binary_float():
    for day in DAYS:
        for model in CATALOG.as_of(day).models(all=True):
            for tier in model.price.tiers if model.price else ():
                assert isinstance(tier.input, Decimal)
                assert -tier.input.as_tuple().exponent <= 6


def test_every_public_name_is_there():
    import tokenfare.catalog as module

    assert all(hasattr(module, name) for name in module.__all__)
    with pytest.raises(AttributeError, match="no attribute 'Katalog'"):
        _ = module.Katalog

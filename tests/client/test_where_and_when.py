"""A client decides by the facts of where it calls and of the day of each call."""

from __future__ import annotations

from datetime import date
from inspect import signature
from pathlib import Path
from typing import Any

import pytest

from tokenfare import Catalog, Client
from tokenfare.catalog import LearntLimits, RateLimits
from tokenfare.client.learning import Learning
from tokenfare.client.settings import Options, settings
from tokenfare.errors import InvalidRequestError
from tokenfare.router import Requirements

SINGAPORE = """
from = 2024-01-01
source = "contract"
[sources.contract]
title = "Our contract"
where = "here"
as_of = 2024-01-01
[[model]]
id = "qwen-plus"
regions = [{ served_in = ["ap-southeast-1"] }]
prices = [{ currency = "CNY", per = 1_000_000, input = "2.936", output = "8.807" }]
"""


class Days:
    """A calendar that a test turns."""

    def __init__(self, day: date) -> None:
        self.day = day

    def __call__(self) -> date:
        return self.day


def client(**options: Any) -> Client:
    return Client(api_key="sk-any", ledger=False, **options)


def test_a_clients_keywords_are_those_of_its_settings() -> None:
    """So that an editor knows them, and a type checker what they take."""
    own = {"catalog", "api_key", "base_url"}
    assert set(Options.__annotations__) == set(signature(settings).parameters) - own


def test_a_client_that_lives_over_a_retirement_no_longer_chooses_the_model() -> None:
    """qwen-turbo was retired on 2026-10-10."""
    days = Days(date(2026, 10, 9))
    with client(today=days) as ours:
        assert ours.catalog.get("qwen-turbo").status == "available"
        days.day = date(2026, 10, 10)
        assert ours.catalog.get("qwen-turbo").status == "retired"


def test_what_refusals_taught_is_known_the_next_day() -> None:
    days = Days(date(2026, 10, 9))
    learning = Learning(Catalog.load(day=days.day), days)
    learning._catalog = learning.catalog.learning("qwen-max", LearntLimits("a test", days.day, 77))
    days.day = date(2026, 10, 10)
    assert learning.catalog.get("qwen-max").limits.max_input == 77
    assert learning.catalog.day == days.day
    assert learning.catalog is learning.catalog


def test_a_day_that_is_given_stays() -> None:
    day, days = date(2024, 12, 18), Days(date(2026, 10, 9))
    with client(as_of=day) as by_day, client(catalog=Catalog.load(day=day)) as by_facts:
        assert by_day.catalog.day == by_facts.catalog.day == day
    with client() as ours:
        assert ours.catalog.day == Catalog.load().day
    assert settings(Catalog.load(day=day), api_key="sk-any", today=days).learning.catalog.day != day


def test_a_client_of_a_region_takes_models_that_are_served_there(tmp_path: Path) -> None:
    """Singapore has prices of its own, and the shipped catalogue has those of Beijing."""
    with (
        client(region="ap-southeast-1") as ours,
        pytest.raises(InvalidRequestError, match="region: 'ap-southeast-1' is not known"),
    ):
        ours.chat("hello")
    (tmp_path / "ours.toml").write_text(SINGAPORE)
    there = Catalog.load(tmp_path / "ours.toml", day=date(2026, 11, 24))
    made = settings(there, api_key="sk-any", region="ap-southeast-1", ledger=False)
    assert made.restrict(Requirements()).region == "ap-southeast-1"
    assert made.channel.endpoint.base_url.startswith("https://dashscope-intl.")
    with pytest.raises(InvalidRequestError, match="calls ap-southeast-1, not cn-beijing"):
        made.restrict(Requirements(region="cn-beijing"))


def test_a_file_is_no_catalogue_yet() -> None:
    given: Any = "mine.toml"
    with pytest.raises(InvalidRequestError, match=r"not str; Catalog\.load\(\['mine\.toml'\]\)"):
        Client(catalog=given, api_key="any", ledger=False)


@pytest.mark.parametrize(
    ("option", "says"),
    [
        ({"timeouts": 30}, r"timeouts is a value such as tokenfare\.Timeouts\(total=30\), not int"),
        ({"retry_policy": 3}, r"retry_policy is a value such as tokenfare\.RetryPolicy\(attempts"),
        ({"api_key": 123}, "api_key: a text, or what gives one for each call, not int"),
    ],
)
def test_an_option_that_cannot_be_meant_is_refused_when_the_client_is_made(
    option: dict[str, Any], says: str
) -> None:
    with pytest.raises(InvalidRequestError, match=says):
        Client(**({"api_key": "any", "ledger": False} | option))


@pytest.mark.parametrize(
    ("rates", "says"),
    [
        (
            {"qwen-falsh": RateLimits(600, 1_000_000)},
            r"rates: 'qwen-falsh' is the id of no model .* nearest: qwen-flash",
        ),
        ({"qwen-plus-1127": RateLimits(600, 1_000_000)}, "is the id of no model"),
        ({"gpt-*": RateLimits(600, 1_000_000)}, "and no pattern of one"),
        (
            {"qwen-plus": (600, 1_000_000)},
            r"'qwen-plus' has tokenfare\.catalog\.RateLimits, such as .*, not tuple",
        ),
    ],
)
def test_rates_that_would_be_kept_for_no_model_are_refused(rates: Any, says: str) -> None:
    """A slip of the pen would let through what was to be held back, and say nothing."""
    with pytest.raises(InvalidRequestError, match=says):
        client(rates=rates)


def test_rates_may_be_those_of_a_model_that_is_retired_or_to_come() -> None:
    known = {"qwen-turbo": RateLimits(600, None), "qwen3.8-*": RateLimits(60, None)}
    client(rates=known).close()

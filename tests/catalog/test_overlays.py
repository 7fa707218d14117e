"""A file of the user's own over the catalogue: providers, models, negotiated prices, discounts."""

from __future__ import annotations

import os
import re
from datetime import date
from decimal import Decimal

import pytest

import tokenfare as tf
from tokenfare import api
from tokenfare.catalog import Catalog
from tokenfare.errors import CatalogError
from tokenfare.money import Money

DAY = date(2026, 11, 23)

OURS = """
from = 2026-06-01
source = "contract"
provider = "ours"
family = "own"

[sources.contract]
title = "Our contract"
where = "the legal department"
as_of = 2026-06-01

[[providers]]
id = "ours"
name = "Our own servers"
default_region = "here"
key = { variable = "OUR_KEY" }
base_urls = [{ region = "here", url = "http://127.0.0.1:8000/v1" }]

[shared]
access = [{ kind = "paid" }]
modalities = [{ takes = ["text"] }]
purposes = [{ made_for = ["general"] }]
regions = [{ served_in = ["here"] }]
tokenizer = [{ name = "qwen" }]
chat = [{ per_message = 5, per_reply = 3 }]

[[model]]
id = "ours/small"
sent_as = "small"
kind = "stable"
limits = [{ context = 32_768 }]
prices = [{ currency = "EUR", per = 1_000_000, input = "0.1", output = "0.2" }]
retired = { on = 2030-01-01 }
"""


@pytest.fixture
def write(tmp_path):
    def written(text: str, name: str = "mine.toml") -> str:
        path = tmp_path / name
        path.write_text(text)
        return str(path)

    return written


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return Catalog.load((), day=DAY)


def contract(*lines: str) -> str:
    sources = OURS[OURS.index("[sources.contract]") : OURS.index("[[providers]]")]
    return "\n".join(["from = 2026-06-01", 'source = "contract"', sources, *lines])


def test_the_day_and_the_source_are_given_once_for_a_whole_file(catalog, write):
    mine = catalog.overlay(write(OURS))
    model = mine.get("ours/small")
    assert (model.wire_id, model.provider, model.limits.context) == ("small", "ours", 32_768)
    assert model.price is not None
    assert model.price.cost(1_000_000, 0) == Money(Decimal("0.1"), "EUR")
    for fact in ("price", "limits.context", "access", "retired_on"):
        assert model.evidence[fact].source.startswith("Our contract")
    assert model.evidence["price"].since == date(2026, 6, 1)
    provider = mine.provider("ours")
    assert (provider.key_variable, provider.max_body_bytes) == ("OUR_KEY", None)
    assert (provider.batch, dict(provider.base_urls)) == (
        None,
        {"here": "http://127.0.0.1:8000/v1"},
    )
    assert mine.get("ours/ours/small") is model
    assert len(mine.models(all=True)) == len(catalog.models(all=True)) + 1
    assert provider.evidence["base_urls.here"].source.startswith("Our contract")


def test_an_entry_may_have_a_day_of_its_own_in_such_a_file(catalog, write):
    later = OURS.replace("limits = [{ context", "limits = [{ from = 2026-07-01, context")
    model = catalog.overlay(write(later)).get("ours/small")
    assert model.evidence["limits.context"].since == date(2026, 7, 1)


def test_a_file_without_a_day_or_source_is_refused_as_before(catalog, write):
    with pytest.raises(CatalogError, match=r"shared\.access\[0\]\.source: .*missing"):
        catalog.overlay(write(OURS.replace('source = "contract"', "")))


def test_a_byte_order_mark_before_a_file_is_no_part_of_it(catalog, tmp_path):
    """Windows' editors put it there."""
    path = tmp_path / "marked.toml"
    path.write_bytes(b"\xef\xbb\xbffamily = 'own'\nprovider = 'dashscope'\n")
    assert catalog.overlay(path).models() == catalog.models()


def test_a_discount_is_a_factor_on_every_price_of_what_it_names(catalog, write):
    offer = contract("[[discounts]]", 'models = ["qwen-plus*", "qwen-max"]', 'factor = "0.85"')
    mine = catalog.overlay(write(offer))
    price, ours = mine.get("qwen-plus").price, catalog.get("qwen-plus").price
    assert price is not None
    assert ours is not None
    # The list says 0.8 in, 2 out and 8 for thinking, up to 128,000 tokens.
    first = price.tiers[0]
    assert (first.input, first.output, first.thinking_output) == (
        Decimal("0.8") * Decimal("0.85"),
        2 * Decimal("0.85"),
        8 * Decimal("0.85"),
    )
    assert (price.discount, ours.discount) == (Decimal("0.85"), None)
    assert mine.get("qwen-plus").evidence["discount"].source.startswith("Our contract")
    assert mine.get("qwen-plus").evidence["price"].source.startswith("The provider")
    assert mine.get("qwen-long").price == catalog.get("qwen-long").price
    assert mine.digest != catalog.digest


@pytest.mark.parametrize("factor", ["1.06", "2"])
def test_a_factor_above_one_is_a_surcharge(catalog, write, factor):
    """Of a reseller, or a tax: the list says 0.8 in and 2 out, up to 128,000 tokens."""
    offer = contract("[[discounts]]", 'models = ["qwen-plus"]', f'factor = "{factor}"')
    price = catalog.overlay(write(offer)).get("qwen-plus").price
    first = price.tiers[0]
    expected = (Decimal("0.8") * Decimal(factor), 2 * Decimal(factor))
    assert (first.input, first.output) == expected
    assert price.discount == Decimal(factor)


@pytest.mark.parametrize("factor", ["85", "15", "2.0001"])
def test_a_percentage_is_no_factor(catalog, write, factor):
    offer = contract("[[discounts]]", 'models = ["*"]', f'factor = "{factor}"')
    said = 'a factor of 2 at most, and no percentage: "0.85" pays 85 of 100, "1.06" adds 6'
    with pytest.raises(CatalogError, match=re.escape(said)) as caught:
        catalog.overlay(write(offer))
    assert "discounts[0]" in str(caught.value)


def test_a_discount_holds_between_its_days(catalog, write):
    offer = contract(
        "[[discounts]]", 'models = ["qwen-long"]', 'factor = "0.5"', "until = 2026-09-01"
    )
    mine = catalog.overlay(write(offer))
    inputs = {
        day: mine.as_of(day).get("qwen-long").price
        for day in (date(2026, 5, 31), date(2026, 6, 1), date(2026, 8, 31), date(2026, 9, 1))
    }
    # 0.0005 CNY for 1,000 tokens.
    assert [price.cost(2_000_000, 0).amount for price in inputs.values() if price] == [
        1,
        Decimal("0.5"),
        Decimal("0.5"),
        1,
    ]


def test_after_the_end_of_a_negotiated_price_ours_holds_again(catalog, write):
    text = contract(
        "[[model]]",
        'id = "qwen-long"',
        "prices = [{ until = 2026-09-01, "
        'currency = "CNY", per = 1_000, input = "0.0001", output = "0.0001" }]',
    )
    mine = catalog.overlay(write(text))
    during, after = (mine.as_of(d).get("qwen-long") for d in (date(2026, 8, 31), DAY))
    assert during.price is not None
    assert during.price.cost(10_000, 0) == Money(Decimal("0.001"), "CNY")
    assert after.price == catalog.get("qwen-long").price
    assert after.evidence["price"].source == catalog.get("qwen-long").evidence["price"].source


def test_a_price_without_a_successor_ends_on_its_day(catalog, write):
    text = OURS.replace("per = 1_000_000", "until = 2026-10-01, per = 1_000_000")
    model = catalog.overlay(write(text))
    assert model.as_of(date(2026, 9, 30)).get("ours/small").price is not None
    assert model.get("ours/small").price is None


def test_a_file_may_retire_a_model_that_we_saw_later(catalog, write):
    text = contract("[[model]]", 'id = "qwen-long"', "retired = { on = 2026-07-01 }")
    mine = catalog.overlay(write(text))
    assert mine.as_of(date(2026, 6, 30)).get("qwen-long").status == "available"
    assert (mine.get("qwen-long").status, mine.get("qwen-long").retired_on) == (
        "retired",
        date(2026, 7, 1),
    )
    assert mine.get("qwen-long").evidence["retired_on"].source.startswith("Our contract")


def test_a_row_that_others_inherit_from_may_be_laid_over(catalog, write):
    """The snapshots took their numbers from the list's own row, not from the user's."""
    text = contract(
        "[[model]]", 'id = "qwen-plus"', "limits = [{ from = 2024-12-04, context = 50_000 }]"
    )
    day = date(2024, 12, 18)
    mine = catalog.overlay(write(text)).as_of(day)
    assert mine.get("qwen-plus").limits.context == 50_000
    assert mine.get("qwen-plus-1127") == catalog.as_of(day).get("qwen-plus-1127")


def test_the_environment_names_files_and_an_argument_overrules_it(write):
    first, second = write(OURS, "a.toml"), write(contract(), "b.toml")
    environment = {"TOKENFARE_CATALOG": os.pathsep.join((first, second))}
    found = Catalog.load(day=DAY, environment=environment)
    assert found.get("ours/small").id == "ours/small"
    assert Catalog.load((), day=DAY, environment=environment).digest != found.digest


def test_what_is_not_there_is_named(tmp_path):
    environment = {"TOKENFARE_CATALOG": str(tmp_path / "none.toml")}
    with pytest.raises(CatalogError, match=r"none\.toml: cannot be read"):
        Catalog.load(environment=environment)


def test_the_functions_of_the_first_page_see_the_users_files(write, monkeypatch):
    text = OURS.replace('name = "qwen"', 'name = "unknown"')
    monkeypatch.setenv("TOKENFARE_CATALOG", write(text))
    assert api.tokenizer_for("ours/small") == "unknown"
    assert tf.fits("hello", model="ours/small")
    monkeypatch.delenv("TOKENFARE_CATALOG")
    with pytest.raises(tf.errors.UnknownModel):
        tf.fits("hello", model="ours/small")


@pytest.mark.parametrize("number", ["1e999999", "1e-999999", "0e999999", "1" * 41, "0." + "1" * 41])
def test_a_price_of_more_digits_than_any_price_has_is_refused(write, number: str) -> None:
    absurd = OURS.replace('input = "0.1"', f'input = "{number}"')
    with pytest.raises(CatalogError, match=r"prices\[0\].*at most 40 digits") as refused:
        Catalog.load([write(absurd)])
    assert len(str(refused.value)) < 500


def test_a_price_of_very_many_digits_is_taken(write) -> None:
    price = "0." + "0" * 30 + "1"
    mine = Catalog.load([write(OURS.replace('input = "0.1"', f'input = "{price}"'))], day=DAY)
    model = mine.get("ours/small")
    assert model.price is not None
    assert model.price.cost(1_000_000, 0) == Money(Decimal(price), "EUR")


@pytest.mark.parametrize("exact", [True, False])
def test_a_model_with_a_tokenizer_that_nobody_knows_stops_no_other(write, exact: bool) -> None:
    free = OURS.replace('"qwen"', '"qwem"').replace('"0.1"', '"0"').replace('"0.2"', '"0"')
    mine = Catalog.load([write(free)], day=DAY)
    shipped = Catalog.load([], day=DAY)
    text = "word " * 7_000  # 35,000 bytes: by bytes alone beyond the 32,768 of ours/small
    found = tf.route(text, exact=exact, catalog=mine)
    assert found.model.id == tf.route(text, exact=exact, catalog=shipped).model.id


def test_a_request_that_reasons_has_bounds_of_its_own_and_none_above_the_others(tmp_path):
    bounded = OURS.replace(
        "limits = [{ context = 32_768 }]",
        "limits = [{ context = 32_768, max_output = 20,"
        " thinking = { context = 9, max_output = 9 } }]",
    )
    path = tmp_path / "ours.toml"
    path.write_text(bounded)
    model = Catalog.load(path, day=DAY).get("ours/small")
    assert (model.limits.context, model.limits_for(thinking=True).context) == (32_768, 9)
    assert (model.limits.max_output, model.limits_for(thinking=True).max_output) == (20, 9)
    path.write_text(bounded.replace("max_output = 9 }", "max_output = 21 }"))
    with pytest.raises(CatalogError, match=r"thinking\.max_output: 21 exceeds the 20 without"):
        Catalog.load(path, day=DAY)


def test_the_currency_of_a_file_is_that_of_the_prices_that_give_none(catalog, write):
    """Without either, a price is refused: nobody's dollars are taken for yuan."""
    second = '\n[[model]]\nid = "ours/large"\nkind = "stable"\nlimits = [{ context = 9_000 }]\n'
    prices = 'prices = [{ per = 1_000, input = "0.3", output = "0.4" }]\n'
    mine = catalog.overlay(write('currency = "USD"' + OURS + second + prices)).as_of(DAY)
    currencies = {name: mine.get(f"ours/{name}").price.currency for name in ("small", "large")}
    assert currencies == {"small": "EUR", "large": "USD"}
    with pytest.raises(CatalogError, match=r"prices\[0\].currency: expected a value"):
        catalog.overlay(write(OURS + second + prices))


def test_the_newest_price_is_the_last_day_on_which_one_begins(catalog, write):
    """An entry that only says why no price is known begins none."""
    price = (
        "prices = [{ from = 2027-03-01, "
        'currency = "CNY", per = 1_000, input = "0.1", output = "0.2" }]'
    )
    later = catalog.overlay(write(contract("[[model]]", 'id = "qwen-plus"', price)))
    assert later.newest_price == date(2027, 3, 1)
    unknown = (
        'prices = [{ from = 2027-03-01, currency = "CNY", per = 1_000, note = "not published" }]'
    )
    same = catalog.overlay(write(contract("[[model]]", 'id = "qwen-plus"', unknown)))
    assert same.newest_price == catalog.newest_price == date(2026, 8, 21)


@pytest.mark.parametrize(
    ("stated", "endless", "key"),
    [
        ("context = 32_768", "context = 9_999_999_999_999_999_999", "limits[0].context"),
        (
            'input = "0.1", output = "0.2"',
            'tiers = [{ up_to = 9_999_999_999_999_999_999, input = "1", output = "1" },'
            ' { input = "2", output = "2" }]',
            "prices[0].tiers[0].up_to",
        ),
    ],
)
def test_a_number_of_tokens_that_stands_for_none_is_refused(stated, endless, key, write):
    """What plans and tables hold is bounded; it would be found out in the midst of a plan."""
    path = write(OURS.replace(stated, endless))
    with pytest.raises(CatalogError) as caught:
        Catalog.load().overlay(path)
    assert str(caught.value) == (
        f"{path}: model[0] ours/small: {key}: expected a number of at most 1000000000000000000, "
        "not 9999999999999999999"
    )
    most = endless.replace("9_999_999_999_999_999_999", "1_000_000_000_000_000_000")
    ours = Catalog.load().overlay(write(OURS.replace(stated, most))).get("ours/small")
    assert 10**18 in {ours.limits.context, ours.price.tiers[0].up_to}

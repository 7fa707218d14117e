"""A broken file is refused with its name, the key, and what was expected; a good one is laid over.

Each case is a whole file of a user, small enough to read.
"""

from __future__ import annotations

import subprocess
import sys
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from tokenfare.catalog import Catalog
from tokenfare.errors import CatalogError, InvalidRequestError
from tokenfare.money import Money

DAY = date(2026, 11, 23)
CONTRACT = """
[sources.contract]
title = "Our contract with the provider"
where = "the legal department"
as_of = 2026-06-01
"""


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return Catalog.load(day=DAY)


@pytest.fixture
def write(tmp_path):
    def written(text: str, name: str = "mine.toml") -> Path:
        path = tmp_path / name
        path.write_text(text)
        return path

    return written


def price_of(line: str) -> str:
    return f'{CONTRACT}\n[[model]]\nid = "qwen-plus"\nprices = [{{ {line} }}]\n'


PER_1000 = 'from = 2026-06-01, source = "contract", currency = "CNY", per = 1_000, '
GOOD_PRICE = PER_1000 + 'input = "0.0006", output = "0.001"'
WHOLE = (
    'kind = "stable"\nprovider = "dashscope"\nfamily = "x"\n'
    'access = [{ from = 2026-06-01, source = "contract", kind = "paid" }]\n'
    'modalities = [{ from = 2026-06-01, source = "contract", takes = ["text"] }]\n'
    'purposes = [{ from = 2026-06-01, source = "contract", made_for = ["general"] }]\n'
    'regions = [{ from = 2026-06-01, source = "contract", served_in = ["cn-beijing"] }]\n'
    'tokenizer = [{ from = 2026-06-01, source = "contract", name = "qwen" }]\n'
    'chat = [{ from = 2026-06-01, source = "contract", per_message = 5, per_reply = 3 }]\n'
)


def whole_model(model_id: str, more: str) -> str:
    return f'[[model]]\nid = "{model_id}"\n{WHOLE}{more}\n'


BROKEN = {
    "a price without a source": (
        price_of('from = 2026-06-01, currency = "CNY", per = 1_000, input = "0.1", output = "0.1"'),
        "model[0] qwen-plus: prices[0].source",
        "the key is missing",
    ),
    "a price without a day": (
        price_of('source = "contract", currency = "CNY", per = 1_000, input = "1", output = "1"'),
        "model[0] qwen-plus: prices[0].from",
        "the key is missing",
    ),
    "a price without a currency": (
        price_of(
            'from = 2026-06-01, source = "contract", per = 1_000, input = "0.1", output = "1"'
        ),
        "model[0] qwen-plus: prices[0].currency",
        "the key is missing",
    ),
    "a price as a float": (
        price_of(PER_1000 + 'input = 0.1, output = "0.1"'),
        "model[0] qwen-plus: prices[0].input",
        'a decimal number in quotes, like "0.0008"',
    ),
    "a price in words": (
        price_of(PER_1000 + 'input = "x", output = "0.1"'),
        "model[0] qwen-plus: prices[0].input",
        "not 'x'",
    ),
    "a price below zero": (
        price_of(GOOD_PRICE.replace('"0.0006"', '"-1"')),
        "model[0] qwen-plus: prices[0].input",
        "zero or more",
    ),
    "half a price": (
        price_of(PER_1000 + 'input = "0.1"'),
        "model[0] qwen-plus: prices[0]",
        "`input` and `output` together",
    ),
    "a price per something else": (
        price_of(GOOD_PRICE.replace("1_000", "100")),
        "model[0] qwen-plus: prices[0].per",
        "one of 1000 or 1000000, not 100",
    ),
    "an unknown key": (
        price_of(GOOD_PRICE + ', curency = "CNY"'),
        "model[0] qwen-plus: prices[0].curency",
        "no such key; nearest: currency",
    ),
    "an unknown key at the top": ("familly = 'x'\n", "familly", "no such key; nearest: family"),
    "a key that is like none": ("wxyz = 'x'\n", "wxyz", "no such key"),
    "a day in quotes": (
        price_of(GOOD_PRICE.replace("2026-06-01", '"2026-06-01"')),
        "model[0] qwen-plus: prices[0].from",
        "a date as YYYY-MM-DD, without quotes",
    ),
    "a day that does not exist": (
        price_of(GOOD_PRICE.replace("2026-06-01", "2026-02-30")),
        "",
        "not TOML",
    ),
    "a number as text": (
        f"{CONTRACT}\n[[model]]\nid = 'qwen-plus'\n"
        "limits = [{ from = 2026-06-01, source = 'contract', context = '1000' }]\n",
        "model[0] qwen-plus: limits[0].context",
        "a whole number of tokens",
    ),
    "a number of nothing": (
        f"{CONTRACT}\n[[model]]\nid = 'qwen-plus'\n"
        "limits = [{ from = 2026-06-01, source = 'contract', context = 0 }]\n",
        "model[0] qwen-plus: limits[0].context",
        "above 0, not 0",
    ),
    "a derived number without a reason": (
        f"{CONTRACT}\n[[model]]\nid = 'qwen-plus'\n"
        "limits = [{ from = 2026-06-01, source = 'contract',"
        " context = { tokens = 1, mark = 'derived' } }]\n",
        "model[0] qwen-plus: limits[0].context",
        "a `note` that says how",
    ),
    "not TOML": ("[[model]]\nid = \n", "", "line 2"),
    "a source that nobody describes": (
        price_of(GOOD_PRICE.replace('"contract"', '"hearsay"')),
        "model[0] qwen-plus: prices from 2026-06-01",
        "not 'hearsay'",
    ),
    "one model twice": (
        f"{price_of(GOOD_PRICE)}\n[[model]]\nid = 'qwen-plus'\n",
        "model[1] qwen-plus",
        "has a row of its own already",
    ),
    "two entries on one day": (
        price_of(GOOD_PRICE).replace("}]", f"}}, {{ {GOOD_PRICE} }}]"),
        "model[0] qwen-plus: prices from 2026-06-01",
        "this day has two",
    ),
    "tiers that do not ascend": (
        price_of(
            PER_1000 + "tiers = ["
            '{ up_to = 9, input = "1", output = "1" }, { up_to = 8, input = "1", output = "1" }]'
        ),
        "model[0] qwen-plus: prices from 2026-06-01.tiers",
        "each `up_to` above the one before",
    ),
    "a tier that is missing above the last": (
        price_of(
            PER_1000 + "tiers = ["
            '{ up_to = 9, input = "1", output = "1" },'
            '{ up_to = 256_000, input = "1", output = "1" }]'
        ),
        "model[0] qwen-plus: prices from 2026-06-01.tiers",
        "no tier is for inputs of 256,001 to 997,952 tokens, which the model takes; add one",
    ),
    "prices whose days overlap": (
        price_of(GOOD_PRICE + ", until = 2026-09-01").replace(
            "}]", f"}}, {{ {GOOD_PRICE.replace('2026-06-01', '2026-08-01')} }}]"
        ),
        "model[0] qwen-plus: prices from 2026-06-01",
        "holds until 2026-09-01, and the next entry begins on 2026-08-01: the two overlap; end",
    ),
    "a price that ends before it begins": (
        price_of(GOOD_PRICE + ", until = 2026-06-01"),
        "model[0] qwen-plus: prices[0]",
        "an `until` after 2026-06-01",
    ),
    "a discount on nothing": (
        f"{CONTRACT}\n[[discounts]]\nfrom = 2026-06-01\nsource = 'contract'\n"
        "factor = '0.9'\nmodels = ['qwen-pluss']\n",
        "discounts[0].models",
        "the pattern 'qwen-pluss' matches no model of the catalogue; nearest: qwen-plus",
    ),
    "a discount of everything": (
        "[[discounts]]\nfrom = 2026-06-01\nsource = 'contract'\nfactor = '0'\nmodels = ['*']\n",
        "discounts[0]",
        'a factor above 0: "0.85" pays 85 of 100',
    ),
    "a source of ours by another name": (
        "[sources.pages-2026-04]\ntitle = 'x'\nwhere = 'y'\nas_of = 2026-01-01\n",
        "sources.pages-2026-04",
        "is another source of the catalogue below; give yours another key",
    ),
    "discounts whose days overlap": (
        f"{CONTRACT}\n[[model]]\nid = 'qwen-plus'\ndiscounts = [\n"
        "{ from = 2026-06-01, until = 2026-12-01, source = 'contract', factor = '0.9' },\n"
        "{ from = 2026-09-01, source = 'contract', factor = '0.8' }]\n",
        "model[0] qwen-plus: discounts from 2026-06-01",
        "the two overlap",
    ),
    "an id that is another spelling": (
        CONTRACT + whole_model("qwen-max-0919", ""),
        "model[0] qwen-max-0919: id",
        "is another spelling of qwen-max-2024-09-19 already; choose another id",
    ),
    "a provider whose source nobody describes": (
        "[[providers]]\nid = 'ours'\nname = 'Our own'\ndefault_region = 'here'\n"
        "key = { from = 2026-06-01, source = 'hearsay', variable = 'OUR_KEY' }\n",
        "providers ours: key",
        "not 'hearsay'",
    ),
    "a discount whose source nobody describes": (
        "[[discounts]]\nfrom = 2026-06-01\nsource = 'hearsay'\n"
        "factor = '0.9'\nmodels = ['qwen-plus']\n",
        "discounts qwen-plus: discounts from 2026-06-01",
        "not 'hearsay'",
    ),
    "a provider whose region has no address": (
        f"{CONTRACT}\n[[providers]]\nid = 'ours'\nname = 'Our own'\ndefault_region = 'there'\n"
        "base_urls = [{ from = 2026-06-01, source = 'contract', region = 'here',"
        " url = 'http://127.0.0.1:8000/v1' }]\n",
        "providers[0]",
        "a `default_region` that has a URL: one of here",
    ),
    "an open tier that is not the last": (
        price_of(
            PER_1000 + "tiers = ["
            '{ input = "1", output = "1" }, { up_to = 8, input = "1", output = "1" }]'
        ),
        "model[0] qwen-plus: prices from 2026-06-01.tiers",
        "`up_to` in every tier but the last",
    ),
    "an incomplete new model": (
        f"{CONTRACT}\n[[model]]\nid = 'mine'\nprovider = 'dashscope'\nfamily = 'x'\n",
        "model[0] mine: kind",
        "one of 'stable', 'latest', 'snapshot' (and 6 more)",
    ),
    "an unknown provider": (
        CONTRACT + whole_model("mine", "").replace('"dashscope"', '"nobody"'),
        "model[0] mine: provider",
        "not 'nobody'",
    ),
    "a spelling that belongs to another": (
        CONTRACT
        + whole_model(
            "mine", "aliases = [{ from = 2026-06-01, source = 'contract', names = ['qwen-max'] }]"
        ),
        "model[0] mine: aliases from 2026-06-01",
        "'qwen-max' is a name of qwen-max already",
    ),
    "a target that does not exist": (
        CONTRACT
        + whole_model(
            "mine", "points_to = [{ from = 2026-06-01, source = 'contract', target = 'yours' }]"
        ),
        "model[0] mine: points_to from 2026-06-01",
        "not 'yours'",
    ),
    "names that stand for each other": (
        CONTRACT
        + whole_model("a", "points_to = [{ from = 2026-06-01, source = 'contract', target = 'b' }]")
        + whole_model(
            "b", "points_to = [{ from = 2026-06-01, source = 'contract', target = 'a' }]"
        ),
        "model[0] a: points_to from 2026-06-01",
        "points at itself by way of a; a `target` is a snapshot",
    ),
    "a number from another family": (
        CONTRACT
        + whole_model(
            "mine",
            "limits = [{ from = 2026-06-01, source = 'contract',"
            " context = { inherited_from = 'qwen-max' } }]",
        ),
        "model[0] mine: limits from 2026-06-01.context",
        "a row of family x, not 'qwen-max'",
    ),
    "room for the answer that nobody states": (
        CONTRACT
        + whole_model(
            "mine",
            "limits = [{ from = 2026-06-01, source = 'contract', context = 100, max_input = 90,"
            " max_output = 10, output_room = 'separate' }]",
        ),
        "model[0] mine: limits from 2026-06-01.output_room",
        "`max_input` equals `context`",
    ),
    "an input beyond the context": (
        CONTRACT
        + whole_model(
            "mine",
            "limits = [{ from = 2026-06-01, source = 'contract', context = 100,"
            " max_input = 1_000 }]",
        ),
        "model[0] mine: limits from 2026-06-01.max_input",
        "1,000 exceeds the context of 100",
    ),
    "rates that say nothing": (
        f"{CONTRACT}\n[[model]]\nid = 'qwen-plus'\n"
        "rates = [{ from = 2026-06-01, source = 'contract' }]\n",
        "model[0] qwen-plus: rates[0]",
        "or a `note` why neither is known",
    ),
    "retired before it was released": (
        CONTRACT
        + whole_model(
            "mine",
            "released = { on = 2026-06-01, source = 'contract' }\n"
            "retired = { on = 2026-05-01, source = 'contract' }",
        ),
        "model[0] mine: retired",
        "2026-05-01 is not after the first day of the model, 2026-06-01",
    ),
}


@pytest.mark.parametrize(("text", "key", "expected"), BROKEN.values(), ids=BROKEN)
def test_a_broken_file_is_refused_by_name_key_and_expectation(text, key, expected, catalog, write):
    path = write(text)
    with pytest.raises(CatalogError) as caught:
        catalog.overlay(path)
    message = str(caught.value)
    assert caught.value.path == str(path)
    assert message.startswith(f"{path}: {key}")
    assert caught.value.key == key
    assert expected in message
    assert "\n" not in message


def test_a_file_that_is_not_there_is_named(catalog, tmp_path):
    with pytest.raises(CatalogError, match=r"none\.toml: cannot be read: No such file"):
        catalog.overlay(tmp_path / "none.toml")


def test_bytes_that_are_no_text_are_named(catalog, tmp_path):
    path = tmp_path / "latin.toml"
    path.write_bytes(b"family = '\xe9'")
    with pytest.raises(CatalogError, match="not UTF-8 at byte 10"):
        catalog.overlay(path)


def test_a_negotiated_price_holds_from_its_day_and_ours_before(catalog, write):
    mine = catalog.overlay(write(price_of(GOOD_PRICE)))
    on_the_day = mine.as_of(date(2026, 6, 1)).get("qwen-plus")
    assert on_the_day.price is not None
    assert on_the_day.price.cost(1_000_000, 0) == Money(Decimal("0.6"), "CNY")
    assert on_the_day.evidence["price"].source.startswith("Our contract with the provider")
    before, ours = (c.as_of(date(2026, 5, 31)).get("qwen-plus") for c in (mine, catalog))
    assert before == ours


def test_a_file_is_heard_alone_on_a_fact_from_its_first_day_on(catalog, write):
    """Ours has a price from 2026-04-01; one of 2026-01-01 in the file is not overruled by it."""
    mine = catalog.overlay(write(price_of(GOOD_PRICE.replace("2026-06-01", "2026-01-01"))))
    price = mine.get("qwen-plus").price
    assert price is not None
    assert len(price.tiers) == 1
    assert mine.get("qwen-plus").limits == catalog.get("qwen-plus").limits


def test_laying_a_file_over_a_catalogue_leaves_it_as_it_was(catalog, write):
    digest, model = catalog.digest, catalog.get("qwen-plus")
    mine = catalog.overlay(write(price_of(GOOD_PRICE)))
    assert (catalog.digest, catalog.get("qwen-plus")) == (digest, model)
    assert mine.digest != digest
    assert mine.day == catalog.day


def test_files_are_laid_over_in_their_order(write):
    first = write(price_of(GOOD_PRICE), "a.toml")
    second = write(price_of(GOOD_PRICE.replace("0.0006", "0.0007")).replace(CONTRACT, ""), "b.toml")
    catalog = Catalog.load([first, second], day=DAY)
    price = catalog.get("qwen-plus").price
    assert price is not None
    assert price.tiers[0].input == Decimal("0.0007")


def test_an_unknown_provider_is_refused(catalog):
    with pytest.raises(InvalidRequestError, match="no provider is called 'nobody'; known: dash"):
        catalog.provider("nobody")


def test_the_values_come_without_pydantic():
    code = (
        "import sys; from tokenfare.catalog import Model, Limits, Price;"
        "sys.exit('pydantic' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

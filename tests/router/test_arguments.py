"""Arguments of another type: taken where they can mean only one thing, named where they cannot."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import tokenfare as tf
from tokenfare.errors import CatalogError, InvalidRequestError
from tokenfare.router import Requirements

DAY = date(2024, 12, 18)
CATALOG = tf.Catalog.load(day=DAY)
FORM = r'max_fare: expected an amount such as "0\.05 CNY", not '
NOT_WHOLE: list[Any] = [1.5, True, "7", Decimal(7)]
NO_DAY: list[Any] = ["2024-12-18", datetime(2024, 12, 18, tzinfo=UTC), 20241218]


def test_a_ceiling_may_be_written_out() -> None:
    written = tf.route(input_tokens=1_000, max_fare="0.05 CNY", catalog=CATALOG)
    assert written.requirements.max_fare == tf.Money(Decimal("0.05"), "CNY")
    with pytest.raises(tf.NoModelFits, match=r"the ceiling is 0\.0000001 CNY"):
        tf.route(input_tokens=1_000, max_fare="0.0000001 CNY", allow=["qwen-max"], catalog=CATALOG)


@pytest.mark.parametrize("amount", [0.05, 5, "0.05", "CNY", "much CNY", "0.05 yuan", Decimal(1)])
def test_a_ceiling_without_a_currency_is_told_the_form(amount: Any) -> None:
    with pytest.raises(InvalidRequestError, match=FORM):
        tf.route(input_tokens=1_000, max_fare=amount, catalog=CATALOG)
    with pytest.raises(InvalidRequestError, match=FORM):
        tf.routing_table(max_fare=amount, catalog=CATALOG)


@pytest.mark.parametrize("number", NOT_WHOLE)
def test_what_is_no_whole_number_is_named(number: Any) -> None:
    says = "is a whole number, not "
    with pytest.raises(InvalidRequestError, match=f"input_tokens {says}"):
        tf.route(input_tokens=number, catalog=CATALOG)
    with pytest.raises(InvalidRequestError, match=f"max_output_tokens {says}"):
        tf.fits("x", model="qwen-max", max_output_tokens=number)
    for name in ("max_output_tokens", "expected_output_tokens", "cached_tokens", "min_headroom"):
        with pytest.raises(InvalidRequestError, match=f"{name} {says}"):
            Requirements(**{name: number})


@pytest.mark.parametrize("number", [0, -1, *NOT_WHOLE])
def test_a_table_refuses_the_sizes_that_a_decision_refuses(number: Any) -> None:
    table = tf.routing_table(catalog=CATALOG)
    with pytest.raises(InvalidRequestError) as one:
        table.decide(number)
    with pytest.raises(InvalidRequestError) as other:
        tf.route(input_tokens=number, catalog=CATALOG)
    assert str(one.value) == str(other.value)


@pytest.mark.parametrize("day", NO_DAY)
def test_what_is_no_day_is_told_what_one_is(day: Any) -> None:
    says = r"a day is a datetime\.date such as date\(2024, 12, 18\), not "
    for ask in (
        lambda: tf.route(input_tokens=10, as_of=day),
        lambda: tf.route(input_tokens=10, as_of=day, catalog=CATALOG),
        lambda: tf.routing_table(as_of=day),
        lambda: tf.Client(api_key="sk-any", as_of=day, ledger=False),
        lambda: CATALOG.as_of(day),
        lambda: tf.Catalog.load(day=day),
    ):
        with pytest.raises(InvalidRequestError, match=says):
            ask()


def test_what_is_no_profile_is_told_what_one_is() -> None:
    profile: Any = {"batch": True}
    with pytest.raises(InvalidRequestError, match=r"tokenfare\.Requirements .* not dict"):
        tf.route(input_tokens=10, profile=profile, catalog=CATALOG)


@pytest.mark.parametrize("name", [None, 5, b"qwen-max"])
def test_a_model_is_named_by_a_text(name: Any) -> None:
    with pytest.raises(InvalidRequestError, match="a model is named by a text, not "):
        CATALOG.get(name)
    with pytest.raises(InvalidRequestError, match="a model is named by a text, not "):
        tf.fits("x", model=name)


def test_the_providers_word_for_reasoning_leads_to_ours() -> None:
    asked: Any = {"enable_thinking": True}
    with pytest.raises(TypeError, match="'enable_thinking'; thinking=True has the model reason"):
        tf.route("hello", catalog=CATALOG, **asked)


def test_one_catalogue_file_needs_no_list(tmp_path: Path) -> None:
    missing = tmp_path / "nope.toml"
    for path in (missing, str(missing)):
        with pytest.raises(CatalogError, match=r"nope\.toml: "):
            tf.Catalog.load(path)


NO_LIST: list[Any] = [None, 3, "qwen-*", b"qwen", {"qwen": 1}, [None], [3], [["qwen"]]]
LISTS = ["allow", "deny", "families", "providers", "kinds", "access", "needs"]


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize("given", NO_LIST, ids=repr)
def test_what_is_no_list_of_words_is_named(name: str, given: Any) -> None:
    says = "words or patterns is expected, not "
    if isinstance(given, list):
        says = "texts is expected, and "
    with pytest.raises(InvalidRequestError, match=rf"^{name}: a list of {says}"):
        tf.route(input_tokens=5, catalog=CATALOG, **{name: given})


@pytest.mark.parametrize("name", ["purpose", "region", "currency", "batch", "unstated_limits"])
@pytest.mark.parametrize(
    "given", [3, 1.5, b"x", [], {}, {"a"}, pytest.param(object(), id="object()")], ids=repr
)
def test_what_is_no_word_and_no_truth_value_is_named(name: str, given: Any) -> None:
    with pytest.raises(InvalidRequestError, match=rf"^{name} is "):
        tf.route(input_tokens=5, catalog=CATALOG, **{name: given})


@pytest.mark.parametrize(
    "given",
    [3, "mine.toml", Path("mine.toml"), [], {}, pytest.param(object(), id="object()")],
    ids=repr,
)
def test_what_is_no_catalogue_is_told_how_one_is_had(given: Any) -> None:
    says = r"a catalog is a tokenfare\.Catalog, not .*Catalog\.load\("
    for ask in (
        lambda: tf.count("x", model="qwen-plus", catalog=given),
        lambda: tf.count_messages("x", model="qwen-plus", catalog=given),
        lambda: tf.fits("x", model="qwen-plus", catalog=given),
        lambda: tf.trim("x", model="qwen-plus", catalog=given),
        lambda: tf.route("x", catalog=given),
        lambda: tf.route("x", catalog=given, as_of=DAY),
        lambda: tf.routing_table(catalog=given),
    ):
        with pytest.raises(InvalidRequestError, match=says):
            ask()


@pytest.mark.parametrize(
    ("ask", "says"),
    [
        (lambda: tf.count("x", model=["qwen-plus"]), "model"),
        (lambda: tf.count("x", tokenizer=["qwen"]), "a tokenizer is asked for by its name, not"),
        (lambda: tf.get_tokenizer(7), "a tokenizer is asked for by its name, not 7"),
        (lambda: tf.count_messages("x", template=["qwen3"]), "no chat template is called"),
        (
            lambda: tf.count_image(3, model="qwen3-vl-plus"),
            "image: the bytes of a file, .* not int",
        ),
        (lambda: tf.count_chats(3, model="qwen-plus"), "chats are a list of prompts, not int"),
        (lambda: tf.trim("x", 50, policy={"cut": "start"}), "a policy is a tokenfare.TrimPolicy"),
        (lambda: tf.read_document(3), "a document is named by its path, not int"),
        (lambda: tf.Catalog.load([3]), "a catalogue file is named by its path .*, not 3"),
        (lambda: tf.Catalog.load(3), "a catalogue file is named by its path .*, not 3"),
        (lambda: tf.Catalog.load(DAY), "not datetime.date.*; a day is given as day="),
        (lambda: CATALOG.overlay(b"mine.toml"), "a catalogue file is named by its path"),
        (lambda: tf.route("x", as_of=["2024"]), "a day is a datetime.date"),
    ],
)
def test_another_type_is_named_with_what_is_expected(ask: Any, says: str) -> None:
    with pytest.raises(InvalidRequestError, match=says):
        ask()


@pytest.mark.parametrize("name", ["a\0b.toml", "\ud800.toml"])
def test_a_name_that_no_file_can_have_is_a_file_that_cannot_be_read(name: str) -> None:
    with pytest.raises(CatalogError, match="cannot be read: "):
        tf.Catalog.load([name])
    with pytest.raises(tf.TokenfareError, match="cannot be read: "):
        tf.read_document(name)


def test_what_is_no_money_is_an_error_of_this_library() -> None:
    for wrong in ("5", "CNY", "5 yuan", "", None, 5, f"{'9' * 50} CNY"):
        with pytest.raises(InvalidRequestError, match=r'an amount such as "0\.05 CNY"'):
            tf.Money.written(wrong)
    for currency in ("cny", "", 5, None):
        with pytest.raises(InvalidRequestError, match="three capital letters"):
            tf.Money(Decimal(1), currency)

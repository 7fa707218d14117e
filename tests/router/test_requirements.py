"""What cannot be asked: contradictions, odd numbers, words that no catalogue knows."""

from dataclasses import fields
from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

import tokenfare as tf
from tokenfare.errors import InvalidRequestError
from tokenfare.money import Money
from tokenfare.router import Requirements
from tokenfare.router.requirement_options import RequirementOptions, requirements_from
from tokenfare.router.requirements_file import WrittenRequirements

CATALOG = tf.Catalog.load(day=date(2024, 12, 18))


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"allow": ("a", "b"), "deny": ("b",)}, "allow and deny both say 'b'"),
        ({"expected_output_tokens": 1_001}, "expected_output_tokens is 1,001"),
        ({"expected_output_tokens": 0}, "expected_output_tokens is 0"),
        ({"cached_tokens": -1}, "cached_tokens is -1; it is at least 0"),
        ({"cached_tokens": 5, "batch": True}, "batch and cached_tokens exclude each other"),
        ({"min_headroom": -1}, "min_headroom is -1"),
        ({"min_tokens_per_minute": -1}, "min_tokens_per_minute is -1"),
        (
            {"kinds": frozenset({"newest"})},
            "kinds: 'newest' is not one of latest, snapshot, stable",
        ),
        (
            {"access": frozenset({"stolen"})},
            "access: 'stolen' is not one of application, free, paid",
        ),
        ({"needs": frozenset({"smell"})}, "needs: 'smell' is not one of audio, file, image"),
        ({"currency": "cny"}, "currency is three capital letters, such as CNY, not 'cny'"),
        ({"currency": "yuan"}, "currency is three capital letters"),
        ({"allow": "qwen-*"}, "allow: a list of words or patterns is expected"),
        ({"deny": ["x", 5]}, "deny: a list of texts is expected, and 5 in it is not one"),
        ({"needs": "image"}, "needs: a list of words or patterns is expected"),
        ({"thinking": "yes"}, "thinking is True or False, not 'yes'"),
        ({"max_fare": Money(Decimal(1), "USD")}, "max_fare is in USD"),
        ({"max_fare": "1 CNY"}, "max_fare is a tokenfare.Money here, not '1 CNY'"),
    ],
)
def test_what_contradicts_itself_is_refused(options: dict[str, Any], says: str) -> None:
    with pytest.raises(InvalidRequestError) as raised:
        Requirements(**options)
    assert says in str(raised.value)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (
            {"allow": ["qwen-trubo"]},
            "allow: 'qwen-trubo' matches no model of the catalogue; nearest: qwen-turbo",
        ),
        ({"deny": ["gtp-*"]}, "deny: 'gtp-*' matches no model of the catalogue"),
        ({"families": ["qwen-pluss"]}, "families: 'qwen-pluss' matches no model"),
        ({"providers": ["dashscop"]}, "nearest: dashscope"),
        ({"purpose": "coding"}, "purpose: 'coding' is not known; known: audio, code, general"),
        ({"purpose": "codes"}, "purpose: 'codes' is not known; nearest: code;"),
        (
            {"region": "mars"},
            "cn-beijing (where the catalogue lists a model; the provider may serve",
        ),
        ({"region": "cn-beijin"}, "region: 'cn-beijin' is not known; nearest: cn-beijing"),
        (
            {"allow": ["qwen-max"], "deny": ["qwen-*"]},
            "deny (qwen-*) refuses every model that allow (qwen-max) lets through",
        ),
    ],
)
def test_a_word_that_the_catalogue_does_not_know_is_an_error_with_the_nearest(
    options: dict[str, Any], says: str
) -> None:
    with pytest.raises(InvalidRequestError) as raised:
        tf.route(input_tokens=10, catalog=CATALOG, **options)
    assert says in str(raised.value)
    with pytest.raises(InvalidRequestError):
        tf.routing_table(catalog=CATALOG, **options)


def test_a_model_that_is_known_on_another_day_only_is_a_refusal_and_no_error() -> None:
    """qwen3-max came in 2025: on a day before it is refused as not there yet."""
    with pytest.raises(tf.NoModelFits, match="qwen3-max: not known to exist on 2024-12-18 yet"):
        tf.route(input_tokens=10, catalog=CATALOG, allow=["qwen3-max"])


def test_the_ceilings_currency_is_the_one_that_is_compared_in() -> None:
    assert requirements_from({"max_fare": Money(Decimal(1), "USD")}).currency == "USD"


def test_an_unknown_keyword_is_a_type_error_that_names_it() -> None:
    with pytest.raises(TypeError, match="'alow'"):
        tf.route(input_tokens=10, alow=["qwen-*"])


def test_any_collection_and_any_integer_is_kept_as_it_is_declared() -> None:
    """So that requirements can be compared, hashed and written, whoever has made them."""
    loose: dict[str, Any] = {"allow": ["qwen-*"], "kinds": ["stable"], "access": ["paid"]}
    asked = Requirements(**loose, needs=frozenset({"image"}), max_output_tokens=np.int64(50))
    assert asked == Requirements(
        allow=("qwen-*",),
        kinds=frozenset({"stable"}),
        needs=frozenset({"text", "image"}),
        access=frozenset({"paid"}),
        max_output_tokens=50,
    )
    assert type(asked.max_output_tokens) is int
    assert hash(asked)
    assert tf.route("hello", profile=asked, catalog=CATALOG).requirements.allow == ("qwen-*",)


def test_a_requirement_can_be_given_as_a_field_as_a_keyword_and_in_a_file() -> None:
    """Type checkers and pydantic need each list spelled out; this holds them to one another."""
    names = [field.name for field in fields(Requirements)]
    assert list(RequirementOptions.__annotations__) == names
    assert list(WrittenRequirements.model_fields) == names

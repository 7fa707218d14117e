"""What is said to help does help: the request that is changed so is taken."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

import tokenfare as tf
from models import DAY, model
from tokenfare.catalog import Limits, Model, RateLimits
from tokenfare.money import Money
from tokenfare.router import Requirements, decide, way_out
from tokenfare.tokenizers import Count

ROOMY = Limits(context=100_000, max_input=90_000, max_output=8_000)


def taken(one: Model, size: Count, requirements: Requirements) -> bool:
    return decide([one], lambda _: size, requirements, day=DAY, digest="").found


@pytest.mark.parametrize(
    ("facts", "options", "clause", "mended"),
    [
        (
            {},
            {"max_output_tokens": 9_000},
            "keep room for 8,000 tokens",
            {"max_output_tokens": 8_000},
        ),
        (
            {"limits": Limits(max_input=1_500)},
            {"min_headroom": 600},
            "ask for 500 tokens to spare",
            {"min_headroom": 500},
        ),
        ({"limits": Limits()}, {}, "let unstated limits pass", {"unstated_limits": True}),
        (
            {},
            {"max_fare": Money(Decimal("0.002"), "CNY")},
            "raise the ceiling to 0.003 CNY",
            {"max_fare": Money(Decimal("0.003"), "CNY")},
        ),
        ({"access": "trial"}, {}, "accept the access 'trial'", {"access": frozenset({"trial"})}),
        (
            {},
            {"needs": frozenset({"text", "image"})},
            "do without image",
            {"needs": frozenset({"text"})},
        ),
        ({}, {"purpose": "code"}, "ask for general", {"purpose": "general"}),
        ({}, {"region": "mars"}, "ask in cn-beijing", {"region": "cn-beijing"}),
        (
            {"rates": RateLimits(60, 600)},
            {"min_requests_per_minute": 61},
            "need a lower rate",
            {"min_requests_per_minute": 60},
        ),
        ({}, {"currency": "USD"}, "compare in CNY", {"currency": "CNY"}),
        ({}, {"batch": True}, "ask for it live", {"batch": False}),
        ({}, {"deny": ("m",)}, "refuse it no more", {"deny": ()}),
        ({}, {"allow": ("n",)}, "allow m", {"allow": ("m",)}),
        ({}, {"providers": ("n",)}, "allow the provider dashscope", {"providers": ("dashscope",)}),
        ({}, {"families": ("n",)}, "allow the family made up", {"families": ("made up",)}),
        (
            {},
            {"kinds": frozenset({"latest"})},
            "allow stable names",
            {"kinds": frozenset({"stable"})},
        ),
    ],
)
def test_another_requirement_helps(
    facts: dict[str, Any], options: dict[str, Any], clause: str, mended: dict[str, Any]
) -> None:
    one, size = model(**({"limits": ROOMY} | facts)), Count.exactly(1_000)
    wanted = Requirements(**options)
    (refusal,) = decide([one], lambda _: size, wanted, day=DAY, digest="").rejected
    assert way_out(refusal, wanted) == clause
    assert not taken(one, size, wanted)
    assert taken(one, size, replace(wanted, **mended))


@pytest.mark.parametrize(
    ("limits", "size", "clause", "tokens"),
    [
        (Limits(max_input=900), Count.exactly(901), "shorten the input by 1 token", 1),
        (
            Limits(context=1_500),
            Count.exactly(1_000),
            "shorten the input and the room for the answer by 500 tokens together",
            500,
        ),
        (
            Limits(max_input=900),
            Count(800, 700, 1_000, "bounds"),
            "know its size exactly, or shorten the input by 100 tokens",
            100,
        ),
    ],
)
def test_an_input_that_is_so_much_shorter_fits(
    limits: Limits, size: Count, clause: str, tokens: int
) -> None:
    one, asked = model(limits=limits), Requirements()
    (refusal,) = decide([one], lambda _: size, asked, day=DAY, digest="").rejected
    assert way_out(refusal, asked) == clause
    assert taken(one, shorter(size, tokens), asked)
    assert not taken(one, shorter(size, tokens - 1), asked)


MATH = Limits(context=4_096, max_input=3_072, max_output=3_072)


@pytest.mark.parametrize(
    ("limits", "tokens", "answer", "tokens_over", "longest"),
    [
        (ROOMY, 95_000, 9_000, 95_000 - 90_000, 8_000),
        (ROOMY, 95_000, 20_000, 95_000 - 90_000, 8_000),
        (MATH, 2_000, 4_000, 2_000 - (4_096 - 3_072), 3_072),
        (MATH, 10_000_001, 6_000, 10_000_001 - (4_096 - 3_072), 3_072),
    ],
)
def test_an_input_and_an_answer_that_are_both_too_long_are_both_named(
    limits: Limits, tokens: int, answer: int, tokens_over: int, longest: int
) -> None:
    one, asked = model(limits=limits), Requirements(max_output_tokens=answer)
    (refusal,) = decide([one], lambda _: Count.exactly(tokens), asked, day=DAY, digest="").rejected
    assert way_out(refusal, asked) == (
        f"shorten the input by {tokens_over:,} tokens, and keep room for {longest:,} tokens"
    )
    mended = replace(asked, max_output_tokens=longest)
    assert taken(one, Count.exactly(tokens - tokens_over), mended)
    assert not taken(one, Count.exactly(tokens - tokens_over + 1), mended)
    assert not taken(one, Count.exactly(tokens - tokens_over), asked)


def test_the_room_that_helps_is_that_of_a_model_that_reasons_first() -> None:
    reasoning = Limits(context=100_000, max_input=90_000, max_output=2_000)
    one = model(limits=ROOMY, thinking_limits=reasoning)
    asked, size = Requirements(max_output_tokens=3_000, thinking=True), Count.exactly(9)
    (refusal,) = decide([one], lambda _: size, asked, day=DAY, digest="").rejected
    assert way_out(refusal, asked) == "keep room for 2,000 tokens"
    assert taken(one, size, replace(asked, max_output_tokens=2_000))


def test_the_nearest_miss_is_not_a_small_model_whose_answer_is_a_little_too_long() -> None:
    """1 token too many is nearer than an answer 2,928 too long beside millions of tokens."""
    small = model("small", limits=MATH)
    large = model("large", limits=Limits(max_input=10_000_000))
    asked, size = Requirements(max_output_tokens=6_000), Count.exactly(10_003_000)
    decision = decide([small, large], lambda _: size, asked, day=DAY, digest="")
    assert [each.model.id for each in decision.rejected] == ["large", "small"]
    assert decision.way_out() == "large: shorten the input by 3,000 tokens"


def shorter(size: Count, tokens: int) -> Count:
    return Count(size.value - tokens, size.low - tokens, size.high - tokens, size.how)


@pytest.mark.parametrize("facts", [{"status": "retired"}, {"price": None}])
def test_where_the_caller_can_do_nothing_nothing_is_said(facts: dict[str, Any]) -> None:
    one, asked = model(**({"limits": ROOMY} | facts)), Requirements()
    decision = decide([one], lambda _: Count.exactly(9), asked, day=DAY, digest="")
    assert way_out(decision.rejected[0], asked) is None
    assert decision.way_out() is None


def test_the_error_ends_with_what_would_help() -> None:
    with pytest.raises(tf.NoModelFits, match=r"; for qwen-long: shorten the input by 1 token$"):
        tf.route(input_tokens=10_000_001, as_of=DAY)

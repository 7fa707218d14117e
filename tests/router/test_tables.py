"""Decisions written down by hand, for December 2024 and for autumn 2026.

Each row is a request and the model that a person finds with the price list in hand; limits and
prices are those of the provider's tables, fares are written as arithmetic in yuan.
"""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

import tokenfare as tf
from tokenfare.errors import InvalidRequestError
from tokenfare.money import Money

THEN = tf.Catalog.load(day=date(2024, 12, 18))
NOW = tf.Catalog.load(day=date(2026, 11, 24))

QWEN = {"families": ["qwen-*"]}
VL = {"needs": ["image"]}
MATH = {"purpose": "math", "allow": ["qwen-math-*"]}
OLD = {"allow": ["qwen-plus-2024-08-06"]}


def chosen(catalog: tf.Catalog, tokens: int, **options: Any) -> str | None:
    try:
        return tf.route(input_tokens=tokens, catalog=catalog, **options).model.id
    except tf.NoModelFits:
        return None


@pytest.mark.parametrize(
    ("tokens", "options", "model"),
    [
        # The ladder: qwen-turbo takes 129,024 in 131,072, turbo-latest a million, long ten.
        (1, {}, "qwen-turbo"),
        (129_023, {}, "qwen-turbo"),
        (129_024, {}, "qwen-turbo"),
        (129_025, {}, "qwen-turbo-latest"),
        (999_999, {}, "qwen-turbo-latest"),
        (1_000_000, {}, "qwen-turbo-latest"),
        (1_000_001, {}, "qwen-long"),
        (9_999_999, {}, "qwen-long"),
        (10_000_000, {}, "qwen-long"),
        (10_000_001, {}, None),
        # The answer: turbo allows 8,192; in its context 131,072 - 8,192 = 122,880 are left.
        (1_000, {"max_output_tokens": 8_191}, "qwen-turbo"),
        (1_000, {"max_output_tokens": 8_192}, "qwen-turbo"),
        (1_000, {"max_output_tokens": 8_193}, None),
        (122_879, {"max_output_tokens": 8_192}, "qwen-turbo"),
        (122_880, {"max_output_tokens": 8_192}, "qwen-turbo"),
        (122_881, {"max_output_tokens": 8_192}, "qwen-turbo-latest"),
        # Room of its own: the whole million, and the whole ten, beside the longest answer.
        (1_000_000, {"max_output_tokens": 8_192}, "qwen-turbo-latest"),
        (1_000_001, {"max_output_tokens": 6_001}, None),
        (10_000_000, {"max_output_tokens": 5_999}, "qwen-long"),
        (10_000_000, {"max_output_tokens": 6_000}, "qwen-long"),
        # Mathematics: 3,072 in, 3,072 out, and both together within 4,096.
        (3_071, {**MATH, "max_output_tokens": 1_024}, "qwen-math-turbo"),
        (3_072, {**MATH, "max_output_tokens": 1_024}, "qwen-math-turbo"),
        (3_073, {**MATH, "max_output_tokens": 1}, None),
        (1_023, {**MATH, "max_output_tokens": 3_072}, "qwen-math-turbo"),
        (1_024, {**MATH, "max_output_tokens": 3_072}, "qwen-math-turbo"),
        (1_025, {**MATH, "max_output_tokens": 3_072}, None),
        (1, {**MATH, "max_output_tokens": 3_073}, None),
        # One snapshot has a context, 128,000, and no input limit of its own.
        (126_999, OLD, "qwen-plus-2024-08-06"),
        (127_000, OLD, "qwen-plus-2024-08-06"),
        (127_001, OLD, None),
        # Pictures: 0.008 for plus, 0.02 for max; plus takes 6,000, its latest 30,000, max 30,000.
        (5_999, VL, "qwen-vl-plus"),
        (6_000, VL, "qwen-vl-plus"),
        (6_001, VL, "qwen-vl-plus-latest"),
        (29_999, VL, "qwen-vl-plus-latest"),
        (30_000, VL, "qwen-vl-plus-latest"),
        (30_001, VL, None),
        (900, {**VL, "max_output_tokens": 2_001}, None),
        # Sounds: only after a trial, and then by the larger room.
        (100, {"needs": ["audio"]}, None),
        # Code: turbo 0.002 and 0.006, plus 0.0035 and 0.007.
        (1_000, {"purpose": "code"}, "qwen-coder-turbo"),
        (129_025, {"purpose": "code"}, None),
        # Names: stable, latest, pinned.
        (1_000, {"families": ["qwen-max"], "kinds": ["stable"]}, "qwen-max"),
        (1_000, {"families": ["qwen-max"], "kinds": ["latest"]}, "qwen-max-latest"),
        (1_000, {"families": ["qwen-max"], "kinds": ["snapshot"]}, "qwen-max-2024-09-19"),
        # The batch price: max, plus and turbo had one, and long soon after.
        (1_000, {"batch": True, "deny": ["qwen-turbo*"]}, "qwen-plus"),
        # Money: 1,000 in and 1,000 out on turbo are 0.0003 + 0.0006.
        (1_000, {"max_fare": Money(Decimal("0.0009"), "CNY")}, "qwen-turbo"),
        (1_000, {"max_fare": Money(Decimal("0.00089"), "CNY")}, None),
        # Retired later, not there yet, refused by name.
        (1_000, {"allow": ["qwen-max-0107"]}, "qwen-max-2024-01-07"),
        (1_000, {"allow": ["qwen3-max"]}, None),
        (1_000, {**QWEN, "deny": ["*turbo*"]}, "qwen-long"),
    ],
)
def test_december_2024(tokens: int, options: dict[str, Any], model: str | None) -> None:
    assert chosen(THEN, tokens, **options) == model


@pytest.mark.parametrize(
    ("access", "options", "model"),
    [
        ("paid", {"families": ["yi"]}, None),
        # Nothing of a trial is billed; of two with 32,000 tokens the name that comes first.
        ("trial", {"families": ["yi"]}, "yi-large"),
        ("trial", {"needs": ["audio"]}, "qwen-audio-turbo"),
        ("application", {"families": ["minimax"]}, "abab6.5s-chat"),
        ("paid", {"allow": ["baichuan2-turbo"]}, None),
        ("application", {"allow": ["baichuan2-turbo"]}, "baichuan2-turbo"),
        ("free", {"allow": ["baichuan2-turbo"]}, None),
        ("paid", {"allow": ["baichuan2-7b"]}, "baichuan2-7b-chat-v1"),
        ("application", {"allow": ["baichuan2-7b"]}, None),
    ],
)
def test_each_kind_of_access(access: str, options: dict[str, Any], model: str | None) -> None:
    assert chosen(THEN, 1_000, access=[access], **options) == model


@pytest.mark.parametrize(
    ("tokens", "options", "model"),
    [
        # Up to 128,000: flash 0.15 and 1.5 a million. Beyond it is 0.6 and 6, long 0.5 and 2.
        (1, {}, "qwen-flash"),
        (127_999, {}, "qwen-flash"),
        (128_000, {}, "qwen-flash"),
        (128_001, {}, "qwen-long"),
        (10_000_000, {}, "qwen-long"),
        (10_000_001, {}, None),
        # Without both: 3.5-flash 0.2 and 2 up to 128,000, then 0.8 and 8, which is still cheapest.
        (128_000, {"deny": ["qwen-flash", "qwen-long"]}, "qwen3.5-flash"),
        (128_001, {"deny": ["qwen-flash", "qwen-long", "qwen-plus-latest"]}, "qwen3.5-flash"),
        # What was last known of plus-latest is 0.8 and 2 without tiers, in 131,072.
        (128_001, {"deny": ["qwen-flash", "qwen-long"]}, "qwen-plus-latest"),
        (130_072, {"deny": ["qwen-flash", "qwen-long"]}, "qwen3.5-flash"),
        # Tiers of one model: the ceiling is what 32,000 and 1,000 cost: 32 x 2.5 + 1 x 10 mCNY.
        (32_000, {"allow": ["qwen3-max"], "max_fare": Money(Decimal("0.09"), "CNY")}, "qwen3-max"),
        (32_001, {"allow": ["qwen3-max"], "max_fare": Money(Decimal("0.09"), "CNY")}, None),
        # Pictures: nobody states the limits of vl-flash (0.15 and 1.5); vl-plus is 1 and 10.
        (1_000, VL, "qwen3-vl-plus"),
        (1_000, {**VL, "unstated_limits": True}, "qwen3-vl-flash"),
        (1_000, {"allow": ["qwen-vl-plus"]}, None),
        (1_000, {"allow": ["qwen-turbo"]}, None),
        # Code: coder-flash is served, coder-plus and the coders of 2024 were retired in October.
        (1_000, {"purpose": "code"}, "qwen3-coder-flash"),
        (1_000, {"allow": ["qwen3-coder-plus"]}, None),
        # The large one takes 258,048 in 262,144, and its last tier ends at 252,000.
        (252_000, {"allow": ["qwen3-max"]}, "qwen3-max"),
        # Reasoning leaves plus 995,904 of its 997,952 tokens of input, and max half of its answer.
        (997_952, {"allow": ["qwen-plus"]}, "qwen-plus"),
        (995_904, {"allow": ["qwen-plus"], "thinking": True}, "qwen-plus"),
        (995_905, {"allow": ["qwen-plus"], "thinking": True}, None),
        (1_000, {"allow": ["qwen3-max"], "max_output_tokens": 32_769}, "qwen3-max"),
        (
            1_000,
            {"allow": ["qwen3-max"], "max_output_tokens": 32_768, "thinking": True},
            "qwen3-max",
        ),
        (1_000, {"allow": ["qwen3-max"], "max_output_tokens": 32_769, "thinking": True}, None),
        # In batches 3.5-plus has a context of 256,000, with 1,000 for the answer; live a million.
        (255_000, {"allow": ["qwen3.5-plus"], "batch": True}, "qwen3.5-plus"),
        (255_001, {"allow": ["qwen3.5-plus"], "batch": True}, None),
        (255_001, {"allow": ["qwen3.5-plus"]}, "qwen3.5-plus"),
        # Rates: 60 requests a minute are enough for the stable name and not known of its snapshot.
        (1_000, {"families": ["qwen-max"], "min_requests_per_minute": 1_200}, "qwen-max"),
        (1_000, {"families": ["qwen-max"], "min_requests_per_minute": 1_201}, None),
    ],
)
def test_autumn_2026(tokens: int, options: dict[str, Any], model: str | None) -> None:
    assert chosen(NOW, tokens, **options) == model


@pytest.mark.parametrize(
    ("tokens", "options", "fare"),
    [
        (1_000, {}, Decimal("0.0003") + Decimal("0.0006")),
        (129_025, {}, Decimal("129.025") * Decimal("0.0003") + Decimal("0.0006")),
        (10_000_000, {}, 10_000 * Decimal("0.0005") + Decimal("0.002")),
        (1_000, {"batch": True}, (Decimal("0.0003") + Decimal("0.0006")) / 2),
        (1_000, VL, Decimal("0.008") + Decimal("0.008")),
    ],
)
def test_fares_of_december_2024(tokens: int, options: dict[str, Any], fare: Decimal) -> None:
    assert tf.route(input_tokens=tokens, catalog=THEN, **options).fare.high == Money(fare, "CNY")


@pytest.mark.parametrize(
    ("tokens", "thinking", "fare"),
    [
        (10_000, False, 10 * Decimal("0.0008") + Decimal("0.002")),
        (10_000, True, 10 * Decimal("0.0008") + Decimal("0.008")),
        (200_000, True, 200 * Decimal("0.0024") + Decimal("0.024")),
    ],
)
def test_an_answer_that_is_reasoned_has_a_price_of_its_own(
    tokens: int, thinking: bool, fare: Decimal
) -> None:
    decision = tf.route(
        input_tokens=tokens, catalog=NOW, allow=["qwen-plus"], thinking=thinking, max_fare="1 CNY"
    )
    assert decision.fare.high == Money(fare, "CNY")
    edge = Money(fare - Decimal("0.000001"), "CNY")
    assert chosen(NOW, tokens, allow=["qwen-plus"], thinking=thinking, max_fare=edge) is None


@pytest.mark.parametrize(("tokens", "fits"), [(131_072 - 1_000, True), (131_073 - 1_000, False)])
def test_the_context_of_a_request_that_reasons_is_held_to(tokens: int, fits: bool) -> None:
    """qwen-turbo in 2026: a million tokens, and 131,072 of a request that reasons first."""
    spring = THEN.as_of(date(2026, 5, 1))
    options: dict[str, Any] = {"allow": ["qwen-turbo"], "max_output_tokens": 1_000}
    assert chosen(spring, tokens, **options) == "qwen-turbo"
    assert (chosen(spring, tokens, **options, thinking=True) == "qwen-turbo") is fits
    digits = "0" * (tokens - 5 - 3)  # each is a token
    for parameters, answer in (({"enable_thinking": True}, fits), ({}, True)):
        found = tf.fits(digits, model="qwen-turbo", parameters=parameters, catalog=spring)
        assert bool(found) is answer


def test_reasoning_in_a_requests_parameters_is_decided_on() -> None:
    options: dict[str, Any] = {"catalog": NOW, "allow": ["qwen-plus", "qwen3.5-plus"]}
    plain, reasoned = (
        tf.route("hello", parameters={"enable_thinking": which}, **options)
        for which in (False, True)
    )
    assert (plain.model.id, reasoned.model.id) == ("qwen-plus", "qwen3.5-plus")
    with pytest.raises(InvalidRequestError, match="contradict each other"):
        tf.route("hello", parameters={"enable_thinking": False}, thinking=True, **options)


def test_reasoning_changes_the_choice() -> None:
    """A million tokens cost: plus 0.8 in and 2 out, 8 with reasoning; 3.5-plus 0.8 and 4.8."""
    options = {"allow": ["qwen-plus", "qwen3.5-plus"]}
    assert chosen(NOW, 1_000, **options) == "qwen-plus"
    assert chosen(NOW, 1_000, **options, thinking=True) == "qwen3.5-plus"


def test_equal_fares_go_to_the_stable_name() -> None:
    """qwen-turbo, its latest and two snapshots have one price in December 2024."""
    decision = tf.route(input_tokens=1_000, catalog=THEN)
    equal = [e.model.id for e in decision.ranked if e.fare.high == decision.fare.high]
    assert equal[0] == "qwen-turbo"
    assert set(equal) == {
        "qwen-turbo",
        "qwen-turbo-latest",
        "qwen-turbo-2024-11-01",
        "qwen-turbo-2024-09-19",
    }


def test_an_expected_answer_changes_the_choice_and_not_the_ceiling() -> None:
    """Two models whose lines cross in the length of the answer."""
    options = {"allow": ["qwen-max", "qwen-vl-max"], "max_output_tokens": 2_000}
    # max: 0.02 n + 0.06 m, vl-max: 0.02 n + 0.02 m; with any answer vl-max is cheaper.
    assert chosen(THEN, 1_000, **options) == "qwen-vl-max"
    wide = {"allow": ["qwen-long", "qwen-plus"], "max_output_tokens": 6_000}
    # plus 0.8 n + 2 m, long 0.5 n + 2 m milli-yuan: long, however long the answer is.
    assert chosen(THEN, 1_000, **wide) == "qwen-long"
    pair = {"allow": ["chatglm-6b-v2", "qwen-coder-plus"], "max_output_tokens": 2_000}
    # glm 6 n + 6 m, plus 3.5 n + 7 m milli-yuan: for 500 in they meet at an answer of 1,250.
    assert chosen(THEN, 500, **pair) == "chatglm-6b-v2"
    assert chosen(THEN, 500, **pair, expected_output_tokens=1_251) == "chatglm-6b-v2"
    assert chosen(THEN, 500, **pair, expected_output_tokens=1_249) == "qwen-coder-plus"


def test_cache_hits_that_are_expected_change_the_choice() -> None:
    """In December 2024 only qwen-plus had a cache, at 40 %: 0.32 instead of 0.8 milli-yuan.

    With long at 0.5 n: for 10,000 in, of which 8,000 are cached, plus costs 1.6 + 2.56 = 4.16 and
    long 5 milli-yuan; with 6,000 cached it is 3.2 + 1.92 = 5.12.
    """
    options = {"allow": ["qwen-plus", "qwen-long"]}
    assert chosen(THEN, 10_000, **options) == "qwen-long"
    assert chosen(THEN, 10_000, **options, cached_tokens=8_000) == "qwen-plus"
    assert chosen(THEN, 10_000, **options, cached_tokens=6_000) == "qwen-long"

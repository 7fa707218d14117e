"""The three bounds, as a table of arithmetic, and as laws."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import model
from tokenfare.budget import fit, input_room, largest_answer
from tokenfare.catalog import Limits
from tokenfare.errors import InvalidRequestError
from tokenfare.tokenizers import Count

QWEN_MAX = Limits(context=32_768, max_input=30_720, max_output=8_192)
QWEN_MATH = Limits(context=4_096, max_input=3_072, max_output=3_072)
QWEN_LONG = Limits(context=10_000_000, max_input=10_000_000, max_output=6_000)


@pytest.mark.parametrize(
    ("limits", "room", "tokens", "answer", "verdict", "binding", "over"),
    [
        (QWEN_MAX, "shared", 30_720, 2_048, "fits", "max_input", 0),
        (QWEN_MAX, "shared", 30_721, 1, "does not fit", "max_input", 1),
        (QWEN_MAX, "shared", 33_104, 1_000, "does not fit", "max_input", 33_104 - 30_720),
        (QWEN_MAX, "shared", 30_720, 2_049, "does not fit", "context", 30_720 + 2_049 - 32_768),
        (QWEN_MAX, "shared", 10, 8_193, "does not fit", "max_output", 1),
        (QWEN_MATH, "shared", 3_072, 1_024, "fits", "max_input", 0),
        (QWEN_MATH, "shared", 2_000, 2_097, "does not fit", "context", 2_000 + 2_097 - 4_096),
        (QWEN_MATH, "shared", 1_024, 3_073, "does not fit", "max_output", 1),
        (QWEN_MATH, "shared", 1_025, 3_073, "does not fit", "context", 1_025 + 3_073 - 4_096),
        (QWEN_LONG, "separate", 10_000_001, 6_001, "does not fit", "max_input", 1),
        (QWEN_LONG, "separate", 10_000_000, 6_000, "fits", "max_input", 0),
        (QWEN_LONG, "separate", 10_000_001, 6_000, "does not fit", "max_input", 1),
        (QWEN_LONG, "shared", 10_000_000, 6_000, "does not fit", "context", 6_000),
        (Limits(max_input=100), "shared", 100, 10**9, "fits", "max_input", 0),
        (Limits(context=100), "shared", 60, 41, "does not fit", "context", 1),
        (Limits(max_output=100), "shared", 60, 41, "limits not stated", None, 0),
        (Limits(), "shared", 1, 1, "limits not stated", None, 0),
    ],
)
def test_the_bounds(
    limits: Limits, room: str, tokens: int, answer: int, verdict: str, binding: str, over: int
) -> None:
    found = fit(model(limits=limits, output_room=room), Count.exactly(tokens), answer)
    assert (found.verdict, found.binding, found.over) == (verdict, binding, over)
    assert bool(found) == (verdict == "fits")


def test_an_input_that_may_be_short_enough_leaves_the_answer_as_the_reason() -> None:
    size = Count(value=2_000, low=1_024, high=4_000, how="bounds")
    found = fit(model(limits=QWEN_MATH), size, 3_073)
    assert (found.verdict, found.binding, found.over) == ("does not fit", "max_output", 1)


def test_the_refusal_says_what_was_asked_accepted_and_too_much() -> None:
    found = fit(model("qwen-max", limits=QWEN_MAX), Count.exactly(33_104), 1_000)
    assert str(found) == "qwen-max: 33,104 tokens asked, 30,720 accepted (2,384 too many)"


def test_input_is_taken_at_its_high_end() -> None:
    size = Count(value=20_000, low=10_000, high=40_000, how="bounds")
    found = fit(model(limits=QWEN_MAX), size, 1_000)
    assert (found.verdict, found.over) == ("may not fit", 40_000 - 30_720)


@pytest.mark.parametrize("answer", [0, -1])
def test_an_answer_has_at_least_one_token(answer: int) -> None:
    with pytest.raises(InvalidRequestError, match="at least 1 token"):
        fit(model(limits=QWEN_MAX), Count.exactly(5), answer)


bounds = st.none() | st.integers(1, 50)
limits = st.builds(Limits, context=bounds, max_input=bounds, max_output=bounds)
rooms = st.sampled_from(["shared", "separate"])


@given(limits, rooms, st.integers(1, 60), st.integers(1, 60))
def test_fitting_is_the_three_inequalities(
    limits: Limits, room: str, tokens: int, answer: int
) -> None:
    """The naive twin: each bound written out, none skipped."""
    found = fit(model(limits=limits, output_room=room), Count.exactly(tokens), answer)
    if limits.max_output is not None and answer > limits.max_output:
        assert found.verdict == "does not fit"
        return
    if limits.max_input is None and limits.context is None:
        assert found.verdict == "limits not stated"
        return
    taken = answer if room == "shared" else 0
    naive = (limits.max_input is None or tokens <= limits.max_input) and (
        limits.context is None or tokens + taken <= limits.context
    )
    assert bool(found) == naive
    assert (found.over == 0) == naive


def test_without_a_limit_the_most_that_it_may_be_is_said() -> None:
    found = fit(model(limits=Limits()), Count(5, 3, 9, "bounds"), 1)
    assert (found.verdict, found.tokens, found.over) == ("limits not stated", 9, 0)


@given(limits, rooms, st.integers(1, 60), st.integers(1, 60))
def test_headroom_is_how_much_more_would_still_fit(
    limits: Limits, room: str, tokens: int, answer: int
) -> None:
    asked = model(limits=limits, output_room=room)
    found = fit(asked, Count.exactly(tokens), answer)
    if found and found.headroom is not None:
        assert fit(asked, Count.exactly(tokens + found.headroom), answer)
        assert not fit(asked, Count.exactly(tokens + found.headroom + 1), answer)


@given(limits, rooms, st.integers(1, 60))
def test_the_largest_answer_fits_and_one_more_does_not(
    limits: Limits, room: str, tokens: int
) -> None:
    asked = model(limits=limits, output_room=room)
    most = largest_answer(asked, Count.exactly(tokens))
    if input_room(limits, asked.output_room, 1) is None or most is None:
        return
    if most > 0:
        assert fit(asked, Count.exactly(tokens), most)
    assert not fit(asked, Count.exactly(tokens), most + 1)


@pytest.mark.parametrize(
    ("size", "answer", "says"),
    [
        (Count.exactly(30_000), 1_000, "m: fits, 720 tokens to spare"),
        (
            Count.exactly(30_720),
            2_049,
            "m: 32,769 tokens asked, "
            "32,768 in the context for input and answer together (1 too many)",
        ),
        (
            Count.exactly(10),
            8_200,
            "m: 8,200 tokens asked, 8,192 allowed as answer (8 too many)",
        ),
        (
            Count.within(20_000, 10_000, 40_000),
            1_000,
            "m: 40,000 tokens may be asked, 30,720 accepted (9,280 too many)",
        ),
        (
            Count.within(35_000, 31_000, 40_000),
            1_000,
            "m: at least 31,000 tokens asked, 30,720 accepted (at least 280 too many)",
        ),
    ],
)
def test_each_verdict_is_one_sentence_with_its_numbers(size: Count, answer: int, says: str) -> None:
    assert str(fit(model("m", limits=QWEN_MAX), size, answer)) == says


def test_without_limits_the_sentence_says_that_nobody_states_them() -> None:
    found = fit(model("m", limits=Limits(max_output=100)), Count.exactly(5), 100)
    assert str(found) == "m: the provider states no limits"


def test_an_answer_over_its_limit_leaves_headroom_below_zero() -> None:
    found = fit(model(limits=QWEN_MAX), Count.exactly(10), 9_000)
    assert (found.over, found.headroom) == (9_000 - 8_192, 8_192 - 9_000)


def test_where_the_context_binds_the_answer_is_counted_with_the_input() -> None:
    found = fit(model(limits=QWEN_MATH), Count.exactly(2_000), 2_000)
    assert (found.verdict, found.binding, found.limit) == ("fits", "context", 4_096)
    assert (found.tokens, found.headroom) == (2_000 + 2_000, 4_096 - 4_000)


def test_a_request_that_may_just_be_small_enough_may_not_fit() -> None:
    found = fit(model(limits=QWEN_MAX), Count.within(30_720, 30_720, 30_721), 1_000)
    assert (found.verdict, found.over, found.exact) == ("may not fit", 1, False)
    found = fit(model(limits=QWEN_MAX), Count.within(30_721, 30_721, 30_722), 1_000)
    assert (found.verdict, found.over, found.exact) == ("does not fit", 1, False)

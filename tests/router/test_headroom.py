"""The inverse questions, each against deciding again at the size that it names."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import DAY, model, price
from naive_routing import a_count, requirements, some_models
from tokenfare.budget import fit
from tokenfare.catalog import Limits, Model
from tokenfare.errors import InvalidRequestError
from tokenfare.router import Decision, Requirements, decide, headroom
from tokenfare.router.judge import served_as
from tokenfare.tokenizers import Count


def decided(models: list[Model], size: int, requirements: Requirements) -> Decision:
    return decide(models, lambda _: Count.exactly(size), requirements, day=DAY, digest="")


LADDER = [
    model(
        "small",
        limits=Limits(max_input=1_000, max_output=500),
        price=price((100, "0.001", "0"), (None, "0.002", "0")),
    ),
    model("large", limits=Limits(context=5_000), price=price((None, "0.003", "0"))),
]


def test_how_far_a_decision_reaches() -> None:
    reach = headroom(decided(LADDER, 60, Requirements(max_output_tokens=400)))
    assert (reach.before_change, reach.then and reach.then.id) == (1_000 - 60, "large")
    assert (reach.before_limit, reach.before_tier) == (1_000 - 60, 100 - 60)
    assert reach.answers == {"small": 500, "large": 5_000 - 60}


@pytest.mark.parametrize(
    ("tokens", "left"), [(1, 99), (100, 0), (101, 99), (200, 0), (201, None), (900, None)]
)
def test_how_far_it_is_to_the_next_tier(tokens: int, left: int | None) -> None:
    """Tiers up to 100 and 200 tokens: the second ends as the first does, and the last has none."""
    three = price((100, "0.001", "0"), (200, "0.002", "0"), (None, "0.003", "0"))
    one = model("one", limits=Limits(max_input=1_000), price=three)
    reach = headroom(decided([one], tokens, Requirements(max_output_tokens=4)))
    assert reach.before_tier == left


def test_what_is_cut_from_an_uncertain_size_is_cut_from_both_ends() -> None:
    """90 to 120 tokens cost 120 x 0.002 at most; 10 fewer 110 x 0.002, and 70 x 0.001 50 fewer."""
    size = Count(105, 90, 120, "bounds")
    asked = Requirements(max_output_tokens=400)
    reach = headroom(decide(LADDER, lambda _: size, asked, day=DAY, digest=""))
    for tokens, low, high in ((10, "0.00008", "0.00022"), (50, "0.00004", "0.00007")):
        cut = reach.cutting(tokens)
        assert (str(cut.fare.low), str(cut.fare.high)) == (f"{low} CNY", f"{high} CNY")
    # One token is left at least: of 90 to 120, 100 fewer are 1 to 20.
    assert str(reach.cutting(100).fare.low) == "0.000001 CNY"
    assert str(reach.cutting(100).fare.high) == "0.00002 CNY"


def test_what_a_shorter_request_saves() -> None:
    """120 tokens at 0.002 are 0.24; 100 at 0.001 are 0.1, in milli-yuan."""
    reach = headroom(decided(LADDER, 120, Requirements(max_output_tokens=400)))
    cut = reach.cutting(20)
    assert (cut.model.id, str(cut.fare.high), str(cut.saved)) == (
        "small",
        "0.0001 CNY",
        "0.00014 CNY",
    )


def test_a_shorter_request_may_go_to_another_model() -> None:
    """1,200 on large are 3.6, 1,000 on small 2."""
    reach = headroom(decided(LADDER, 1_200, Requirements(max_output_tokens=400)))
    cut = reach.cutting(200)
    assert (cut.model.id, str(cut.saved)) == ("small", "0.0016 CNY")


@pytest.mark.parametrize("tokens", [0, -1, 120, 121])
def test_no_more_can_be_cut_than_there_is(tokens: int) -> None:
    reach = headroom(decided(LADDER, 120, Requirements(max_output_tokens=400)))
    with pytest.raises(InvalidRequestError, match="cannot be cut from 120"):
        reach.cutting(tokens)


@pytest.mark.parametrize("tokens", [None, "3", 1.5, True])
def test_what_is_cut_is_a_whole_number_of_tokens(tokens: Any) -> None:
    reach = headroom(decided(LADDER, 120, Requirements(max_output_tokens=400)))
    with pytest.raises(InvalidRequestError, match="tokens is a whole number"):
        reach.cutting(tokens)


def test_without_a_model_there_is_no_headroom() -> None:
    with pytest.raises(InvalidRequestError, match="found no model"):
        headroom(decided(LADDER, 9_999, Requirements()))


@given(some_models, requirements(), st.integers(1, 30))
def test_one_token_beyond_the_headroom_another_model_is_chosen_and_none_before(
    models: list[Model], requirements: Requirements, size: int
) -> None:
    decision = decided(models, size, requirements)
    if decision.winner is None:
        return
    reach = headroom(decision)
    for more in range(20):
        moved = decided(models, size + more, requirements).winner
        if reach.before_change is None or more <= reach.before_change:
            assert moved is decision.winner
        elif more == reach.before_change + 1:
            assert moved is reach.then


@given(some_models, requirements(), a_count())
def test_the_largest_answer_fits_and_one_token_more_does_not(
    models: list[Model], requirements: Requirements, size: Count
) -> None:
    decision = decide(models, lambda _: size, requirements, day=DAY, digest="")
    if decision.winner is None:
        return
    named: dict[str, Any] = {m.id: m for m in models}
    for name, answer in headroom(decision).answers.items():
        at = served_as(named[name], requirements)
        if answer is not None:
            assert fit(at, size, answer).verdict in {"fits", "limits not stated"}
            assert fit(at, size, answer + 1).verdict in {"does not fit", "may not fit"}

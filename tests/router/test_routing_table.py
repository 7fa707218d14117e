"""Intervals against brute force: the same choice at every size, in no more than a bisection."""

from collections.abc import Sequence
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models import DAY, model, price
from naive_routing import REACH, a_count, choice, requirements, some_models
from tokenfare.catalog import CacheRules, Limits, Model
from tokenfare.money import Money
from tokenfare.router import Question, Requirements, RoutingTable, decide
from tokenfare.tokenizers import Count


def table(models: Sequence[Model], requirements: Requirements) -> RoutingTable:
    return RoutingTable(Question(tuple(models), requirements, DAY, "0" * 64))


@settings(max_examples=300)
@given(some_models, requirements())
def test_every_size_is_decided_as_by_brute_force(
    models: list[Model], requirements: Requirements
) -> None:
    """Every size, so every end of every interval and its neighbours too."""
    prepared = table(models, requirements)
    for tokens in range(1, REACH):
        size = Count.exactly(tokens)
        expected = choice([(m, size) for m in models], requirements)
        assert prepared.decide(tokens).winner is expected
        one_by_one = decide(
            models, lambda _, size=size: size, requirements, day=DAY, digest="0" * 64
        )
        assert one_by_one.winner is expected


@settings(max_examples=300)
@given(some_models, requirements(), a_count())
def test_an_uncertain_size_is_decided_as_by_brute_force(
    models: list[Model], requirements: Requirements, size: Count
) -> None:
    """The model chosen fits at every possible size, and none that does costs less at most."""
    expected = choice([(m, size) for m in models], requirements)
    assert table(models, requirements).decide(size).winner is expected
    assert decide(models, lambda _: size, requirements, day=DAY, digest="0" * 64).winner is expected


a_tier = st.tuples(st.integers(0, 4).map(str), st.integers(0, 4).map(str))
one_that_falls = st.builds(
    lambda name, bound, tiers, least: model(
        name,
        limits=Limits(max_input=30),
        price=price((bound, *tiers[0]), (None, *tiers[1])),
        cache=None if least is None else CacheRules(hit=Decimal("0.4"), min_tokens=least),
    ),
    st.sampled_from("abcd"),
    st.integers(3, 20),
    st.tuples(a_tier, a_tier),
    st.none() | st.integers(3, 20),
)


@settings(max_examples=500)
@given(
    st.lists(one_that_falls, unique_by=lambda m: m.id, min_size=2, max_size=3),
    st.integers(1, 12),
    st.integers(1, 12),
    st.sampled_from([0, 0, 4, 15]),
    st.none() | st.integers(5, 60),
)
def test_a_fare_that_may_fall_is_compared_where_it_is_highest(
    models: list[Model], low: int, more: int, cached: int, ceiling: int | None
) -> None:
    """Of a later tier that is cheaper, or a cache's least size: the dearest size is no end."""
    size = Count(low, low, low + more, "bounds")
    most = None if ceiling is None else Money(Decimal(ceiling) / 1_000, "CNY")
    asked = Requirements(max_output_tokens=3, cached_tokens=cached, max_fare=most)
    expected = choice([(m, size) for m in models], asked)
    assert table(models, asked).decide(size).winner is expected


@pytest.mark.parametrize(
    ("tiers", "flat", "winner"),
    [
        # Of 8 to 14 tokens "falls" costs most with 10: 10 x 3 = 30; "flat" 14 x its price.
        ([(10, "3", "0"), (None, "1", "0")], "2.1", "flat"),
        ([(10, "3", "0"), (None, "1", "0")], "2.2", "falls"),
        # The answer of 2 tokens is cheaper above: 10 + 2 x 10 = 30, and 14 + 2 x 1 = 16.
        ([(10, "1", "10"), (None, "1", "1")], "2.1", "flat"),
        ([(10, "1", "10"), (None, "1", "1")], "2.2", "falls"),
        # The answer is cheaper and the rest dearer: 10 + 20 = 30, and 14 x 2 = 28.
        ([(10, "1", "10"), (None, "2", "0")], "2.1", "flat"),
        ([(10, "1", "10"), (None, "2", "0")], "2.2", "falls"),
    ],
)
def test_a_tier_that_ends_among_the_possible_sizes_may_be_the_dearest(
    tiers: list[tuple[int | None, str, str]], flat: str, winner: str
) -> None:
    limits = Limits(max_input=100)
    models = [
        model("falls", price=price(*tiers), limits=limits),
        model("flat", price=price((None, flat, "0")), limits=limits),
    ]
    asked = Requirements(max_output_tokens=2)
    decision = table(models, asked).decide(Count(11, 8, 14, "bounds"))
    assert decision.model.id == winner
    (falls,) = (entry for entry in decision.ranked if entry.model.id == "falls")
    assert falls.fare.high == Money(Decimal("0.03"), "CNY")


@pytest.mark.parametrize("size", [Count.exactly(20), Count(20, 10, 20, "bounds")])
@pytest.mark.parametrize(
    "tiers", [((None, "0", "1"),), ((15, "0", "2"), (None, "0", "1"))], ids=["level", "falling"]
)
def test_of_equals_the_one_with_the_most_to_spare_comes_first(
    size: Count, tiers: tuple[tuple[int | None, str, str], ...]
) -> None:
    """With nothing to spare it still comes before one whose limits nobody states."""
    made = {
        name: model(name, price=price(*tiers), limits=Limits(max_input=most))
        for name, most in (("a", None), ("b", 20), ("c", 40), ("d", 41))
    }
    asked = Requirements(max_output_tokens=1, unstated_limits=True)
    for left in ("abcd", "abc", "ab", "a"):
        models = [made[name] for name in left]
        assert table(models, asked).decide(size).model.id == left[-1]
        assert choice([(m, size) for m in models], asked) is made[left[-1]]


def test_what_is_to_spare_is_counted_from_the_high_end_whether_a_fare_falls_or_not() -> None:
    """Both cost 2 at most; of 10 to 20 tokens "falls" has 25 - 20 to spare, "level" 28 - 20."""
    models = [
        model("falls", price=price((15, "0", "2"), (None, "0", "1")), limits=Limits(max_input=25)),
        model("level", price=price((None, "0", "2")), limits=Limits(max_input=28)),
    ]
    decision = table(models, Requirements(max_output_tokens=1)).decide(Count(20, 10, 20, "bounds"))
    assert [entry.fit.headroom for entry in decision.ranked] == [8, 5]
    assert decision.model.id == "level"


@given(some_models, requirements(), a_count())
def test_the_winner_is_the_first_of_the_ranking(
    models: list[Model], requirements: Requirements, size: Count
) -> None:
    decision = table(models, requirements).decide(size)
    assert decision.winner is (decision.ranked[0].model if decision.ranked else None)
    judged = [e.model.id for e in decision.ranked] + [r.model.id for r in decision.rejected]
    assert sorted(judged) == sorted(m.id for m in models)


@given(some_models, requirements())
def test_intervals_cover_the_axis_and_name_the_winner_throughout(
    models: list[Model], requirements: Requirements
) -> None:
    prepared = table(models, requirements)
    intervals = prepared.intervals
    assert intervals[0].first == 1
    assert intervals[-1].last is None
    for before, after in pairwise(intervals):
        assert before.last is not None
        assert after.first == before.last + 1
        assert after.model is not before.model
    for interval in intervals:
        for tokens in range(interval.first, min(interval.last or REACH, REACH) + 1):
            assert prepared.decide(tokens).winner is interval.model


@given(some_models, requirements())
def test_an_interval_says_whether_the_one_before_is_refused_or_dearer(
    models: list[Model], requirements: Requirements
) -> None:
    intervals = table(models, requirements).intervals
    for before, after in pairwise(intervals):
        if before.model is None:
            continue
        size = Count.exactly(after.first)
        alone = choice([(before.model, size)], requirements)
        assert (after.since is None) == (alone is not None)


@given(some_models, requirements(), st.data())
def test_each_tokenizer_may_count_differently(
    models: list[Model], requirements: Requirements, data: st.DataObject
) -> None:
    sizes = {name: data.draw(a_count()) for name in ("one", "two")}
    expected = choice([(m, sizes[m.tokenizer]) for m in models], requirements)
    decision = decide(models, lambda m: sizes[m.tokenizer], requirements, day=DAY, digest="")
    assert decision.winner is expected


@given(some_models, requirements(), st.data())
def test_a_decisions_intervals_move_every_size_alike(
    models: list[Model], requirements: Requirements, data: st.DataObject
) -> None:
    """`intervals` of a decision: each model's own size, longer or shorter by the same."""
    sizes = {name: data.draw(st.integers(12, 20)) for name in ("one", "two")}
    decision = decide(
        models, lambda m: Count.exactly(sizes[m.tokenizer]), requirements, day=DAY, digest=""
    )
    if decision.winner is None:
        return
    here = sizes[decision.winner.tokenizer]
    for interval in decision.intervals:
        for place in {interval.first, interval.last or interval.first + 5}:
            moved = {name: n + place - here for name, n in sizes.items()}
            if min(moved.values()) >= 1:
                sized = [(m, Count.exactly(moved[m.tokenizer])) for m in models]
                assert choice(sized, requirements) is interval.model


def test_among_thousands_the_ranking_is_worked_out_only_when_it_is_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    many = [model(f"m{i}", limits=Limits(max_input=1_000 + i)) for i in range(3_000)]
    prepared = table(many, Requirements(max_output_tokens=1))
    read: list[int] = []

    def judging(models: Sequence[Model], *rest: object) -> tuple[tuple[()], tuple[()]]:
        read.append(len(models))
        return (), ()

    monkeypatch.setattr("tokenfare.router.decision.judge_all", judging)
    decision = prepared.decide(1_500)
    assert (decision.model.id, str(decision.fare.high)) == ("m2999", "0.001502 CNY")
    assert read == []
    assert (decision.ranked, read) == ((), [3_000])


def test_crossing_prices_and_limits_are_named_with_their_tokens() -> None:
    """0.001 n + 1 meets 0.002 n at 1,000; there b wins the tie, by its headroom."""
    models = [
        model("a", limits=Limits(max_input=5_000), price=price((None, "1", "1000"))),
        model("b", limits=Limits(max_input=9_000), price=price((None, "2", "0"))),
    ]
    decision = table(models, Requirements(max_output_tokens=1)).decide(10)
    assert [(i.first, i.last, i.model and i.model.id) for i in decision.intervals] == [
        (1, 1_000, "b"),
        (1_001, 5_000, "a"),
        (5_001, 9_000, "b"),
        (9_001, None, None),
    ]
    told = decision.explain()
    assert "from 1,001 tokens on, a is cheaper" in told
    assert "from 5,001 tokens on, b (a: 5,001 tokens asked, 5,000 accepted (1 too many))" in told


def test_the_explanation_says_what_knowing_more_could_save() -> None:
    models = [
        model("narrow", limits=Limits(max_input=1_000), price=price((None, "0.001", "0"))),
        model("wide", limits=Limits(max_input=9_000), price=price((None, "0.002", "0"))),
    ]
    size = Count(value=900, low=500, high=1_500, how="bounds")
    decision = table(models, Requirements()).decide(size)
    assert decision.model.id == "wide"
    (contender,) = decision.contenders
    assert (contender.model.id, str(contender.least)) == ("narrow", "0.0005 CNY")
    assert "narrow could be cheaper" in decision.explain()
    assert not table(models, Requirements()).decide(1_001).contenders


def test_the_short_form_names_no_chance_whose_likely_size_does_not_fit() -> None:
    """As of 30 MB that may be 4,096 tokens where no vocabulary is at hand, and are millions."""
    models = [
        model("narrow", limits=Limits(max_input=1_000), price=price((None, "0.001", "0"))),
        model("wide", limits=Limits(max_input=9_000), price=price((None, "0.002", "0"))),
    ]
    prepared = table(models, Requirements())
    likely = prepared.decide(Count(value=1_000, low=500, high=1_500, how="bounds"))
    assert "narrow could be cheaper" in likely.brief()
    hardly = prepared.decide(Count(value=1_001, low=500, high=1_500, how="bounds"))
    assert "narrow" not in hardly.brief()
    assert "narrow could be cheaper" in hardly.explain()


@given(some_models, requirements(), a_count())
def test_a_chance_is_a_model_that_would_be_better_at_a_possible_size(
    models: list[Model], requirements: Requirements, size: Count
) -> None:
    """And every model that wins at a possible size is the chosen one or such a contender."""
    alike = [m for m in models if m.tokenizer == "one"]
    decision = table(alike, requirements).decide(size)
    possible = [Count.exactly(n) for n in range(size.low, size.high + 1)]
    chosen = [decision.winner] if decision.winner else []

    def better(m: Model) -> bool:
        return any(choice([(c, n) for c in [*chosen, m]], requirements) is m for n in possible)

    others = [m for m in alike if m not in chosen]
    expected = {m.id for m in others if better(m)} if not size.exact else set()
    assert {contender.model.id for contender in decision.contenders} == expected

"""The choice: laws, a naive twin, and the sentences that refusals are."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import DAY, model, price
from tokenfare.catalog import Limits, Model, RateLimits
from tokenfare.errors import InvalidRequestError
from tokenfare.money import Money
from tokenfare.router import Decision, Requirements, decide
from tokenfare.tokenizers import Count

ROOMY = Limits(context=100_000, max_input=90_000, max_output=8_000)


def choose(models: Sequence[Model], tokens: int = 1_000, **options: Any) -> Decision:
    size = Count.exactly(tokens)
    return decide(models, lambda _: size, Requirements(**options), day=DAY, digest="0" * 64)


def refusal(one: Model, tokens: int = 1_000, **options: Any) -> tuple[str, str]:
    (rejection,) = choose([one], tokens, **options).rejected
    return rejection.reason, rejection.detail


def test_the_cheapest_that_fits_is_chosen_and_not_the_cheapest() -> None:
    small = model("small", limits=Limits(max_input=500), price=price((None, "0.0001", "0.0002")))
    large = model("large", limits=ROOMY)
    assert choose([small, large]).model.id == "large"
    assert choose([small, large], 500).model.id == "small"


def test_the_answers_price_counts_too() -> None:
    """By input price alone the first would win: 0.001 + 0.02 against 0.002 + 0.004."""
    dear_answer = model("a", limits=ROOMY, price=price((None, "0.001", "0.02")))
    dear_question = model("b", limits=ROOMY, price=price((None, "0.002", "0.004")))
    assert choose([dear_answer, dear_question], max_output_tokens=1_000).model.id == "b"


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        ({"rates": RateLimits(60, 500)}, {"rates": RateLimits(60, 400)}),
        ({"rates": RateLimits(60, 500)}, {}),
        ({"kind": "stable"}, {"kind": "latest"}),
        ({"kind": "latest"}, {"kind": "snapshot"}),
        ({"limits": ROOMY}, {"limits": Limits(context=90_000)}),
        ({"name": "aa"}, {"name": "ab"}),
    ],
)
def test_equal_fares_are_ordered_by_rate_then_kind_then_headroom_then_id(
    better: dict[str, Any], worse: dict[str, Any]
) -> None:
    first = model(**({"name": "z", "limits": ROOMY} | better))
    second = model(**({"name": "y", "limits": ROOMY} | worse))
    for order in ([first, second], [second, first]):
        assert choose(order).model == first


@pytest.mark.parametrize(
    ("facts", "options", "reason", "detail"),
    [
        (
            {"status": "retired", "retired_on": date(2024, 5, 1)},
            {},
            "retired",
            "m: retired on 2024-05-01",
        ),
        ({"status": "not released"}, {}, "not released", "m: not known to exist on 2024-12-18 yet"),
        ({}, {"deny": ("m*",)}, "denied", "m: matches the refused pattern 'm*'"),
        ({}, {"allow": ("qwen-*",)}, "not allowed", "m: matches none of the allowed qwen-*"),
        (
            {},
            {"needs": frozenset({"text", "image"})},
            "modality",
            "m: takes text, not image",
        ),
        ({}, {"purpose": "code"}, "purpose", "m: made for general, not code"),
        ({}, {"region": "mars"}, "region", "m: served in cn-beijing, not in mars"),
        (
            {"access": "trial"},
            {},
            "access",
            "m: only a trial quota, then every call is an error",
        ),
        ({"access": "application"}, {}, "access", "m: only after an approved application"),
        (
            {},
            {"providers": ("openrouter",)},
            "provider",
            "m: served by dashscope, not by openrouter",
        ),
        ({}, {"families": ("qwen*",)}, "family", "m: of the family made up, not qwen*"),
        (
            {},
            {"kinds": frozenset({"snapshot"})},
            "kind",
            "m: a stable name, not snapshot",
        ),
        (
            {"rates": RateLimits(60, None)},
            {"min_requests_per_minute": 61},
            "rate",
            "m: 61 requests a minute needed, 60 allowed",
        ),
        (
            {"rates": RateLimits(60, None)},
            {"min_tokens_per_minute": 1},
            "rate",
            "m: 1 token a minute needed, its rate is not known",
        ),
        (
            {"limits": Limits(max_input=1_999)},
            {"min_headroom": 1_000},
            "headroom",
            "m: 999 tokens to spare, 1,000 wanted (1 too few)",
        ),
        (
            {"limits": Limits()},
            {"min_headroom": 1_000, "unstated_limits": True},
            "headroom",
            "m: 1,000 tokens to spare wanted, no limit is stated",
        ),
        ({"price": None}, {}, "price not known", "m: no price is known for 2024-12-18"),
        ({}, {"batch": True}, "no batch price", "m: not offered in the batch service"),
        (
            {},
            {"currency": "USD"},
            "currency",
            "m: priced in CNY, fares are compared in USD",
        ),
        (
            {},
            {"max_fare": Money(Decimal("0.002"), "CNY")},
            "over ceiling",
            "m: up to 0.003 CNY, the ceiling is 0.002 CNY",
        ),
        (
            {"limits": Limits(max_input=400)},
            {},
            "max_input",
            "m: 1,000 tokens asked, 400 accepted (600 too many)",
        ),
        (
            {"limits": Limits(context=1_500)},
            {},
            "context",
            "m: 2,000 tokens asked, 1,500 in the context for input and answer together "
            "(500 too many)",
        ),
        ({"limits": Limits()}, {}, "limits not stated", "m: the provider states no limits"),
    ],
)
def test_a_refusal_says_why_with_its_numbers(
    facts: dict[str, Any], options: dict[str, Any], reason: str, detail: str
) -> None:
    one = model(**({"limits": ROOMY} | facts))
    assert refusal(one, **options) == (reason, detail)


@pytest.mark.parametrize(
    ("facts", "options"),
    [
        ({"limits": Limits(max_input=2_000)}, {"min_headroom": 1_000}),
        ({"rates": RateLimits(60, 100)}, {"min_requests_per_minute": 60}),
        ({"rates": RateLimits(60, 100)}, {"min_tokens_per_minute": 100}),
        ({}, {"max_fare": Money(Decimal("0.003"), "CNY")}),
        ({"limits": Limits(max_input=1_000)}, {}),
        ({"limits": Limits(context=2_000)}, {}),
    ],
)
def test_what_is_just_enough_is_enough(facts: dict[str, Any], options: dict[str, Any]) -> None:
    assert choose([model(**({"limits": ROOMY} | facts))], **options).found


def test_of_equals_one_whose_limits_nobody_states_comes_last() -> None:
    """Even behind one that the request just fits: there is nothing to spare for certain."""
    unknown, full = model("a"), model("b", limits=Limits(max_input=1_000))
    assert choose([unknown, full], unstated_limits=True).model is full


def test_limits_that_nobody_states_pass_only_when_allowed() -> None:
    assert choose([model()], unstated_limits=True).model.id == "m"


def test_an_alias_matches_a_pattern_too() -> None:
    snapshot = model("qwen-plus-2024-11-27", aliases=("qwen-plus-1127",), limits=ROOMY)
    assert choose([snapshot], allow=("*-1127",)).model is snapshot


def test_a_request_is_not_counted_for_models_that_are_out_anyway() -> None:
    counted: list[str] = []

    def size_for(one: Model) -> Count:
        counted.append(one.id)
        return Count.exactly(10)

    models = [
        model("gone", status="retired", limits=ROOMY),
        model("trial", access="trial", limits=ROOMY),
        model("here", limits=ROOMY),
    ]
    decide(models, size_for, Requirements(), day=DAY, digest="")
    assert counted == ["here"]


def test_a_decision_without_a_model_keeps_its_refusals_and_has_no_fare() -> None:
    decision = choose([model("a", limits=Limits(max_input=10)), model("b", status="retired")])
    assert not decision.ranked
    with pytest.raises(InvalidRequestError, match="found no model"):
        decision.fare  # noqa: B018 - reading it is the test
    assert decision.nearest_misses() == "a: 1,000 tokens asked, 10 accepted (990 too many)"


def test_nearest_misses_come_first() -> None:
    models = [model(str(n), limits=Limits(max_input=n)) for n in (300, 900, 500)]
    assert [r.model.id for r in choose(models).rejected] == ["900", "500", "300"]


def test_what_only_a_ceiling_keeps_out_is_nearest_and_the_cheapest_of_it_first() -> None:
    """1,000 tokens in and as many out: 3, 5 and 4 CNY; one too small by a token; one gone."""
    models = [
        model("gone", status="retired"),
        model("small", limits=Limits(max_input=999)),
        model("a", limits=ROOMY, price=price((None, "3", "2"))),
        model("b", limits=ROOMY, price=price((None, "2", "2"))),
        model("c", limits=ROOMY, price=price((None, "1", "2"))),
    ]
    decision = choose(models, max_fare=Money(Decimal(2), "CNY"))
    assert [r.model.id for r in decision.rejected] == ["c", "b", "a", "small", "gone"]
    assert decision.way_out() == "c: raise the ceiling to 3 CNY"
    assert decision.nearest_misses(1) == "c: up to 3 CNY, the ceiling is 2 CNY"


def test_where_nothing_takes_it_the_short_form_has_the_nearest_and_counts_the_others() -> None:
    models = [model(str(n), limits=Limits(max_input=n)) for n in (100, 200, 300, 400, 500, 600)]
    models += [model(name, status="retired") for name in ("x", "y", "z")]
    short = choose(models).brief().splitlines()
    assert short[0] == "no model takes this on 2024-12-18"
    assert short[1] == (
        "  not 600: 1,000 tokens asked, 600 accepted (400 too many); "
        "shorten the input by 400 tokens"
    )
    assert len(short) == 1 + 5 + 1
    assert short[-1] == "  4 more do not take it: 3 retired, 1 max_input"
    assert len(choose(models[:5]).brief().splitlines()) == 1 + 5


@pytest.mark.parametrize(
    ("options", "missed"),
    [
        ({"allow": ["a"], "needs": {"image"}}, "a: takes text, not image"),
        ({"deny": ["b", "c"], "needs": {"image"}}, "a: takes text, not image"),
        ({"allow": ["b"], "deny": ["a"], "max_output_tokens": 9_000}, "b: 9,000 tokens asked"),
    ],
)
def test_what_the_caller_ruled_out_by_name_is_no_near_miss(options: Any, missed: str) -> None:
    decision = choose([model(name, limits=ROOMY) for name in "abc"], **options)
    assert decision.nearest_misses().startswith(missed)
    assert ";" not in decision.nearest_misses()
    assert "2 more do not take it" in decision.brief()


def test_where_all_are_ruled_out_by_name_they_are_what_is_named() -> None:
    decision = choose([model(name, limits=ROOMY) for name in "ab"], allow=["c"])
    assert decision.nearest_misses() == "; ".join(
        f"{name}: matches none of the allowed c" for name in "ab"
    )


def test_without_a_miss_by_size_what_passed_the_most_filters_comes_first() -> None:
    models = [
        model("a", status="retired", limits=ROOMY),
        model("b", access="trial", limits=ROOMY),
        model("c", modalities=frozenset({"audio"}), limits=ROOMY),
        model("d", price=None, limits=ROOMY),
    ]
    assert [r.model.id for r in choose(models).rejected] == ["d", "b", "c", "a"]


def test_the_early_reasons_are_those_of_the_filters_in_their_order() -> None:
    """Each model fails one filter and passes those before it; what failed later is nearer."""
    options = {
        "deny": ("denied",),
        "allow": ("[a-y]*",),
        "purpose": "general",
        "region": "cn-beijing",
        "families": ("made*",),
        "providers": ("dashscope",),
        "kinds": frozenset({"stable", "snapshot"}),
        "min_tokens_per_minute": 10,
    }
    failing = [
        model("rate", rates=RateLimits(None, 9)),
        model("access", access="trial"),
        model("region", regions=()),
        model("purpose", purposes=frozenset()),
        model("modality", modalities=frozenset()),
        model("b-not-released", status="not released"),
        model("a-retired", status="retired"),
        model("y-kind", kind="latest"),
        model("x-family", family="other"),
        model("w-provider", provider="other"),
        model("z"),
        model("denied"),
    ]
    rejected = choose(failing, **options).rejected
    assert [r.model.id for r in rejected] == [m.id for m in failing]


def test_the_explanation_names_the_winner_the_dearer_and_the_refused() -> None:
    models = [
        model("cheap", limits=ROOMY),
        model("dear", limits=ROOMY, price=price((None, "0.002", "0.002"))),
        model("gone", status="retired", retired_on=date(2024, 5, 1)),
    ]
    assert choose(models).explain().splitlines() == [
        "cheap on 2024-12-18: 1,000 tokens in, up to 1,000 out, 0.001002 to 0.003 CNY",
        "  or dear: up to 0.004 CNY, 0.001 CNY more",
        "  from 90,001 tokens on, no model "
        "(cheap: 90,001 tokens asked, 90,000 accepted (1 too many))",
        "  not gone: retired on 2024-05-01",
    ]


some = st.builds(
    model,
    st.sampled_from("abcdefgh"),
    limits=st.builds(
        Limits,
        context=st.none() | st.integers(1, 3_000),
        max_input=st.none() | st.integers(1, 3_000),
        max_output=st.none() | st.integers(1, 3_000),
    ),
    output_room=st.sampled_from(["shared", "separate"]),
    kind=st.sampled_from(["stable", "latest", "snapshot"]),
    price=st.builds(
        lambda i, o: price((None, f"0.00{i}", f"0.00{o}")), st.integers(0, 3), st.integers(0, 3)
    ),
)


@given(st.lists(some, unique_by=lambda m: m.id), st.integers(1, 2_500), st.integers(1, 2_500))
def test_every_model_is_ranked_or_refused_and_none_cheaper_fits(
    models: list[Model], tokens: int, answer: int
) -> None:
    decision = choose(models, tokens, max_output_tokens=answer)
    judged = [r.model.id for r in decision.ranked] + [r.model.id for r in decision.rejected]
    assert sorted(judged) == sorted(m.id for m in models)

    def takes(m: Model) -> bool:
        limits = m.limits
        beside = answer if m.output_room == "shared" else 0
        return (
            (limits.context is not None or limits.max_input is not None)
            and (limits.max_input is None or tokens <= limits.max_input)
            and (limits.max_output is None or answer <= limits.max_output)
            and (limits.context is None or tokens + beside <= limits.context)
        )

    fares = [m.price.cost(tokens, answer) for m in models if takes(m) and m.price]
    assert len(decision.ranked) == len(fares)
    if fares:
        assert decision.fare.high == min(fares, key=lambda fare: fare.amount)


@given(st.lists(some, unique_by=lambda m: m.id), st.randoms())
def test_the_order_of_the_catalogue_does_not_matter(models: list[Model], chance: Any) -> None:
    shuffled = models[:]
    chance.shuffle(shuffled)
    assert choose(models) == choose(shuffled)


def test_an_uncertain_size_is_held_to_its_high_end() -> None:
    narrow = model("narrow", limits=Limits(max_input=1_000), price=price((None, "0", "0")))
    wide = model("wide", limits=ROOMY)
    size = Count(value=900, low=500, high=1_500, how="bounds")
    decision = decide([narrow, wide], lambda _: size, Requirements(), day=DAY, digest="")
    assert decision.model is wide
    assert decision.rejected[0].reason == "may not fit"

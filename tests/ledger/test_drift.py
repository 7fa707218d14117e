"""Drift: which model's bills leave their predictions, by how much, and since when."""

from __future__ import annotations

from datetime import UTC, datetime

from ledger.conftest import NOON, Clock, answered, intent
from tokenfare.ledger import Ledger, drifts
from tokenfare.tokenizers import Count


def bills(ledger: Ledger, clock: Clock, *billed: int, model: str = "qwen-plus") -> None:
    """Calls predicted at exactly 100 tokens and billed like this, a minute apart."""
    for tokens in billed:
        ledger.settle(ledger.reserve(intent(100, model=model)), answered(billed=tokens))
        clock.now += 60


def test_predictions_that_hold_are_no_drift(ledger: Ledger, clock: Clock) -> None:
    bills(ledger, clock, 100, 100)
    wide = Count(value=50, low=1, high=90, how="bounds")
    ledger.settle(ledger.reserve(intent(predicted=wide)), answered(billed=90))
    assert drifts(ledger) == []


def test_drift_says_by_how_much_and_since_when(ledger: Ledger, clock: Clock) -> None:
    bills(ledger, clock, 100, 100, 110, 100, 120)
    (found,) = drifts(ledger)
    assert (found.model, found.calls, found.missed) == ("qwen-plus", 3, 2)
    assert (found.predicted, found.billed) == (200, 230)
    assert found.since == datetime.fromtimestamp(NOON + 2 * 60, UTC)
    assert (found.good_since, found.over) == (0, False)
    assert str(found) == (
        "qwen-plus: 2 of 3 calls since 2025-11-25T12:02+00:00 were billed other than predicted: "
        "230 input tokens, 200 predicted, +30 (+15.0%)"
    )


def test_an_episode_is_over_after_twenty_good_calls(ledger: Ledger, clock: Clock) -> None:
    bills(ledger, clock, 90, *[100] * 19)
    assert not drifts(ledger)[0].over
    bills(ledger, clock, 100)
    assert drifts(ledger)[0].over


def test_misses_near_each_other_are_one_episode_however_many_calls_came_before(
    ledger: Ledger, clock: Clock
) -> None:
    """Nineteen good calls lie between the second and the third."""
    bills(ledger, clock, *[100] * 50)
    began = clock.now
    bills(ledger, clock, 90, 95, *[100] * 19, 130, 100)
    (found,) = drifts(ledger)
    assert (found.since, found.missed) == (datetime.fromtimestamp(began, UTC), 3)
    assert (found.calls, found.good_since) == (1 + 1 + 19 + 1 + 1, 1)
    assert (found.predicted, found.billed) == (300, 90 + 95 + 130)


def test_an_old_episode_is_not_part_of_a_new_one(ledger: Ledger, clock: Clock) -> None:
    bills(ledger, clock, 90, *[100] * 20)
    began = clock.now
    bills(ledger, clock, 130)
    (found,) = drifts(ledger)
    assert (found.since, found.missed) == (datetime.fromtimestamp(began, UTC), 1)


def test_each_model_drifts_by_itself(ledger: Ledger, clock: Clock) -> None:
    bills(ledger, clock, 101, model="a")
    bills(ledger, clock, 100, model="b")
    bills(ledger, clock, 99, model="c")
    assert [(d.model, d.billed - d.predicted) for d in drifts(ledger)] == [("a", 1), ("c", -1)]
    assert [d.model for d in drifts(ledger, model="c")] == ["c"]


def test_what_was_right_since_is_said_of_one_call_and_of_several(
    ledger: Ledger, clock: Clock
) -> None:
    bills(ledger, clock, 101, 100)
    assert str(drifts(ledger)[0]).endswith("; the last was right")
    bills(ledger, clock, 100)
    assert str(drifts(ledger)[0]).endswith("; the last 2 were right")

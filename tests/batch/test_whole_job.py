"""What holds for a job as a whole: its ceiling, its time, and its estimate from a sample."""

import json
from collections import Counter
from datetime import date
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import pytest

import tokenfare as tf
from tokenfare.batch.sampling import extrapolated
from tokenfare.errors import FareOverCeiling, InvalidRequestError

DAY = date(2026, 6, 1)


def written(path: Path, records: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(each) + "\n" for each in records), encoding="utf-8")
    return path


@pytest.fixture
def job(tmp_path: Path) -> Path:
    random = Random(3)  # noqa: S311 - lengths, no secret
    lengths = (int(random.lognormvariate(4, 1.2)) + 1 for _ in range(900))
    words = ("word ", "你好，世界。")
    records = [{"prompt": words[i % 2] * n} for i, n in enumerate(lengths)]
    return written(tmp_path / "job.jsonl", records)


def test_a_job_over_its_ceiling_leaves_nothing_and_says_by_how_much(
    job: Path, tmp_path: Path
) -> None:
    free = tf.batch.plan(job, tmp_path / "free", as_of=DAY)
    just = tf.batch.plan(job, tmp_path / "just", as_of=DAY, ceiling=free.fare.high)
    assert just.fare == free.fare
    less = tf.Money(free.fare.high.amount - Decimal("0.01"), "CNY")
    with pytest.raises(FareOverCeiling, match=r"0\.01 CNY too much") as raised:
        tf.batch.plan(job, tmp_path / "less", as_of=DAY, ceiling=less)
    assert (raised.value.high, raised.value.ceiling) == (free.fare.high, less)
    assert not (tmp_path / "less").exists()
    assert {each.name for each in tmp_path.iterdir()} == {"job.jsonl", "free", "just"}


def test_a_ceiling_may_be_a_text(tmp_path: Path) -> None:
    job = written(tmp_path / "job.jsonl", [{"prompt": "Hello"}])
    assert tf.batch.plan(job, tmp_path / "plan", as_of=DAY, ceiling="5 CNY").requests == 1
    with pytest.raises(FareOverCeiling, match=r"the ceiling is 0\.000001 CNY"):
        tf.batch.plan(job, tmp_path / "less", as_of=DAY, ceiling="0.000001 CNY")


@pytest.mark.parametrize("ceiling", [5, "5", "cheap", Decimal(5)])
def test_a_ceiling_that_is_no_amount_is_refused(ceiling: Any, tmp_path: Path) -> None:
    job = written(tmp_path / "job.jsonl", [{"prompt": "Hello"}])
    with pytest.raises(InvalidRequestError, match="ceiling: expected an amount"):
        tf.batch.plan(job, tmp_path / "plan", as_of=DAY, ceiling=ceiling)
    with pytest.raises(InvalidRequestError, match="ceiling: expected an amount"):
        tf.batch.assemble([], tmp_path / "plan", as_of=DAY, ceiling=ceiling)
    assert not (tmp_path / "plan").exists()


def test_a_ceiling_below_zero_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    """A slip of the pen, as it is for `max_fare` and a day's ceiling; no job is too dear for it."""
    with pytest.raises(InvalidRequestError, match="-5 CNY; a ceiling is not below zero"):
        tf.batch.plan("not-there.jsonl", tmp_path / "plan", as_of=DAY, ceiling="-5 CNY")


def test_a_ceiling_of_another_currency_is_refused(job: Path, tmp_path: Path) -> None:
    with pytest.raises(InvalidRequestError, match="ceiling: 5 USD"):
        tf.batch.plan(job, tmp_path / "plan", as_of=DAY, ceiling=tf.Money(Decimal(5), "USD"))


@pytest.mark.parametrize(("number", "room", "seconds"), [(90, 10, 90), (20, 8_000, 97)])
def test_the_time_of_live_requests_is_that_of_the_slower_rate(
    tmp_path: Path, number: int, room: int, seconds: int
) -> None:
    """qwen-max-2025-01-25 has no batch price, 60 requests and 100,000 tokens a minute.

    20 answers of 8,000 tokens to 11 are 160,220 tokens: 96.1 seconds.
    """
    body = {"messages": [{"role": "user", "content": "Hello, world"}], "max_tokens": room}
    job = written(tmp_path / "job.jsonl", [{"body": body}] * number)
    plan = tf.batch.plan(job, tmp_path / "plan", as_of=DAY, allow=["qwen-max-2025-01-25"])
    (share,) = plan.shares
    assert (share.batch, share.high_tokens, share.seconds) == (False, 11 * number, seconds)
    assert f"up to 0:01:{seconds - 60} under its rates" in plan.explain()


def test_the_batch_service_has_no_rates(job: Path, tmp_path: Path) -> None:
    plan = tf.batch.plan(job, tmp_path / "plan", as_of=DAY)
    assert [share.seconds for share in plan.shares if share.batch] == [None] * len(plan.shares)


def test_a_sample_of_everything_is_the_plan(job: Path, tmp_path: Path) -> None:
    with job.open("a", encoding="utf-8") as file:
        file.write("no JSON\n")
    plan = tf.batch.plan(job, tmp_path / "plan", as_of=DAY)
    told = tf.batch.estimate(job, sample=5_000, as_of=DAY)
    assert told.lines == told.sampled == 901
    assert told.fare_high == (plan.fare.high.amount,) * 3
    assert told.fare_low == (plan.fare.low.amount,) * 3
    assert told.input_tokens == (sum(share.high_tokens for share in plan.shares),) * 3
    assert told.set_aside == (1, 1, 1)


def test_a_sample_holds_the_plan_and_writes_nothing(job: Path, tmp_path: Path) -> None:
    told = tf.batch.estimate(job, sample=100, as_of=DAY)
    assert [each.name for each in tmp_path.iterdir()] == ["job.jsonl"]
    plan = tf.batch.plan(job, tmp_path / "plan", as_of=DAY)
    assert told.fare_high.low <= plan.fare.high.amount <= told.fare_high.high
    assert told.fare_low.low <= plan.fare.low.amount <= told.fare_low.high
    assert told.fare_high.high < Decimal("1.5") * told.fare_high.value
    assert told == tf.batch.estimate(job, sample=100, as_of=DAY)
    assert told != tf.batch.estimate(job, sample=100, as_of=DAY, seed=1)


def test_too_small_a_sample_is_refused(job: Path) -> None:
    with pytest.raises(InvalidRequestError, match="at least 30"):
        tf.batch.estimate(job, sample=29)


def test_the_interval_holds_the_total_as_often_as_it_says() -> None:
    """A skewed population whose fare is not linear in its length; 95 of 100, less what 400 vary."""
    random = Random(11)  # noqa: S311 - lengths, no secret
    lengths = [int(random.lognormvariate(6, 1)) + 1 for _ in range(20_000)]
    fares = [Decimal(n * (2 if n > 2_000 else 1) + random.randrange(200)) for n in lengths]
    total, length = sum(fares), sum(lengths)
    held = Counter[bool]()
    for _ in range(400):
        drawn = random.sample(range(20_000), 500)
        low, high = extrapolated(
            [lengths[i] for i in drawn], [fares[i] for i in drawn], length, 20_000
        )[1:]
        held[low <= total <= high] += 1
    assert held[True] >= 400 * 0.95 - 3 * (400 * 0.95 * 0.05) ** 0.5


def test_a_total_that_is_linear_in_the_length_is_told_exactly() -> None:
    lengths = [10, 20, 40]
    values = [Decimal(3 * n + 1) for n in lengths]
    told = extrapolated(lengths, values, 1_000, 50)
    assert [round(each, 9) for each in told] == [3 * 1_000 + 50] * 3

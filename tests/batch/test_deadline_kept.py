"""A plan with a deadline, sent to a provider that enforces the rates it was made for."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from batch.test_deadline import job, with_rates
from tokenfare import Catalog, Client, batch
from tokenfare.emulator import Delay, Emulator, RateRules, TiktokenTokenizer, running
from tokenfare.errors import DeadlineTooShort

MODELS = ["qwen-turbo", "qwen-plus"]
ANSWER = 1.0


def planned(path: Path, facts: Catalog) -> batch.Plan:
    """By the shortest deadline that there is."""
    given: dict[str, Any] = {"catalog": facts, "allow": MODELS, "answer_seconds": ANSWER}
    with pytest.raises(DeadlineTooShort) as short:
        batch.plan(path, path.parent / "plan", deadline=timedelta(seconds=1), **given)
    return batch.plan(path, path.parent / "plan", deadline=short.value.least, **given)


def sent(
    plan: batch.Plan, facts: Catalog, tokenizer: TiktokenTokenizer, words: int, answer: float = 0.3
) -> tuple[float, int]:
    """Run a plan; gives how long it took, start and end of the client included, and refusals.

    Each answer has so many words, and takes so many seconds.
    """
    emulator = Emulator(
        facts,
        tokenizer,
        rates=RateRules(),
        replies=lambda _: " word" * words,
        faults=lambda _: Delay(answer),
    )
    with running(emulator) as url:
        options: dict[str, Any] = {"base_url": url, "api_key": "sk-any", "ledger": False}
        with Client(catalog=facts, **options) as client:  # the emulator's first answer is slow
            client.chat("hello", allow=["qwen-max"])
        begun = monotonic()
        done = batch.run(plan.folder, limiter=True, catalog=facts, **options)
        took = monotonic() - begun
    assert (done.complete, done.total) == (True, plan.requests)
    refused = sum(call.status == 429 for call in emulator.calls)
    assert {call.status for call in emulator.calls} <= {200, 429}
    assert plan.deadline is not None
    by_model = {lane.model: lane.requests for lane in plan.deadline.lanes}
    models = [call.model for call in emulator.calls if call.status == 200]
    assert {model: models.count(model) for model in by_model} == by_model
    return took, refused


@pytest.mark.parametrize(
    ("rates", "sizes", "limit", "over"),
    [
        # 5 and 4 requests a second
        ({"qwen-turbo": (300, 10**8), "qwen-plus": (240, 10**8)}, [(5, 4)] * 45, "requests", 2.5),
        # 1,500 and 1,000 tokens a second; a request is 108 of input and fills its room of 40
        (
            {"qwen-turbo": (6_000, 90_000), "qwen-plus": (6_000, 60_000)},
            [(100, 40)] * 60,
            "tokens",
            3.0,
        ),
    ],
)
def test_what_is_promised_is_kept_with_nothing_refused(
    tmp_path: Path,
    tokenizer: TiktokenTokenizer,
    rates: dict[str, tuple[int, int]],
    sizes: list[tuple[int, int]],
    limit: str,
    over: float,
) -> None:
    facts = with_rates(tmp_path / "ours.toml", rates)
    plan = planned(job(tmp_path / "job.jsonl", sizes), facts)
    assert plan.deadline is not None
    assert {lane.limit for lane in plan.deadline.lanes} == {limit}
    for _ in range(3):  # a machine that stands still lets calls arrive late and together
        took, refused = sent(plan, facts, tokenizer, words=sizes[0][1])
        if not refused:
            break
        (plan.folder / "journal.sqlite").unlink()
    assert refused == 0
    within = plan.deadline.within.total_seconds()
    assert took <= within <= over * took


def test_as_many_are_under_way_as_the_deadline_needs(
    tmp_path: Path, tokenizer: TiktokenTokenizer
) -> None:
    """120 answers of up to 3 s in 12 s, less the last one's 3 and 1.2 of sending: 360 / 7.8."""
    facts = with_rates(tmp_path / "ours.toml", {"qwen-turbo": (60_000, 10**8)})
    path = job(tmp_path / "job.jsonl", [(5, 4)] * 120)
    given: dict[str, Any] = {"catalog": facts, "allow": ["qwen-turbo"], "answer_seconds": 3.0}
    plan = batch.plan(path, tmp_path / "plan", deadline=timedelta(seconds=12), **given)
    assert plan.deadline is not None
    assert plan.deadline.concurrency == 47
    took, _ = sent(plan, facts, tokenizer, words=1, answer=2.0)
    assert 120 / 47 * 2.0 <= took <= 12

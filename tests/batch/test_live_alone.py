"""What a job would cost live, on models that the batch service does not have."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tokenfare as tf
from tokenfare.money import Money

DAY = date(2026, 11, 25)
QUESTION = {"prompt": "word " * 1_000, "max_tokens": 10}


def planned(folder: Path, lines: Sequence[dict[str, Any]], **options: Any) -> tf.batch.Plan:
    job = folder / "job.jsonl"
    job.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return tf.batch.plan(job, folder / f"plan-{len(list(folder.iterdir()))}", as_of=DAY, **options)


def test_a_live_model_that_costs_less_than_the_batch_service_is_named(tmp_path: Path) -> None:
    """A thousand words and eight tokens of the template in, ten tokens out.

    qwen-long at half of 0.5 and 2 CNY a million in the batch service, qwen-flash at 0.15 and 1.5.
    """
    plan = planned(tmp_path, [QUESTION], max_output_tokens=10)
    assert [(share.model, share.batch) for share in plan.shares] == [("qwen-long", True)]
    tokens = 1_001 + 8  # a space of its own at the end
    in_batch = (tokens * Decimal("0.5") + 10 * Decimal(2)) / 2 / 1_000_000
    live = (tokens * Decimal("0.15") + 10 * Decimal("1.5")) / 1_000_000
    assert plan.fare.high == Money(in_batch, "CNY")
    cheapest = plan.alone_live[0]
    assert (cheapest.model, cheapest.refused) == ("qwen-flash", 0)
    assert cheapest.fare.high == Money(live, "CNY")
    (said,) = (line for line in plan.explain().splitlines() if "live, all on" in line)
    assert f"qwen-flash: {cheapest.fare}, up to {Money(in_batch - live, 'CNY')} less" in said
    assert "planned so where qwen-flash alone is allowed" in said
    written = json.loads((plan.folder / "plan.json").read_bytes())["live_on_one_model"]
    assert written[0]["model"] == "qwen-flash"


def test_of_models_that_cost_more_nobody_is_told(tmp_path: Path) -> None:
    plan = planned(tmp_path, [{"prompt": "Hello"}])
    assert len(plan.alone_live) > 3
    assert "live, all on" not in plan.explain()


@pytest.mark.parametrize(
    "more",
    [
        {"tools": [{"type": "function", "function": {"name": "now", "parameters": {}}}]},
        {"response_format": {"type": "json_object"}},
    ],
)
def test_of_a_job_that_is_more_than_plain_chats_nothing_is_said(
    tmp_path: Path, more: dict[str, Any]
) -> None:
    """Tools and JSON mode count for each model by its own rules, and nobody has counted them."""
    body = {"messages": [{"role": "user", "content": "Hello"}], **more}
    assert planned(tmp_path, [QUESTION, {"body": body}]).alone_live == ()
    assert planned(tmp_path, [QUESTION]).alone_live


def test_of_a_job_of_very_many_rooms_nothing_is_said(tmp_path: Path) -> None:
    chat = {"messages": [{"role": "user", "content": "Hello"}]}
    rooms = [{"body": chat | {"max_tokens": 1 + n}} for n in range(1_001)]
    assert planned(tmp_path, rooms[:1_000]).alone_live
    assert planned(tmp_path, rooms).alone_live == ()


def test_workers_say_the_same(tmp_path: Path) -> None:
    body = {"messages": [{"role": "user", "content": "Hello"}], "max_tokens": 5}
    for more in ({}, {"response_format": {"type": "json_object"}}):
        lines = [{"custom_id": str(n), "body": body | more} for n in range(3)]
        plan = planned(tmp_path, lines)
        table = pa.Table.from_pylist([{**e, "body": json.dumps(e["body"])} for e in lines])
        rows = tf.batch.plan_batches(table.to_batches(), to_assemble=True, as_of=DAY)
        out = tmp_path / f"assembled-{len(more)}"
        assert tf.batch.assemble(list(rows), out, as_of=DAY).alone_live == plan.alone_live
        assert bool(plan.alone_live) == (not more)


REQUESTS = st.lists(
    st.tuples(st.integers(1, 3_000), st.sampled_from([None, 1, 50, 9_000])), min_size=1, max_size=5
)


@settings(max_examples=15)
@given(REQUESTS)
def test_it_is_what_a_plan_with_that_model_alone_comes_to(
    requests: list[tuple[int, int | None]],
) -> None:
    with TemporaryDirectory() as folder:
        lines = [
            {
                "body": {"messages": [{"role": "user", "content": "word " * words}]}
                | ({} if room is None else {"max_completion_tokens": room})
            }
            for words, room in requests
        ]
        plan = planned(Path(folder), lines)
        for alone in plan.alone_live[:3]:
            alike = planned(Path(folder), lines, allow=[alone.model])
            assert [share.batch for share in alike.shares] == [False]
            assert (alike.requests, alike.fare) == (alone.requests, alone.fare)

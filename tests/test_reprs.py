"""What a prompt or a failing test shows of values that are returned: short, and what they are."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

import tokenfare as tf
from tokenfare.testing import emulated

DAY = date(2024, 12, 18)
CATALOG = tf.Catalog.load((), day=DAY)
DECISION = tf.route("Hello", allow=["qwen-turbo", "qwen-plus"], catalog=CATALOG)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (CATALOG.get("qwen-plus"), "<Model qwen-plus on 2024-12-18>"),
        (DECISION, "<Decision: qwen-turbo on 2024-12-18>"),
        (tf.Requirements(), "Requirements()"),
        (
            tf.Requirements(max_output_tokens=500, allow=("qwen-*",), batch=True),
            "Requirements(max_output_tokens=500, allow=('qwen-*',), batch=True)",
        ),
        (
            tf.replay(DECISION, catalog=CATALOG),
            "<Replay: qwen-turbo then, qwen-turbo now, 0 changes>",
        ),
    ],
)
def test_a_value_is_shown_in_one_line(value: object, shown: str) -> None:
    assert repr(value) == shown


@pytest.mark.parametrize(
    "value",
    [
        DECISION.ranked[0],
        DECISION.rejected[0],
        DECISION.intervals[0],
        tf.headroom(DECISION),
        tf.headroom(DECISION).cutting(1),
        tf.replay(DECISION, catalog=CATALOG).record,
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_holds_a_model_names_it(value: object) -> None:
    assert "qwen-" in repr(value)
    assert len(repr(value)) < 500


def test_requirements_can_be_written_as_they_are_shown() -> None:
    asked = tf.Requirements(needs=frozenset({"image"}), min_headroom=5, unstated_limits=True)
    assert eval(repr(asked), {"Requirements": tf.Requirements}) == asked  # noqa: S307 - its own


def test_an_answer_is_shown_once() -> None:
    with emulated() as provider:
        client = tf.Client(api_key="any", base_url=provider.base_url, ledger=False)
        reply = client.chat("Hello", allow=["qwen-plus"])
        with client.streaming("Hello", allow=["qwen-plus"]) as stream:
            assert repr(stream) == "<ChatStream of qwen-plus>"
            (first, *_) = stream
        client.close()
    assert repr(reply).count(reply.text) == 1
    assert "choices" not in repr(reply.answer) + repr(first)


def test_a_plan_says_how_much_it_is_of_and_where(tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text('{"prompt": "Hello"}\n' * 3)
    plan = tf.batch.plan(tmp_path / "in.jsonl", tmp_path / "plan", as_of=DAY)
    assert repr(plan) == f"<Plan of 3 requests, {plan.fare}, in {tmp_path / 'plan'}>"

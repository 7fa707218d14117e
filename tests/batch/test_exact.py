"""A plan's amounts are exact, whatever the program that asks for it does with decimals."""

import json
from datetime import date, timedelta
from decimal import localcontext
from pathlib import Path
from typing import Any

import pytest

import tokenfare as tf


@pytest.mark.parametrize("deadline", [{}, {"deadline": timedelta(hours=1), "allow": ["qwen-plus"]}])
def test_a_plan_is_the_same_whatever_precision_the_program_has_set(
    tmp_path: Path, deadline: dict[str, Any]
) -> None:
    """Money is exact: what a program sets for its own decimals may not round it."""
    begin = "You are a librarian who answers in one short sentence. " * 30
    texts = [
        f"{begin}{text}"
        for text in ["Hello, world", "你好" * 500, "word " * 4_000, "Hello, world", "x"] * 7
    ]
    job = tmp_path / "job.jsonl"
    job.write_text("".join(json.dumps({"prompt": text}) + "\n" for text in texts))
    files = []
    for name, precision in (("usual", 28), ("low", 2)):
        with localcontext(prec=precision):
            out = tmp_path / name
            plan = tf.batch.plan(
                job, out, as_of=date(2025, 6, 1), max_output_tokens=500, **deadline
            )
            estimate = tf.batch.estimate(job, as_of=date(2024, 12, 18), sample=30)
            tf.batch.report(out)
        by_name = {f.name: f.read_bytes() for f in out.rglob("*") if f.is_file()}
        files.append((plan.explain(), estimate, by_name))
    assert files[0] == files[1]

"""The search for cycles is as it was when the last plan has ended, however they overlapped."""

import gc
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

import tokenfare as tf
from tokenfare.batch.seldom_collected import seldom_collected


@pytest.fixture(autouse=True)
def usual() -> Iterator[tuple[int, int, int]]:
    before = gc.get_threshold()
    gc.set_threshold(701, 11, 12)
    try:
        yield gc.get_threshold()
    finally:
        gc.set_threshold(*before)


def test_what_is_old_is_looked_at_seldom_and_then_as_before(usual: tuple[int, int, int]) -> None:
    with seldom_collected():
        assert gc.get_threshold() == (*usual[:2], 100 * usual[2])
        with seldom_collected():
            assert gc.get_threshold() == (*usual[:2], 100 * usual[2])
        assert gc.get_threshold() == (*usual[:2], 100 * usual[2])
    assert gc.get_threshold() == usual


def test_the_first_to_begin_may_be_the_first_to_end(usual: tuple[int, int, int]) -> None:
    first, second = seldom_collected(), seldom_collected()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert gc.get_threshold() != usual
    second.__exit__(None, None, None)
    assert gc.get_threshold() == usual


def test_a_plan_that_fails_leaves_it_as_it_was(usual: tuple[int, int, int], tmp_path: Path) -> None:
    job = tmp_path / "job.jsonl"
    job.write_text("no request\n", encoding="utf-8")
    with pytest.raises(tf.errors.InputError):
        tf.batch.plan(job, tmp_path / "plan", as_of=date(2026, 11, 25), strict=True)
    assert gc.get_threshold() == usual

"""A few calls of `scripts/soak.py`: every call ends, and all books agree to the token."""

from __future__ import annotations

import gc

import pytest

import soak


@pytest.mark.parametrize("driver", ["sync", "async"])
def test_on_the_worst_day_every_call_ends_and_all_books_agree(driver: str) -> None:
    """What was left open would fail the run here too: warnings are errors."""
    assert soak.run(driver, calls=200, seed=11, share=0.4) == []
    gc.collect()

"""When to try again and how long to wait first."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenfare.dispatch import NO_RETRIES, FileHandling, RetryPolicy
from tokenfare.errors import InvalidRequestError, ProviderFaultError, RateLimitError


def test_the_waits_double_up_to_the_longest() -> None:
    policy = RetryPolicy(attempts=9, longest_wait=5, jitter=0)
    waits = [policy.wait_after(ProviderFaultError("x"), n, 1e9, 0) for n in range(1, 10)]
    assert waits == [0.5, 1, 2, 4, 5, 5, 5, 5, None]


def test_jitter_only_lengthens_a_wait() -> None:
    """Four waits for throttling then still cover the minute in which it lifts."""
    assert RetryPolicy().wait_after(RateLimitError("x"), 1, 1e9, 1.0) == 4 * 1.25


def test_nothing_is_repeated_if_that_is_asked() -> None:
    assert NO_RETRIES.wait_after(RateLimitError("x"), 1, 1e9, 0) is None
    with pytest.raises(InvalidRequestError, match="at least one attempt"):
        RetryPolicy(attempts=0)


@pytest.mark.parametrize(
    ("name", "number", "says"),
    [
        ("attempts", float("nan"), "attempts is a whole number, not nan"),
        ("first_wait", float("nan"), "not below zero; first_wait is nan"),
        ("first_wait_throttled", -1, "not below zero; first_wait_throttled is -1"),
        ("longest_wait", -0.5, "not below zero; longest_wait is -0.5"),
        ("longest_retry_after", -1, "not below zero; longest_retry_after is -1"),
        ("jitter", float("nan"), "not below zero; jitter is nan"),
    ],
)
def test_a_number_that_no_wait_can_have_is_refused_before_a_call_fails(
    name: str, number: float, says: str
) -> None:
    """Of a policy with nan no call was sent again, and to sleep for -1 s is a ValueError."""
    with pytest.raises(InvalidRequestError, match=says):
        RetryPolicy(**{name: number})  # type: ignore[arg-type]


@pytest.mark.parametrize("seconds", [0, -1, float("nan")])
def test_a_file_is_not_asked_for_without_a_pause(seconds: float) -> None:
    with pytest.raises(InvalidRequestError, match="poll_seconds is above zero"):
        FileHandling(poll_seconds=seconds)


@given(st.integers(1, 10**6), st.floats(0, 1e6), st.floats(0, 1), st.none() | st.floats(0, 1e9))
def test_a_wait_ends_before_the_time_that_is_left(
    attempt: int, left: float, chance: float, asked: float | None
) -> None:
    error = RateLimitError("x")
    error.retry_after_seconds = asked
    wait = RetryPolicy(attempts=10**7).wait_after(error, attempt, left, chance)
    assert wait is None or 0 <= wait < left


def test_importing_this_layer_imports_no_http_library() -> None:
    code = "import sys, tokenfare.dispatch; print({'httpx', 'httpx2', 'anyio'} & set(sys.modules))"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "set()"

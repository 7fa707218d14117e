"""When to retry a failed call, and after how long.

The rules follow the provider, as in both official SDKs: throttling lifts within a minute, so four
waits cover one; faults of the provider lift sooner. A `Retry-After` header takes precedence,
capped. Pure: the time left and the random number are arguments.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from tokenfare.arguments import whole
from tokenfare.errors import InvalidRequestError, ProviderError, RateLimitError

_NUMBERS = ("first_wait", "first_wait_throttled", "longest_wait", "longest_retry_after", "jitter")


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often a failed call is retried, and after how many seconds.

    Waits grow by exponential backoff with jitter: each is twice the one before. With the defaults,
    the four waits after throttling add up to at least 58 seconds.

    Attributes:
        attempts: The most attempts of a call, including the first.
        first_wait: The first wait.
        first_wait_throttled: The first wait after throttling.
        longest_wait: The longest wait.
        longest_retry_after: The longest `Retry-After` of the provider that is followed.
        jitter: The largest share of a wait that is added at random.
    """

    attempts: int = 5
    first_wait: float = 0.5
    first_wait_throttled: float = 4.0
    longest_wait: float = 30.0
    longest_retry_after: float = 120.0
    jitter: float = 0.25

    def __post_init__(self) -> None:
        whole("attempts", self.attempts, 1, "a call takes at least one attempt")
        for name in _NUMBERS:  # else it would be found out in the midst of a call that failed
            number = getattr(self, name)
            if not number >= 0:
                raise InvalidRequestError(
                    f"a retry policy's numbers are not below zero; {name} is {number}"
                )

    def wait_after(
        self, error: ProviderError, attempt: int, seconds_left: float, chance: float
    ) -> float | None:
        """Seconds to wait after the `attempt`-th attempt (from 1) failed; `None` to give up.

        `chance` is a random number from 0 to 1.
        """
        if not error.transient or attempt >= self.attempts:
            return None
        wait = self._requested_wait(error)
        if wait is None:
            first = (
                self.first_wait_throttled if isinstance(error, RateLimitError) else self.first_wait
            )
            wait = min(self.longest_wait, first * 2 ** min(attempt - 1, 30))
            wait *= 1 + self.jitter * chance
        return wait if wait < seconds_left else None

    def _requested_wait(self, error: ProviderError) -> float | None:
        if error.retry_after_seconds is None:
            return None
        return min(error.retry_after_seconds, self.longest_retry_after)


NO_RETRIES = RetryPolicy(attempts=1)


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """The seconds that `Retry-After` asks for: a number, or a date seen from `now` (epoch seconds).

    The answer's own `Date` is taken as now where there is one: clocks differ. `None` for nothing
    and for nonsense.
    """
    milliseconds = _number(headers.get("retry-after-ms", ""))
    if milliseconds is not None:
        return milliseconds / 1000
    header = headers.get("retry-after", "")
    seconds = _number(header)
    if seconds is not None:
        return seconds
    until = _epoch(header)
    if until is None:
        return None
    sent = _epoch(headers.get("date", ""))
    return max(0.0, until - (now if sent is None else sent))


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) and value >= 0 else None


def _epoch(text: str) -> float | None:
    try:
        moment: datetime = parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()

"""When a failed call is tried again, and after what wait.

Both official SDKs write these rules by hand, because they are the provider's: throttling lifts
within a minute, so four waits cover one; a fault of the provider lifts sooner. A `Retry-After`
comes first, capped. Pure: the time that is left and the random number are arguments.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from tokenfare.errors import InvalidRequestError, ProviderError, RateLimitError


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often a failed call is sent again, and after what wait, in seconds.

    Waits double from the first one on (exponential backoff), with jitter. With the defaults, the
    four waits after throttling add up to 58 seconds or more.

    Attributes:
        attempts: How often a call is sent at most.
        first_wait: The first wait.
        first_wait_throttled: The first wait after throttling.
        longest_wait: The longest wait.
        longest_retry_after: The longest wait that a `Retry-After` of the provider is given.
        jitter: The share of a wait that chance may add to it.
    """

    attempts: int = 5
    first_wait: float = 0.5
    first_wait_throttled: float = 4.0
    longest_wait: float = 30.0
    longest_retry_after: float = 120.0
    jitter: float = 0.25

    def __post_init__(self) -> None:
        if self.attempts < 1:
            raise InvalidRequestError(f"a call takes at least one attempt, not {self.attempts}")

    def wait_after(
        self, error: ProviderError, attempt: int, seconds_left: float, chance: float
    ) -> float | None:
        """Seconds to wait after the `attempt`-th attempt (from 1) failed; `None` to give up.

        `chance` is a random number from 0 to 1.
        """
        if not error.transient or attempt >= self.attempts:
            return None
        wait = self._asked(error)
        if wait is None:
            first = (
                self.first_wait_throttled if isinstance(error, RateLimitError) else self.first_wait
            )
            wait = min(self.longest_wait, first * 2 ** min(attempt - 1, 30))
            wait *= 1 + self.jitter * chance
        return wait if wait < seconds_left else None

    def _asked(self, error: ProviderError) -> float | None:
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

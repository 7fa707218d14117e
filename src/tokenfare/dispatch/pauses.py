"""Reports waits of a call before they begin: to a callback if there is one, else to the log.

A call waits before a retry, and for its turn under rate limits. If nothing answers, five attempts
take nine seconds; if the provider throttles, or a minute's limit is used up, it may be a minute. Of
an error only the kind, status and code are reported: its message may quote what was sent.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from tokenfare.errors import ProviderError
from tokenfare.limiter import HeldBy

from .call import Outcome

LOGGER = "tokenfare.waiting"
"""A logger of its own, so that waits can be shown or hidden separately."""

log: logging.Logger = logging.getLogger(LOGGER)

_LONGEST_CODE = 60
_REASONS = {
    "refused": "nothing answers at {address}",
    "unknown host": "the host of {address} is not known",
    "connect timeout": "no connection to {address} in time",
    "busy": "no connection to {address} became free",
    "timeout": "{address} fell silent",
    "broken": "the connection to {address} broke",
}


@dataclass(frozen=True, slots=True)
class Retry:
    """The `attempt`-th attempt (of at most `most`) of a call to `model` failed and is retried.

    The retry is after `wait_seconds`. `reason` says why, in a few words; `outcome`, `status` and
    `code` say the same for programs. It contains no prompt, no answer and no key.
    """

    model: str
    attempt: int
    most: int
    outcome: Outcome
    status: int | None
    code: str | None
    reason: str
    wait_seconds: float

    @property
    def level(self) -> int:
        """The log level: a first retry is normal, from the second on it is a warning."""
        return logging.INFO if self.attempt == 1 else logging.WARNING

    def __str__(self) -> str:
        return (
            f"{self.model}: attempt {self.attempt} of {self.most} failed: {self.reason}; "
            f"again in {self.wait_seconds:.1f} s"
        )


@dataclass(frozen=True, slots=True)
class RateWait:
    """A call to `model` waits for its turn under rate limits.

    The next call can be sent in `wait_seconds` at the earliest, and `ahead` others go before this
    one. `by` says what is used up: `requests` or `tokens`, with a limit of `most` in `per_seconds`;
    or that it is a pause after throttling, or the turn of other processes.
    """

    model: str
    by: HeldBy
    most: int | None
    per_seconds: float | None
    ahead: int
    wait_seconds: float

    @property
    def level(self) -> int:
        """The log level: waiting for rate limits is normal."""
        return logging.INFO

    @property
    def reason(self) -> str:
        """Why, in a few words."""
        if self.most is None or self.per_seconds is None:
            return {
                "refusal": "the pause after a refusal",
                "turn": "calls of other processes, which came first",
            }.get(self.by, self.by)
        usual = {60.0: "a minute", 1.0: "a second"}
        time = usual.get(self.per_seconds, f"in {self.per_seconds:g} s")
        things = self.by if self.most != 1 else self.by.removesuffix("s")
        return f"{self.most:,} {things} {time}"

    def __str__(self) -> str:
        words = f"{self.model}: held back by {self.reason}"
        if self.ahead:
            words += f", behind {self.ahead:,} of this process"
        if self.by == "turn" or (self.ahead and self.wait_seconds < 1):
            return words  # the time is not known, or short
        then = "the first of them goes" if self.ahead else "on"
        return f"{words}; {then} in {self.wait_seconds:.1f} s"


Pause: TypeAlias = Retry | RateWait

OnWait: TypeAlias = Callable[[Pause], None]


def tell(pause: Pause, told: OnWait | None) -> None:
    """Report a pause to the callback or, without one, to the log."""
    if told is None:
        log.log(pause.level, "%s", pause)
    else:
        told(pause)


def reason_of(error: ProviderError, address: str) -> str:
    """Why an attempt failed: a few words of this library, and the provider's code."""
    code = error.code or ""
    if code in _REASONS and error.status in (None, 200):
        return _REASONS[code].format(address=address)
    answered = f"HTTP {error.status}" if error.status is not None else "no answer"
    word = code if code.isascii() and code.isprintable() else ascii(code)[1:-1]
    return f"{answered} {word[:_LONGEST_CODE]}".rstrip()

"""What is said of a call that failed and is about to be sent again: to the log, and to who asked.

Where nothing answers, five attempts take nine seconds, and where a provider throttles, a minute:
whoever waits is told why. Only an error's kind, status and code are said, never its words, which
may be the provider's own and quote what was sent.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from tokenfare.errors import ProviderError

from .call import Outcome

LOGGER = "tokenfare.retry"
"""Its own, so that retries can be seen without the rest, or the rest without them."""

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
    """A call to `model` whose `attempt`-th sending of at most `most` failed, and is sent again.

    That is after `wait_seconds`. `reason` says why in a few words, as do `outcome`, `status` and
    `code` for programs. No prompt, no answer and no key is in it.
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
        """How loudly to log it: one retry is everyday, from the second on something is wrong."""
        return logging.INFO if self.attempt == 1 else logging.WARNING

    def __str__(self) -> str:
        return (
            f"{self.model}: attempt {self.attempt} of {self.most} failed: {self.reason}; "
            f"again in {self.wait_seconds:.1f} s"
        )


OnRetry: TypeAlias = Callable[[Retry], None]


def tell(retry: Retry, on_retry: OnRetry | None) -> None:
    """Say it."""
    log.log(retry.level, "%s", retry)
    if on_retry is not None:
        on_retry(retry)


def reason_of(error: ProviderError, address: str) -> str:
    """Why an attempt failed, in a few words of this library's own and the provider's code."""
    code = error.code or ""
    if code in _REASONS and error.status in (None, 200):
        return _REASONS[code].format(address=address)
    answered = f"HTTP {error.status}" if error.status is not None else "no answer"
    word = code if code.isascii() and code.isprintable() else ascii(code)[1:-1]
    return f"{answered} {word[:_LONGEST_CODE]}".rstrip()

"""What is said of a call that has to wait, before it does: to who asked, else to the log.

A call waits before it is sent again, and for its turn below the provider's rates. Where nothing
answers, five attempts take nine seconds; where a provider throttles, or a minute is full, it is a
minute: whoever waits is told why. Of an error only its kind, status and code are said, never its
words, which may be the provider's own and quote what was sent.
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
"""Its own, so that waits can be seen without the rest, or the rest without them."""

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


@dataclass(frozen=True, slots=True)
class RateWait:
    """A call to `model` that waits for its turn below the rates.

    That is for `wait_seconds` at least: the next call goes then, and `ahead` others go before this
    one. `by` says what is used up, and of `requests` and `tokens`, `most` go in `per_seconds`; the
    other two are a pause after the provider refused a call, and calls of other processes.
    """

    model: str
    by: HeldBy
    most: int | None
    per_seconds: float | None
    ahead: int
    wait_seconds: float

    @property
    def level(self) -> int:
        """How loudly to log it: this is what rates are kept for."""
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
            return words  # how long those need is not known here, or is no news
        then = "the first of them goes" if self.ahead else "on"
        return f"{words}; {then} in {self.wait_seconds:.1f} s"


Pause: TypeAlias = Retry | RateWait

OnWait: TypeAlias = Callable[[Pause], None]


def tell(pause: Pause, told: OnWait | None) -> None:
    """Say it: to who asked for it, and to the log where nobody did."""
    if told is None:
        log.log(pause.level, "%s", pause)
    else:
        told(pause)


def reason_of(error: ProviderError, address: str) -> str:
    """Why an attempt failed, in a few words of this library's own and the provider's code."""
    code = error.code or ""
    if code in _REASONS and error.status in (None, 200):
        return _REASONS[code].format(address=address)
    answered = f"HTTP {error.status}" if error.status is not None else "no answer"
    word = code if code.isascii() and code.isprintable() else ascii(code)[1:-1]
    return f"{answered} {word[:_LONGEST_CODE]}".rstrip()

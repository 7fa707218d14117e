"""Rate limits as the provider enforces them: per model and account, by the minute and the second.

The provider limits requests and tokens (input and output together) per minute, and a sixtieth of
both per second. Here each is a sliding window, which refuses whatever any fixed window would. A
request counts when it is accepted, its input at that moment and its output when it is written; a
refused one counts nowhere. One that is alone larger than a window is taken when that window is
empty: the provider sells models whose second is smaller than one of their inputs, and how it treats
such a request is not recorded.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from tokenfare.catalog import Model, RateLimits

from .refusal import Refusal, too_many_requests, too_many_tokens

_MINUTE, _SECOND = 60.0, 1.0


@dataclass(frozen=True, slots=True)
class RateRules:
    """What is enforced: `limits` by model id, for other models what the catalogue states.

    A rate that is stated nowhere is not enforced. `per_second` switches the sixtieth per second;
    `retry_after_seconds` is what refusals ask for, nothing by default: whether the provider sends
    a `Retry-After` is not recorded.
    """

    limits: Mapping[str, RateLimits] = field(default_factory=lambda: MappingProxyType({}))
    per_second: bool = True
    retry_after_seconds: float | None = None

    def windows(self, model: Model) -> _Windows:
        """New windows for a model."""
        rates = self.limits.get(model.id, model.rates)
        return _Windows(self._over(rates.requests_per_minute), self._over(rates.tokens_per_minute))

    def _over(self, per_minute: int | None) -> tuple[_Window, ...]:
        if per_minute is None:
            return ()
        minute = _Window(_MINUTE, per_minute)
        if not self.per_second:
            return (minute,)
        return minute, _Window(_SECOND, max(1, per_minute // 60))


class Meter:
    """What each model has used in the last minute and second. Thread-safe."""

    def __init__(self, rules: RateRules | None) -> None:
        """Nothing is used yet. Without rules, nothing is refused."""
        self._rules = rules
        self._windows: dict[str, _Windows] = {}
        self._lock = threading.Lock()

    def admit(self, model: Model, input_tokens: int, now: float) -> None:
        """Count a request and its input. Raises `Refusal` if a limit is exceeded."""
        if self._rules is None:
            return
        with self._lock:
            windows = self._of(model, self._rules)
            refusal = windows.refusal(input_tokens, now, self._rules.retry_after_seconds)
            if refusal is not None:
                raise refusal
            windows.take(1, input_tokens, now)

    def settle(self, model: Model, output_tokens: int, now: float) -> None:
        """Count output tokens, which are never refused."""
        if self._rules is None:
            return
        with self._lock:
            self._of(model, self._rules).take(0, output_tokens, now)

    def _of(self, model: Model, rules: RateRules) -> _Windows:
        if model.id not in self._windows:
            self._windows[model.id] = rules.windows(model)
        return self._windows[model.id]


@dataclass(slots=True)
class _Window:
    """Amounts of the last `seconds`."""

    seconds: float
    limit: int
    used: int = 0
    entries: deque[tuple[float, int]] = field(default_factory=deque)

    def takes(self, amount: int, now: float) -> bool:
        while self.entries and self.entries[0][0] <= now - self.seconds:
            self.used -= self.entries.popleft()[1]
        return self.used == 0 or self.used + amount <= self.limit

    def take(self, amount: int, now: float) -> None:
        self.entries.append((now, amount))
        self.used += amount


@dataclass(frozen=True, slots=True)
class _Windows:
    """The windows of one model."""

    requests: tuple[_Window, ...]
    tokens: tuple[_Window, ...]

    def refusal(self, tokens: int, now: float, retry_after_seconds: float | None) -> Refusal | None:
        if not all(window.takes(1, now) for window in self.requests):
            return too_many_requests(retry_after_seconds)
        if not all(window.takes(tokens, now) for window in self.tokens):
            return too_many_tokens(retry_after_seconds)
        return None

    def take(self, requests: int, tokens: int, now: float) -> None:
        for windows, amount in ((self.requests, requests), (self.tokens, tokens)):
            for window in windows if amount else ():
                window.take(amount, now)

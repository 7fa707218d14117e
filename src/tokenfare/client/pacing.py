"""Keeps a client below the provider's rate limits: each attempt of a call waits for its turn.

The rate limits are those of the catalogue, or the caller's own. They apply to an account at the
provider, so by default they are kept only at the provider's own endpoint; another endpoint has its
own limits, which are not known.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from fnmatch import fnmatchcase
from functools import partial
from types import MappingProxyType
from typing import TypeAlias, TypeVar

from tokenfare.catalog import Catalog, Model, Provider, RateLimits
from tokenfare.database import expanded, file_or_switch, mistyped_address
from tokenfare.dispatch import Admission, Flow, OnWait, RunBlocking, WaitFor
from tokenfare.dispatch.effects import NEVER_SENT
from tokenfare.errors import (
    DatabaseError,
    InvalidRequestError,
    LimiterUnreachable,
    ProviderError,
    ProviderUnreachable,
    RateLimitError,
    RateWaitTooLong,
)
from tokenfare.limiter import (
    UNTIL_SIGNALLED,
    Claim,
    InRedis,
    InSqlite,
    Limiter,
    Place,
    Window,
    windows_of,
)
from tokenfare.usage import Usage
from tokenfare.variables import given_by

from .rate_notice import Notice
from .turn_waits import OnTurn, TurnWaits

log: logging.Logger = logging.getLogger("tokenfare")

VARIABLE = "TOKENFARE_LIMITER"

LimiterChoice: TypeAlias = Limiter | str | os.PathLike[str] | bool | None

T = TypeVar("T")

# After throttling, others seem to use the account too, so all calls pause. The refused call itself
# waits longer (`RetryPolicy`).
_PAUSE_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Pace:
    """A client's limiter, if it has one, and the rate limits that it keeps."""

    limiter: Limiter | None = None
    rates: Mapping[str, RateLimits] = field(default_factory=lambda: MappingProxyType({}))
    share_seconds: float | None = None
    endpoint: str = ""
    own: InSqlite | InRedis | None = None

    def close(self) -> None:
        """Close the limiter's store if the client opened it; it is opened again when needed."""
        if self.own is not None:
            self.own.close()

    def admission(
        self,
        model: Model,
        claim: Claim,
        on_wait: OnWait | None = None,
        on_turn: OnTurn | None = None,
    ) -> Admission | None:
        """The admission of a call to a model; `None` if the model has no rate limits.

        `on_wait` is called before a wait, instead of logging it; `on_turn` after one.
        """
        windows = windows_of(self.rates_of(model), self.share_seconds)
        if self.limiter is None or not windows:
            return None
        return LimiterAdmission(
            self.limiter,
            f"{model.id} at {self.endpoint}",
            windows,
            claim,
            model.id,
            on_wait=on_wait,
            on_turn=on_turn,
        )

    def rates_of(self, model: Model) -> RateLimits:
        """The rate limits: the caller's for the id or a pattern of it, or the catalogue's."""
        if model.id in self.rates:
            return self.rates[model.id]
        patterns = (name for name in self.rates if fnmatchcase(model.id, name))
        return self.rates[found] if (found := next(patterns, None)) else model.rates


def check_rates(rates: Mapping[str, RateLimits] | None, catalog: Catalog) -> None:
    """Raise `InvalidRequestError` for rates that would be kept for no model, or are none."""
    for name, limits in (rates or {}).items():
        if not isinstance(limits, RateLimits):
            raise InvalidRequestError(
                f"rates: {name!r} has tokenfare.catalog.RateLimits, such as "
                f"RateLimits(600, 1_000_000), not {type(limits).__name__}"
            )
        known = [model.id for model in catalog.models(all=True)]
        if not any(fnmatchcase(each, name) for each in known):
            near = get_close_matches(name, known, n=1)
            raise InvalidRequestError(
                f"rates: {name!r} is the id of no model of the catalogue, and no pattern of one"
                + (f"; nearest: {near[0]}" if near else "")
            )


def pace(
    limiter: LimiterChoice,
    rates: Mapping[str, RateLimits] | None,
    provider: Provider,
    endpoint: str,
    environment: Mapping[str, str],
) -> Pace:
    """The pace by the arguments, or by the environment where an argument is not given."""
    variable = VARIABLE if limiter is None else None
    choice = file_or_switch(environment.get(VARIABLE, "")) if limiter is None else limiter
    if choice is None:
        choice = rates is not None or endpoint in provider.base_urls.values()
    own = None
    if not isinstance(choice, bool | Limiter):
        with given_by(variable):
            own = _store(choice, variable)
    return Pace(
        _limiter(choice, own),
        MappingProxyType(dict(rates or {})),
        share_seconds(provider),
        endpoint,
        own,
    )


def share_seconds(provider: Provider) -> float | None:
    """The shorter window in which a provider enforces its share of a minute's rates, if any."""
    throttle = provider.throttle
    return None if throttle is None else float(throttle.window_seconds)


def _store(named: str | os.PathLike[str], variable: str | None) -> InSqlite | InRedis:
    """The store that processes share: a Redis server, or a file."""
    if isinstance(named, str) and "://" in named:
        return InRedis(named)
    if mistyped := mistyped_address(path := os.fspath(named)):
        scheme, shown = mistyped
        place = "/PATH?db=DB" if scheme == "unix" else "HOST:PORT"
        form = f"{scheme}://{place}" + ("/DB" if scheme in {"redis", "rediss"} else "")
        raise InvalidRequestError(
            f"limiter: {shown} is no address of a server, which is a text with two slashes "
            f"({form}), and is not taken for a file; a file of this name is ./{scheme}:…"
        )
    return InSqlite(expanded("limiter", path), named_by=variable)


def _limiter(choice: LimiterChoice, own: InSqlite | InRedis | None) -> Limiter | None:
    if own is not None:
        return Limiter(own, clock=time.time)
    if isinstance(choice, Limiter):
        return choice
    return Limiter() if choice else None


class LimiterAdmission:
    """The admission of one call by a limiter, for each of its attempts (`dispatch.Admission`)."""

    def __init__(  # noqa: PLR0913 - what a turn is made of
        self,
        limiter: Limiter,
        key: str,
        windows: tuple[Window, ...],
        claim: Claim,
        model: str,
        *,
        on_wait: OnWait | None = None,
        on_turn: OnTurn | None = None,
    ) -> None:
        """Not queued yet."""
        self._limiter = limiter
        self._key = key
        self._windows = windows
        self._claim = claim
        self._model = model
        self._on_wait = on_wait
        self._on_turn = on_turn
        self._place: Place | None = None

    def enter(self, seconds_left: Callable[[], float]) -> Flow[None]:
        """Wait for the turn."""
        place = self._place = self._limiter.enter(self._key, self._windows, self._claim)
        notice = Notice(self._limiter, place, self._model, self._on_wait)
        waits = TurnWaits(self._limiter, place, seconds_left, self._model, self._on_turn)
        began = seconds_left()
        try:
            while pause := (yield from self._done(partial(self._limiter.ask, place))):
                left = seconds_left()
                until = self._in_time(pause, left)
                until = min(until, notice.given(pause, began - left))
                yield from waits.over(WaitFor(place.signal, until))
        except GeneratorExit:
            self._limiter.leave(place)
            raise
        except BaseException as error:
            if isinstance(error, RateWaitTooLong):
                waits.too_long()
            yield from self._done(partial(self._limiter.leave, place))
            raise
        finally:
            waits.tell()

    def answered(self, usage: Usage) -> Flow[None]:
        """Settle by the billed usage."""
        yield from self._ended(
            lambda place: self._limiter.settle(place, usage.input_tokens, usage.output_tokens)
        )

    def failed(self, error: BaseException) -> Flow[None]:
        """Release the claim, unless the provider may have counted the attempt."""
        yield from self._ended(partial(self._failed, error))

    def dropped(self) -> None:
        """As after a failure that the provider may have counted."""
        if self._place is not None:
            self._settled(self._limiter.fail, self._place)

    def _failed(self, error: BaseException, place: Place) -> None:
        if isinstance(error, RateLimitError):
            asked = error.retry_after_seconds
            pause = _PAUSE_SECONDS if asked is None else asked
            self._limiter.refused(place, pause)
        elif _uncounted(error):
            self._limiter.leave(place)
        else:
            self._limiter.fail(place)

    def _ended(self, end: Callable[[Place], None]) -> Flow[None]:
        if self._place is not None:
            yield from self._done(partial(self._settled, end, self._place))

    def _settled(self, end: Callable[[Place], None], place: Place) -> None:
        """End a place in the queue. Errors are only logged, since a booking expires by itself."""
        try:
            end(place)
        except (DatabaseError, LimiterUnreachable) as error:
            log.warning("%s: %s; what the call did not take stays booked", self._model, error)

    def _done(self, do: Callable[[], T]) -> Flow[T]:
        """Call a function of the limiter: directly if it cannot block, else in a thread."""
        if self._limiter.shared:
            result: T = yield RunBlocking(do)
            return result
        return do()

    def _in_time(self, pause: float, left: float) -> float:
        """The pause, if there is time for it. It is known only for the first of the queue."""
        if left <= 0 or left < pause < UNTIL_SIGNALLED:
            raise RateWaitTooLong(
                f"{self._model}: no turn below its rates within the time of the call "
                f"(timeouts.total); nothing was sent; call it less, or give `rates` if the "
                f"account has more",
                code="rates",
                model=self._model,
            )
        return min(pause, left)


def _uncounted(error: BaseException) -> bool:
    """Whether the provider certainly did not count an attempt: not sent, or refused."""
    if isinstance(error, ProviderUnreachable):
        return error.code in NEVER_SENT
    return isinstance(error, ProviderError) and 400 <= (error.status or 0) < 500

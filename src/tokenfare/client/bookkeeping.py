"""Writes a client's calls into the ledger: a row for each call, however it ends.

The default ledger must never prevent a call: if it cannot be written, that is logged once and calls
go on. A ledger that was asked for, or that ceilings need, has to work. An answer is never lost for
its bill: an error while settling is logged, and the bill is kept and written as soon as possible.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeAlias

from tokenfare.arguments import text_in_utf8
from tokenfare.dispatch import Attempt, Flow, RunBlocking
from tokenfare.errors import DatabaseError, InvalidRequestError, ProviderError
from tokenfare.ledger import (
    ANSWERED,
    CANCELLED,
    VARIABLE,
    Ceiling,
    Ending,
    Intent,
    Ledger,
    drifts,
    ledger_path,
)
from tokenfare.ledger.location import ledger_file, named_by
from tokenfare.plurals import number_of
from tokenfare.variables import given_by

from .owed_bills import OwedBills
from .reply import Reply

CEILINGS_VARIABLE = "TOKENFARE_CEILINGS"
PROJECT_VARIABLE = "TOKENFARE_PROJECT"

LedgerChoice: TypeAlias = Ledger | str | os.PathLike[str] | bool | None

log: logging.Logger = logging.getLogger("tokenfare")


@dataclass(frozen=True, slots=True)
class Books:
    """A client's ledger, if it has one, and how the client uses it.

    `required` means that calls fail if it cannot be written; `ours`, that the client closes it.
    """

    ledger: Ledger | None = None
    ceilings: tuple[Ceiling, ...] = ()
    project: str = ""
    endpoint: str = ""
    required: bool = False
    ours: bool = True
    _warned: set[str] = field(default_factory=set)
    owed: OwedBills = field(default_factory=OwedBills)

    def close(self) -> None:
        """Close the ledger, unless it was handed in."""
        if self.ledger is None:
            return
        try:
            self.owed.catch_up(self.ledger)
        except DatabaseError as error:
            log.warning("%s; %s not written", error, number_of(len(self.owed), "bill"))
        if self.ours:
            self.ledger.close()

    def once(self, about: str, message: str) -> None:
        """Log a warning, only the first time for each `about`."""
        if about not in self._warned:
            self._warned.add(about)
            log.warning("%s", message)


def books(
    ledger: LedgerChoice,
    ceilings: Sequence[Ceiling | str] | None,
    project: str | None,
    endpoint: str,
    environment: Mapping[str, str],
) -> Books:
    """The books by the arguments, or by the environment where an argument is not given.

    Raises `InvalidRequestError` for ceilings without a ledger, and for a project that is no text.
    """
    booked_under = _project(project, environment)
    named = ledger not in (None, True) or bool(environment.get(VARIABLE))
    limits = _ceilings(ceilings, environment)
    required = named or bool(limits)
    opened = _opened(ledger, environment, required=required)
    if limits and opened is None:
        raise InvalidRequestError(
            f"{limits[0]} needs the ledger to be held to, and the ledger is switched off"
        )
    return Books(
        opened,
        limits,
        booked_under,
        endpoint,
        required=required,
        ours=not isinstance(ledger, Ledger),
    )


def _project(given: str | None, environment: Mapping[str, str]) -> str:
    """The project by the argument, or by the environment. Raises `InvalidRequestError`."""
    if given is not None:
        return text_in_utf8("project", given)
    return text_in_utf8(PROJECT_VARIABLE, environment.get(PROJECT_VARIABLE, ""))


def _opened(
    ledger: LedgerChoice, environment: Mapping[str, str], *, required: bool
) -> Ledger | None:
    if isinstance(ledger, Ledger):
        return ledger
    if ledger is None or isinstance(ledger, bool):
        try:
            path = None if ledger is False else ledger_path(environment)
        except DatabaseError as error:  # no home directory is known
            if required:
                raise
            log.warning("%s; calls go on without it", error)
            return None
        return None if path is None else Ledger(path, named_by=named_by(environment))
    return Ledger(ledger_file(os.fspath(ledger)))


def _ceilings(
    given: Sequence[Ceiling | str] | None, environment: Mapping[str, str]
) -> tuple[Ceiling, ...]:
    if given is None:
        written = environment.get(CEILINGS_VARIABLE, "").split(";")
        with given_by(CEILINGS_VARIABLE):
            return tuple(Ceiling.parse(text.strip()) for text in written if text.strip())
    if isinstance(given, str | Ceiling) or not isinstance(given, Iterable):
        raise InvalidRequestError(f"ceilings are a list, not {given!r}")
    return tuple(map(_ceiling, given))


def _ceiling(given: object) -> Ceiling:
    if isinstance(given, str):
        return Ceiling.parse(given)
    if not isinstance(given, Ceiling):
        raise InvalidRequestError(
            f"a ceiling is a tokenfare.ledger.Ceiling or a text such as '5 CNY', not {given!r}"
        )
    return given


class Entry:
    """One call in the ledger. Methods are flows, since writing may block.

    A task can be cancelled while a thread makes its reservation. So reserving and settling exclude
    each other: a late reservation is settled, and after settling nothing is reserved.
    """

    def __init__(self, kept: Books) -> None:
        """Write nothing yet."""
        self._books = kept
        self._turn = threading.Lock()
        self._number: int | None = None
        self._intent: Intent | None = None
        self._ending: Ending | None = None
        self._over = False

    def intend(self, intent: Intent) -> Flow[None]:
        """Reserve before a model is called, or move the reservation. Raises `CeilingReached`."""
        if self._books.ledger is not None:
            self._intent = intent
            yield RunBlocking(partial(self._reserve, self._books.ledger, intent))

    def _reserve(self, ledger: Ledger, intent: Intent) -> None:
        with self._turn:
            if self._over:
                return
            try:
                self._books.owed.catch_up(ledger)
                if self._number is None:
                    self._number = ledger.reserve(intent, self._books.ceilings)
                else:
                    ledger.move(self._number, intent, self._books.ceilings)
            except DatabaseError as error:
                if self._books.required:
                    raise
                self._books.once("unwritable", f"{error}; calls go on without it")

    def answered(self, reply: Reply) -> Flow[None]:
        """Settle after an answer, by the billed usage."""
        self._ending = Ending(
            ANSWERED,
            reply.usage,
            reply.fare,
            request_id=reply.answer.request_id,
            **_tried(reply.attempts),
        )
        yield from self._end(self._ending)

    def failed(self, error: BaseException) -> Flow[None]:
        """Release the reservation after a failure, or settle if settling was interrupted.

        If a cancellation comes before the thread that writes, nothing is written; so it is tried
        once more, now as a flow that tidies up. Writing it twice has the same effect as once.
        """
        ending = self._ending or _failure(error)
        try:
            yield from self._end(ending)
        except GeneratorExit:
            self._settle(ending)
            raise
        except BaseException:
            yield from self._end(ending)
            raise

    def dropped(self) -> None:
        """End the entry of a flow that was discarded, so that its effects are not run any more."""
        self._settle(self._ending or Ending(CANCELLED))

    def _end(self, ending: Ending) -> Flow[None]:
        if self._intent is not None:
            yield RunBlocking(partial(self._settle, ending))

    def _settle(self, ending: Ending) -> None:
        with self._turn:
            self._over = True
            ledger, number, intent = self._books.ledger, self._number, self._intent
            if ledger is None or number is None or intent is None:
                return
            try:
                self._books.owed.settle(ledger, number, ending)
                if ending.usage is not None:
                    self._look_for_drift(ledger, intent, ending.usage.input_tokens)
            except DatabaseError as error:
                self._books.once(
                    "unsettled", f"{error}; the bill of a call is kept until it can be written"
                )

    def _look_for_drift(self, ledger: Ledger, intent: Intent, billed: int) -> None:
        if intent.predicted.low <= billed <= intent.predicted.high:
            return
        for drift in drifts(ledger, model=intent.model):
            self._books.once(f"drift of {intent.model}", str(drift))


def _failure(error: BaseException) -> Ending:
    if isinstance(error, ProviderError):
        return Ending(type(error).__name__, request_id=error.request_id, **_tried(error.attempts))
    return Ending(type(error).__name__ if isinstance(error, Exception) else CANCELLED)


def _tried(attempts: Sequence[object]) -> dict[str, Any]:
    made = [attempt for attempt in attempts if isinstance(attempt, Attempt)]
    return {
        "attempts": len(made),
        "broken": sum(attempt.outcome == "broken" for attempt in made),
        "waited_seconds": sum(attempt.waited_seconds for attempt in made),
    }

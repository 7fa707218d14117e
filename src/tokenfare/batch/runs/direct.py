"""Direct mode: send the requests of a plan live, each to its planned model.

For models and regions without a batch service. Each answer is written to the journal as it arrives,
so a run that was killed or interrupted continues where it stopped; only requests that were under
way at that moment are sent again.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NamedTuple, get_args

from tokenfare.batch.output.folder import PlanFile
from tokenfare.batch.run_limits import DEFAULT_CONCURRENCY
from tokenfare.catalog import Access
from tokenfare.client import AsyncClient, Reply
from tokenfare.dispatch import Timeouts
from tokenfare.errors import (
    AuthenticationError,
    CeilingReached,
    InvalidRequestError,
    LimiterUnreachable,
    NoModelFits,
    ProviderError,
    ProviderUnreachable,
    QuotaExhaustedError,
)

from .file_limit import room_for
from .results import json_line
from .running import Running, running

# Long enough for a request to be on its way before the next one is prepared. When all were prepared
# at once, they were sent late and together, and the provider refused those of the next second.
_BETWEEN_STARTS_SECONDS = 0.001

# Errors that every further request would get too.
_HOPELESS = (
    AuthenticationError,
    QuotaExhaustedError,
    ProviderUnreachable,
    CeilingReached,
    LimiterUnreachable,
)


# The plan has chosen the model, so nothing that it allowed is refused here.
_AS_PLANNED: Any = {"access": get_args(Access), "unstated_limits": True}


class Sending(NamedTuple):
    """The progress of a direct run: requests answered and failed, of all that it has to send."""

    answered: int
    failed: int
    total: int

    @property
    def complete(self) -> bool:
        """Whether every request has been answered."""
        return self.answered == self.total


@dataclass(frozen=True, slots=True)
class _Request:
    """A request of one of the plan's files."""

    custom_id: str
    model: str
    body: Mapping[str, Any]


class _Tally:
    """Counts answered and failed requests, and reports progress."""

    def __init__(self, total: int, told: Callable[[Sending], None] | None) -> None:
        self.now = Sending(0, 0, total)
        self._told = told

    def add(self, *, answered: bool) -> None:
        done, failed, total = self.now
        self.now = Sending(done + answered, failed + (not answered), total)
        if self._told is not None:
            self._told(self.now)


def run(
    folder: str | os.PathLike[str],
    *,
    all_files: bool = False,
    concurrency: int | None = None,
    ladder: bool = False,
    progress: Callable[[Sending], None] | None = None,
    **options: Any,
) -> Sending:
    """Send the requests of a plan live (not through the batch service), each to its planned model.

    Can be repeated: requests that were answered are not sent again, those that failed are. An error
    that every request would get ends the run: a wrong key, no connection, a ceiling.

    Args:
        folder: The plan's folder.
        all_files: Send all requests, also those that the batch service takes.
        concurrency: How many requests to each model are under way at once, within its rate limits;
            by default 16, or as many as the plan's deadline needs.
        ladder: Send a request that its model cannot answer to the next cheapest one.
        progress: Called with the `Sending` after each request.
        options: The options of `tokenfare.AsyncClient`.

    Raises:
        InvalidRequestError: The requests were submitted to the batch service, or `concurrency`
            needs more connections than this process can have.
        ProviderError: See above.
    """
    if concurrency is not None and concurrency < 1:
        raise InvalidRequestError(f"concurrency is at least 1, not {concurrency}")
    import anyio

    with running(folder, **options) as opened:
        files = [file for file in opened.plan.files if all_files or not file.batch]
        _not_submitted(opened, files)
        tally = _Tally(sum(file.lines for file in files), progress)
        known = opened.settings
        given = {**options, "catalog": known.learning.catalog, "provider": known.provider}
        _wait_until(opened.plan.deadline, given)
        sender = _Sender(opened, partial(AsyncClient, **given), tally, ladder=ladder)
        at_once = concurrency or opened.plan.concurrency or DEFAULT_CONCURRENCY
        with room_for(_connections(files, at_once)), _marked_live(opened, files):
            anyio.run(sender.send, _by_model(opened, files), at_once)
        return tally.now


@contextmanager
def _marked_live(opened: Running, files: list[PlanFile]) -> Iterator[None]:
    """Record that these files are sent live; undone if no request could be sent at all."""
    opened.claim()
    for file in files:
        opened.journal.state(direct_fact(file), "sent live")
    try:
        yield
    except _HOPELESS:
        if not sum(opened.journal.counts()):
            opened.disclaim()
            for file in files:
                opened.journal.forget(direct_fact(file))
        raise


def _not_submitted(opened: Running, files: list[PlanFile]) -> None:
    sent = opened.journal.sent()
    for file in files:
        begun = sent.get(file.name)
        if begun is not None and (begun.file_id or begun.job):
            raise InvalidRequestError(
                f"{opened.plan.path(file)}: was submitted to the batch service; sending it live "
                f"as well would pay for it twice"
            )


def direct_fact(file: PlanFile) -> str:
    """The name of the journal's fact that a file's requests are sent live."""
    return f"direct {file.name}"


def _wait_until(deadline: float | None, given: dict[str, Any]) -> None:
    """Let calls wait for rate limits as long as the plan's deadline allows, by default."""
    if deadline is not None and given.get("timeouts") is None:
        usual = Timeouts()
        given["timeouts"] = replace(usual, total=max(usual.total, deadline))


def _by_model(opened: Running, files: list[PlanFile]) -> list[Iterator[_Request]]:
    """The requests by model. Models have separate rate limits, so they are sent independently."""
    models = dict.fromkeys(file.model for file in files)
    return [_requests(opened, [file for file in files if file.model == model]) for model in models]


def _connections(files: list[PlanFile], at_once: int) -> int:
    """The most connections that are open at once."""
    lines: Counter[str] = Counter()
    for file in files:
        lines[file.model] += file.lines
    return sum(min(number, at_once) for number in lines.values())


def _requests(opened: Running, files: list[PlanFile]) -> Iterator[_Request]:
    for file in files:
        with opened.plan.path(file).open("rb") as lines:
            for line in lines:
                found = json.loads(line)
                yield _Request(found["custom_id"], file.model, found["body"])


@dataclass(frozen=True, slots=True)
class _Sender:
    """Sends requests, and records the result of each in the journal."""

    opened: Running
    make: Callable[[], AsyncClient]
    tally: _Tally
    ladder: bool

    async def send(self, queues: list[Iterator[_Request]], concurrency: int) -> None:
        """Send the queues, `concurrency` of each at once. Raises errors that all would get."""
        import anyio

        trouble: list[BaseException] = []

        async def work(
            client: AsyncClient, requests: Iterator[_Request], scope: anyio.CancelScope
        ) -> None:
            for request in requests:
                await anyio.lowlevel.checkpoint()
                try:
                    answered = await self._one(client, request)
                except Exception as error:  # noqa: BLE001 - raised again outside of the task group
                    trouble.append(error)
                    scope.cancel()
                    return
                self.tally.add(answered=answered)

        async with self.make() as client, anyio.create_task_group() as group:
            for _ in range(concurrency):
                for requests in queues:
                    group.start_soon(work, client, requests, group.cancel_scope)
                    await anyio.sleep(_BETWEEN_STARTS_SECONDS)
        if trouble:
            raise trouble[0]

    async def _one(self, client: AsyncClient, request: _Request) -> bool:
        """Send a request, unless it was answered before. Returns whether it has an answer."""
        kept = self.opened.journal
        if kept.has_answer(request.custom_id):
            return True
        try:
            reply = await _chat(client, request, ladder=self.ladder)
        except _HOPELESS:
            raise
        except (ProviderError, NoModelFits, InvalidRequestError) as error:
            kept.answer(request.custom_id, _failure(request, error), answered=False)
            return False
        kept.answer(request.custom_id, _success(request, reply), answered=True)
        return True


async def _chat(client: AsyncClient, request: _Request, *, ladder: bool) -> Reply:
    body = dict(request.body)
    messages = body.pop("messages")
    room = body.pop("max_tokens", None)
    for decided in ("model", "stream", "stream_options"):
        body.pop(decided, None)
    options: Any = {} if room is None else {"max_output_tokens": room}
    price = client.catalog.get(request.model).price
    if price is not None:
        options["currency"] = price.currency
    try:
        return await client.chat(
            messages, parameters=body, allow=[request.model], **_AS_PLANNED, **options
        )
    except ProviderError as error:
        if not (ladder and error.another_model_may):
            raise
        failed = error
    try:
        return await client.chat(messages, parameters=body, deny=[request.model], **options)
    except NoModelFits:
        raise failed from None


def _success(request: _Request, reply: Reply) -> bytes:
    response = {
        "status_code": 200,
        "request_id": reply.answer.request_id,
        "body": dict(reply.answer.raw),
    }
    # The model by its id in the catalogue; the answer has the provider's name for it.
    model = reply.attempts[-1].model
    return _line(request, model, reply.answer.request_id, response, None)


def _failure(request: _Request, error: Exception) -> bytes:
    status = getattr(error, "status", None)
    request_id = getattr(error, "request_id", None)
    response = {"status_code": status, "request_id": request_id, "body": None}
    code = getattr(error, "code", None) or type(error).__name__
    said = {"code": code, "message": str(error)}
    return _line(request, request.model, request_id, response if status else None, said)


def _line(
    request: _Request, model: str, request_id: str | None, response: object, error: object
) -> bytes:
    """A result in the form of the batch service's files, with the model that answered."""
    said = {
        "id": request_id,
        "custom_id": request.custom_id,
        "model": model,
        "response": response,
        "error": error,
    }
    return json_line(said)

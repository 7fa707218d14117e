"""The batch service over HTTP: create, query, list, cancel."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import cast

from anyio.to_thread import run_sync
from starlette.responses import Response

from tokenfare.catalog import BatchRules
from tokenfare.usage import Usage

from .account import PROVIDER, Account
from .answer import Completion
from .batch import CHATS, TRIAL, Answered, Batch, Line, new_id
from .body import json_body, whole_number
from .call_log import Call
from .delivery import first, inject_faults
from .exchange import Exchange, json_response
from .faults import Attempt, Fault, Misbill, Refuse, several
from .refusal import Refusal, invalid
from .request_body import read_chat
from .wire import Compatible

METHOD = "BATCH"
"""The path under which a line of a batch is logged, and which a fault script sees."""

_LIST_LIMIT = 20


async def create(exchange: Exchange) -> Response:
    """`POST /batches`."""
    account = exchange.account
    await inject_faults(exchange)
    body = await json_body(exchange.request, account.max_body_bytes)
    if not isinstance(body, Mapping):
        raise invalid("Required body invalid, please check the request body format.")
    batch = _new(cast("Mapping[str, object]", body), account)
    account.batches[batch.id] = batch
    return json_response(batch.wire())


async def look(exchange: Exchange) -> Response:
    """`GET /batches/{id}`: reports the progress, and then advances the batch by a step."""
    await inject_faults(exchange)
    account, batch = exchange.account, _found(exchange)
    report = batch.wire()
    await run_sync(_go_on, account, batch)
    return json_response(report)


async def page(exchange: Exchange) -> Response:
    """`GET /batches`. In an empty list, `data` is null, as recorded."""
    await inject_faults(exchange)
    query = exchange.request.query_params
    limit = whole_number(query.get("limit")) or _LIST_LIMIT
    newest_first = list(reversed(exchange.account.batches.values()))
    after = query.get("after")
    if after is not None:
        ids = [batch.id for batch in newest_first]
        newest_first = newest_first[ids.index(after) + 1 :] if after in ids else []
    found = [batch for batch in newest_first if _matches(batch, query)]
    data = [batch.wire() for batch in found[:limit]]
    return json_response(
        {
            "object": "list",
            "data": data or None,
            "first_id": data[0]["id"] if data else None,
            "last_id": data[-1]["id"] if data else None,
            "has_more": len(found) > limit,
        }
    )


async def cancel(exchange: Exchange) -> Response:
    """`POST /batches/{id}/cancel`."""
    await inject_faults(exchange)
    batch = _found(exchange)
    if not batch.cancel(int(exchange.account.clock())):
        raise invalid(f"Cannot cancel a batch whose status is {batch.status}.")
    return json_response(batch.wire())


def _new(body: Mapping[str, object], account: Account) -> Batch:
    endpoint, window = str(body.get("endpoint")), str(body.get("completion_window"))
    if endpoint not in {CHATS, TRIAL}:
        raise invalid(f"endpoint must be {CHATS} or {TRIAL}.", param="endpoint")
    rules = _rules(account)
    match = re.fullmatch(r"(\d{1,4})(h|d)", window)
    hours = int(match[1]) * (24 if match[2] == "d" else 1) if match else 0
    if not rules.min_window_hours <= hours <= rules.max_window_hours:
        words = f"{rules.min_window_hours}h to {rules.max_window_hours}h"
        raise invalid(f"completion_window must be {words}.", param="completion_window")
    metadata = body.get("metadata")
    if metadata is not None and not isinstance(metadata, Mapping):
        raise invalid("metadata must be an object.", param="metadata")
    file = account.files.get(str(body.get("input_file_id")))
    if file.purpose != "batch":
        raise invalid("The purpose of the input file must be batch.", param="input_file_id")
    return Batch(
        id=new_id(),
        input_file_id=file.id,
        endpoint=endpoint,
        window_hours=hours,
        metadata=metadata,
        created_at=int(account.clock()),
        content=file.content,
        looks_left=account.batch_looks_until_checked,
    )


def _go_on(account: Account, batch: Batch) -> None:
    def answer(line: Line, url: str) -> Answered:
        return _trial(line) if batch.endpoint == TRIAL else _answered(account, line, url)

    def keep(name: str, content: bytes) -> str:
        return account.files.add(f"{batch.id}_{name}.jsonl", "batch_output", content).id

    with account.batch_lock:
        now = int(account.clock())
        batch.look(now, _rules(account), answer, keep, account.batch_lines_a_look)


def _answered(account: Account, line: Line, url: str) -> Answered:
    """Answer a line by the rules of the batch service: its own limits, and no rates."""
    request_id, model = str(uuid.uuid4()), str(line.body.get("model"))
    faults = several(account.faults(Attempt(next(account.arrivals), METHOD, url, model)))
    try:
        completion = _completed(account, line, faults)
    except Refusal as refusal:
        _enter(account, request_id, url, model, refusal.status, refusal.code)
        return Answered(line.custom_id, refusal.status, request_id, refusal.compatible(request_id))
    _enter(account, request_id, url, model, 200, usage=completion.usage)
    return Answered(line.custom_id, 200, request_id, Compatible(completion).whole())


def _completed(account: Account, line: Line, faults: tuple[Fault, ...]) -> Completion:
    refuse, misbill = first(faults, Refuse), first(faults, Misbill)
    if refuse is not None:
        raise refuse.refusal()
    chat = read_chat({**line.body, "stream": False}, account.catalog, account.granted)
    if chat.model.price is None or chat.model.price.batch is None:
        raise invalid(f"{chat.name} is not served in batches.", param="model")
    limits = chat.model.limits_for(batch=True, thinking=chat.thinking)
    chat = replace(chat, model=replace(chat.model, limits=limits))
    completion = account.complete(chat, metered=False)
    if misbill is None:
        return completion
    return replace(completion, usage=misbill.of(completion.usage))


def _enter(  # noqa: PLR0913, PLR0917 - the fields of an entry
    account: Account,
    request_id: str,
    url: str,
    model: str,
    status: int,
    code: str | None = None,
    usage: Usage | None = None,
) -> None:
    call = Call(request_id, METHOD, url, status, code, model, usage, at=account.clock())
    account.calls.enter(call)


def _trial(line: Line) -> Answered:
    """The free trial model: the same answer for every line, without a bill."""
    request_id = str(uuid.uuid4())
    message = {"role": "assistant", "content": "This is a test result."}
    body: dict[str, object] = {
        "id": f"chatcmpl-{request_id}",
        "object": "chat.completion",
        "created": 0,
        "model": line.body.get("model"),
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0},
    }
    return Answered(line.custom_id, 200, request_id, body)


def _rules(account: Account) -> BatchRules:
    rules = account.catalog.provider(PROVIDER).batch
    if rules is None:
        raise invalid("The provider has no batch service on this day.")
    return rules


def _found(exchange: Exchange) -> Batch:
    name = exchange.request.path_params["id"]
    batch = exchange.account.batches.get(name)
    if batch is None:
        raise Refusal(404, "invalid_request_error", f"No such Batch object: {name}", param="id")
    return batch


def _matches(batch: Batch, query: Mapping[str, str]) -> bool:
    statuses, files = query.get("status"), query.get("input_file_ids")
    since, until = query.get("create_after"), query.get("create_before")
    created = datetime.fromtimestamp(batch.created_at, UTC).strftime("%Y%m%d%H%M%S")
    named = (batch.metadata or {}).get("ds_name")
    return (
        (statuses is None or batch.status in statuses.split(","))
        and (files is None or batch.input_file_id in files.split(","))
        and ("ds_name" not in query or query["ds_name"] in str(named))
        and (since is None or created >= since)
        and (until is None or created <= until)
    )

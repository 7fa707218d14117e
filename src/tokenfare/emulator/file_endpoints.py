"""The file service over HTTP: upload, list, look, read, delete."""

from __future__ import annotations

import re

from starlette.responses import Response

from . import delivery
from .body import uploaded, whole_number
from .delivery import first, inject_faults
from .exchange import Exchange, json_response
from .faults import Parse
from .refusal import file_too_large


async def upload(exchange: Exchange) -> Response:
    """`POST /files`."""
    account = exchange.account
    await inject_faults(exchange)
    sent = await uploaded(exchange.request)
    limit = account.file_limit(sent.purpose)
    if len(sent.content) > limit:
        raise file_too_large(limit)
    parse = first(exchange.faults, Parse)
    file = account.files.add(sent.name, sent.purpose, sent.content, parse)
    return json_response(file.wire())


async def page(exchange: Exchange) -> Response:
    """`GET /files`."""
    await inject_faults(exchange)
    query = exchange.request.query_params
    found, more = exchange.account.files.page(
        after=query.get("after"),
        limit=whole_number(query.get("limit")),
        purpose=query.get("purpose"),
        since=query.get("create_after"),
        until=query.get("create_before"),
    )
    data = [file.wire() for file in found]
    return json_response({"object": "list", "data": data, "has_more": more})


async def look(exchange: Exchange) -> Response:
    """`GET /files/{id}`."""
    await inject_faults(exchange)
    return json_response(exchange.account.files.look(exchange.request.path_params["id"]))


async def delete(exchange: Exchange) -> Response:
    """`DELETE /files/{id}`."""
    await inject_faults(exchange)
    file_id = exchange.request.path_params["id"]
    exchange.account.files.delete(file_id)
    return json_response({"id": file_id, "object": "file", "deleted": True})


async def content(exchange: Exchange) -> Response:
    """`GET /files/{id}/content`, or the part of it that `Range` asks for.

    Whether the provider gives parts is not recorded; `account.ranges` switches it off.
    """
    await inject_faults(exchange)
    account, asked = exchange.account, exchange.request.headers
    file = account.files.get(exchange.request.path_params["id"])
    if not account.ranges:
        return await delivery.content(exchange, file.content, 200, {})
    whole, headers = len(file.content), {"etag": file.tag, "accept-ranges": "bytes"}
    part = None
    if asked.get("if-range", file.tag) == file.tag:
        part = _part(asked.get("range", ""), whole)
    if part is None:
        return await delivery.content(exchange, file.content, 200, headers)
    if not part:
        unmet = {**headers, "content-range": f"bytes */{whole}"}
        return Response(status_code=416, headers=unmet)
    headers["content-range"] = f"bytes {part.start}-{part.stop - 1}/{whole}"
    body = file.content[part.start : part.stop]
    return await delivery.content(exchange, body, 206, headers)


def _part(asked: str, whole: int) -> range | None:
    """The bytes of one range, empty if there are none; `None` for what is not understood."""
    found = re.fullmatch(r"bytes=(\d*)-(\d*)", asked)
    if found is None or found[1] == found[2] == "":
        return None
    if found[1] == "":
        return range(max(whole - int(found[2]), 0), whole)
    first, last = int(found[1]), int(found[2]) if found[2] else whole - 1
    return range(first, min(last + 1, whole)) if first <= last or not found[2] else None

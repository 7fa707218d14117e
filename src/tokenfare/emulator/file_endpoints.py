"""The file service over HTTP: upload, list, look, read, delete."""

from __future__ import annotations

from starlette.responses import Response

from ._body import uploaded, whole_number
from .delivery import first, meet
from .exchange import Exchange, json_response
from .faults import Parse
from .refusal import file_too_large


async def upload(exchange: Exchange) -> Response:
    """`POST /files`."""
    account = exchange.account
    await meet(exchange)
    sent = await uploaded(exchange.request)
    limit = account.file_limit(sent.purpose)
    if len(sent.content) > limit:
        raise file_too_large(limit)
    parse = first(exchange.faults, Parse)
    file = account.files.add(sent.name, sent.purpose, sent.content, parse)
    return json_response(file.wire())


async def page(exchange: Exchange) -> Response:
    """`GET /files`."""
    await meet(exchange)
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
    await meet(exchange)
    return json_response(exchange.account.files.look(exchange.request.path_params["id"]))


async def delete(exchange: Exchange) -> Response:
    """`DELETE /files/{id}`."""
    await meet(exchange)
    file_id = exchange.request.path_params["id"]
    exchange.account.files.delete(file_id)
    return json_response({"id": file_id, "object": "file", "deleted": True})


async def content(exchange: Exchange) -> Response:
    """`GET /files/{id}/content`."""
    await meet(exchange)
    file = exchange.account.files.get(exchange.request.path_params["id"])
    return Response(file.content, media_type="application/octet-stream")

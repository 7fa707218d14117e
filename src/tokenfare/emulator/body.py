"""Reads request bodies, up to a limit; invalid ones are refused in the provider's words."""

from __future__ import annotations

import json
from dataclasses import dataclass

from starlette.exceptions import HTTPException
from starlette.requests import Request

from .refusal import invalid, too_large

_LONGEST_NUMBER = 18


@dataclass(frozen=True, slots=True)
class Upload:
    """The fields of a multipart upload."""

    name: str
    purpose: str
    content: bytes


async def json_body(request: Request, limit: int) -> object:
    """Parse the body as JSON. A body that is too large is read to its end, and refused."""
    pieces, size = [], 0
    async for piece in request.stream():
        size += len(piece)
        if size <= limit:
            pieces.append(piece)
    if size > limit:
        raise too_large(limit)
    try:
        value: object = json.loads(b"".join(pieces))
    except (ValueError, RecursionError) as error:
        raise invalid("Required body invalid, please check the request body format.") from error
    return value


async def uploaded(request: Request) -> Upload:
    """The fields of `POST /files`."""
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise invalid("Required body invalid, please check the request body format.")
    try:
        async with request.form() as form:
            file, purpose = form.get("file"), form.get("purpose")
            if file is None or isinstance(file, str):
                raise invalid("Field required: file", param="file")
            if not isinstance(purpose, str):
                raise invalid("Field required: purpose", param="purpose")
            return Upload(file.filename or "", purpose, await file.read())
    except HTTPException as error:
        raise invalid(f"Required body invalid: {error.detail}") from error
    except ValueError as error:  # the parser's own, which older versions of starlette let through
        raise invalid(f"Required body invalid: {error}") from error


def whole_number(text: str | None, name: str = "limit") -> int | None:
    """A positive number in a query; `None` if it is missing."""
    if text is None:
        return None
    # Longer numbers are no page sizes, and Python does not convert numbers of any length.
    if len(text) > _LONGEST_NUMBER or not (text.isascii() and text.isdigit()) or int(text) == 0:
        raise invalid(f"{name} must be a whole number above zero", param=name)
    return int(text)

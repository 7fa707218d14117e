"""The result of one request: a row of the plan joined with a line of the provider."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any

from tokenfare.batch.output.table import PLACES, Row
from tokenfare.budget import billed
from tokenfare.catalog import Catalog, Price
from tokenfare.dispatch.wire import usage_of
from tokenfare.errors import UnknownModel
from tokenfare.money import Money, data_of, quotient
from tokenfare.usage import Usage

from .answers import Found

ANSWER = "answered"
FAILURE = "failed"
MISSING = "missing"
"""There is no result, and there will be none."""
PENDING = "pending"
"""There is no result yet."""


@dataclass(frozen=True, slots=True)
class Result:
    """The result of a request of the plan. `file` is the plan's file whose job answered it.

    `model` and `batch` say where the answer came from. The model differs from the planned one if a
    live request went on to another model, or if it was planned again (`retried`).
    """

    row: Row
    status: str
    response: Mapping[str, Any] | None = None
    error: object = None
    usage: Usage | None = None
    fare: Money | None = None
    model: str | None = None
    batch: bool | None = None
    file: str | None = None
    retried: bool = False

    @property
    def outside(self) -> bool:
        """Whether the bill is outside the prediction."""
        if self.usage is None or self.retried or self.model != self.row.model:
            return False
        row, usage = self.row, self.usage
        return not (
            row.input_low <= usage.input_tokens <= row.input_high
            and usage.output_tokens <= row.max_output_tokens
        )

    def as_data(self) -> dict[str, object]:
        """A line of `results.jsonl`."""
        row, usage = self.row, self.usage
        said: dict[str, object] = {
            "custom_id": row.custom_id,
            "file": row.file,
            "line": row.line,
            "status": self.status,
            "model": self.model or row.model,
            "batch": row.batch if self.batch is None else self.batch,
            "response": self.response,
            "error": self.error,
            "usage": usage
            and {"input_tokens": usage.input_tokens, "output_tokens": usage.output_tokens},
            "fare": data_of(self.fare),
            "outside_prediction": self.outside,
        }
        if row.sent_as is not None:
            said["sent_as"] = row.sent_as
        if self.retried:
            said["retried"] = True
        return said


def json_line(value: Mapping[str, object]) -> bytes:
    """A value as a line of JSONL, in UTF-8; lone surrogates are escaped."""
    try:
        text = json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        text = json.dumps(value).encode()
    return text + b"\n"


def joined(row: Row, found: Found, catalog: Catalog, *, retried: bool) -> Result:
    """The result of a request for which there is a line."""
    line = found.line
    if retried:
        return Result(
            row,
            str(line["status"]),
            line.get("response"),
            line.get("error"),
            _usage_of_line(line),
            _fare_of_line(line),
            model=line.get("model"),
            batch=line.get("batch"),
            retried=True,
        )
    response = line.get("response")
    model = str(line.get("model") or row.model)
    batch = found.source.of is not None
    row = row if batch else _at_the_ordinary_price(row, catalog)
    if not found.answered:
        error = line.get("error") or _in_body(response, "error")
        return Result(row, FAILURE, response, error, model=model, batch=batch, file=found.source.of)
    usage = _usage(response)
    # If an identical request was sent in its place, that one was billed.
    mine = usage if row.sent_as is None else None
    fare = None if mine is None else _fare(catalog, model, mine, batch=batch)
    return Result(row, ANSWER, response, None, mine, fare, model, batch, found.source.of)


def _usage_of_line(line: Mapping[str, Any]) -> Usage | None:
    """The billed usage in a line of another plan's `results.jsonl`."""
    usage = line.get("usage")
    return usage and Usage(usage["input_tokens"], usage["output_tokens"])


def _fare_of_line(line: Mapping[str, Any]) -> Money | None:
    fare = line.get("fare")
    return fare and Money(Decimal(fare["amount"]), fare["currency"])


def _at_the_ordinary_price(row: Row, catalog: Catalog) -> Row:
    """The prediction at live prices, for a request that was planned for the batch service."""
    price = _price(catalog, row.model) if row.batch else None
    if price is None or price.batch is None:
        return row
    return replace(
        row,
        fare_low=quotient(row.fare_low, price.batch, PLACES, ROUND_FLOOR),
        fare_high=quotient(row.fare_high, price.batch, PLACES, ROUND_CEILING),
    )


def _in_body(response: object, name: str) -> object:
    body = response.get("body") if isinstance(response, Mapping) else None
    return body.get(name) if isinstance(body, Mapping) else None


def _usage(response: object) -> Usage | None:
    try:
        return usage_of(_in_body(response, "usage"))
    except ValueError:
        return None


def _fare(catalog: Catalog, model: str, usage: Usage, *, batch: bool) -> Money | None:
    price = _price(catalog, model)
    return None if price is None else billed(price, usage, batch=batch and price.batch is not None)


def _price(catalog: Catalog, model: str) -> Price | None:
    try:
        return catalog.get(model).price
    except UnknownModel:
        return None

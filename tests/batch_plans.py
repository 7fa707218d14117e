"""What plans of the tests are made of, by arithmetic: sizes, prices, and a plan's table."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tokenfare import batch

DAY = date(2024, 12, 18)
ROOM = 20
TURBO = (Decimal("0.00015"), Decimal("0.0003"))  # CNY per 1,000 tokens in and out, in batches


def hello(words: int) -> str:
    return "hello" + " hello" * (words - 1)


def input_of(words: int) -> int:
    return words + 5 + 3  # each word is a token; a frame; the opening of the answer


def carry(folder: Path, custom_id: str, by: str) -> None:
    """Let a request of a plan be carried by an identical one: one row more, at the end."""
    path = folder / "requests.parquet"
    table = pq.read_table(path)
    row = next(row for row in table.to_pylist() if row["custom_id"] == by)
    row |= {"custom_id": custom_id, "line": table.num_rows + 1, "sent_as": by}
    more = pa.Table.from_pylist([row]).cast(table.schema)
    pq.write_table(pa.concat_tables([table, more]), path)


def results(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "results.jsonl").read_text().splitlines()]


def finish(folder: Path | str, given: dict[str, Any]) -> batch.Status:
    return batch.wait(folder, sleep=lambda _: None, **given)

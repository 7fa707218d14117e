"""What plans of the tests are made of, by arithmetic: sizes, prices, and a plan's table."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pyarrow as pa
import pyarrow.parquet as pq

from tokenfare import batch
from tokenfare.batch import planning
from tokenfare.batch.blockwise import BlockPlanner

DAY = date(2024, 12, 18)
LATER = date(2026, 11, 25)
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


def mixed_lines() -> list[str]:
    """Requests of every kind, and what is none, so often that each meets each in a chunk."""
    picture = {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}
    tool = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}

    def body(content: object, **more: object) -> dict[str, object]:
        return {"messages": [{"role": "user", "content": content}], **more}

    lines = []
    for i in range(6):
        records: list[dict[str, object]] = [
            {"custom_id": f"picture-{i}", "body": body([picture, {"type": "text", "text": "?"}])},
            {"custom_id": f"words-{i}", "body": body(hello(i + 1), model="gpt-4")},
            {"custom_id": f"same-{i}", "body": body("the same", max_tokens=50)},
            {"custom_id": f"roomy-{i}", "body": body("你好" * 40, max_tokens=100 + i)},
            {"custom_id": f"tool-{i}", "body": body("call it", tools=[tool])},
            {"custom_id": "taken", "body": body(f"number {i}")},
            {"custom_id": f"two-{i}", "body": body("twice", n=2)},
            {"custom_id": f"long-{i}", "body": body("word " * 1_200_000)},
            {"prompt": f"a prompt without an id, {i}"},
            {"custom_id": i, "messages": [{"role": "user", "content": "a number for an id"}]},
        ]
        lines += [json.dumps(record, ensure_ascii=i % 2 == 0) for record in records]
        lines += ['{"custom_id": ' + str(i), "", "[]"]
    return lines


def files_of(folder: Path) -> dict[str, bytes]:
    """What a folder holds, to the byte."""
    paths = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def without_texts_taken(content: bytes) -> bytes:
    """What was set aside, but for how a line was written whose id was taken."""
    said = [json.loads(line) for line in content.splitlines()]
    rest = [each | {"text": "is taken" not in each["problem"] and each["text"]} for each in said]
    return json.dumps(rest).encode()


@contextmanager
def one_by_one() -> Iterator[None]:
    with patch.object(BlockPlanner, "takes_blocks", False):
        yield


def both_ways(
    job: Path,
    size: int,
    *,
    before: Callable[[], object] = lambda: None,
    **options: Any,
) -> tuple[dict[str, bytes], dict[str, bytes]]:
    """The folders of a plan in blocks of about so many bytes, and one by one."""
    with patch.object(planning, "_CHUNK_BYTES", size):
        before()
        batch.plan(job, job.parent / "a", as_of=LATER, **options)
    with one_by_one():
        before()
        batch.plan(job, job.parent / "b", as_of=LATER, **options)
    return files_of(job.parent / "a"), files_of(job.parent / "b")

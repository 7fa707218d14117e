"""An example that plans on an engine, run so that it says in how many parts the rows came back.

`engine_parts.py EXAMPLE IN OUT`, in the environment of the engines. Run by `test_engines`.
"""

import importlib
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

import tokenfare as tf

assemble = tf.batch.assemble


def said(parts: int) -> None:
    sys.stdout.write(f"parts: {parts}\n")


def counting(batches: Iterable[Any]) -> Iterator[Any]:
    parts = 0
    for batch in batches:
        parts += batch.num_rows > 0
        yield batch
    said(parts)


def assemble_and_say(planned: Any, *given: Any, **more: Any) -> Any:
    if isinstance(planned, str | Path):
        files = Path(planned).rglob("*.parquet")
        said(sum(pq.read_metadata(file).num_rows > 0 for file in files))
    else:
        planned = counting(planned)
    return assemble(planned, *given, **more)


if __name__ == "__main__":
    tf.batch.assemble = assemble_and_say
    importlib.import_module(sys.argv[1]).main(*sys.argv[2:])

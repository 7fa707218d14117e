"""What a plan says of how far it is."""

import gzip
import json
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import tokenfare as tf

DAY = date(2024, 12, 18)


@pytest.mark.parametrize("form", ["jsonl", "gzip", "csv", "parquet"])
def test_progress_goes_from_nothing_to_all_and_never_back(tmp_path: Path, form: str) -> None:
    """Two files of several chunks each; what is read ahead is read by then."""
    inputs = []
    for number in range(2):
        prompts = [f"{number} {i} " + "word " * 400 for i in range(6_000)]
        lines = [json.dumps({"prompt": prompt}) for prompt in prompts]
        if form == "csv":
            lines = ["prompt", *prompts]
        text = ("\n".join(lines) + "\n").encode()
        path = tmp_path / f"{number}.{form.replace('gzip', 'jsonl')}"
        if form == "parquet":
            pq.write_table(pa.table({"prompt": prompts}), path)
        else:
            path.write_bytes(gzip.compress(text, 1) if form == "gzip" else text)
        inputs.append(path)
    seen: list[tf.batch.Progress] = []
    tf.batch.plan(inputs, tmp_path / "plan", as_of=DAY, progress=seen.append)
    for of in ("bytes_read", "requests"):
        values = [getattr(each, of) for each in seen]
        assert values == sorted(values)
        assert len(set(values)) >= 2
    assert seen[-1] == tf.batch.Progress(sum(path.stat().st_size for path in inputs), 12_000)

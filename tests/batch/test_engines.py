"""docs/engines.md, run in an environment of its own: `make test-engines` makes it."""

import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.parquet as pq
import pytest

import tokenfare as tf
from tokenfare.batch.table import rows_of

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "engines.md").read_text(encoding="utf-8")
EXAMPLES = ROOT / "examples"
SAME = ("model", "batch", "input_low", "input_high", "max_output_tokens", "fare_low", "fare_high")


@pytest.fixture(scope="module")
def python() -> str:
    found = ROOT / ".venv-engines" / "bin" / "python"
    if not found.exists():
        pytest.skip("no engines here; `make .venv-engines` installs them")
    return str(found)


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("job") / "requests.jsonl"
    subprocess.run([sys.executable, EXAMPLES / "make_requests.py", path], check=True)
    return path


def run(*command: str | Path) -> str:
    environment = os.environ | {
        "RAY_USAGE_STATS_ENABLED": "0",
        "PYTHONPATH": str(EXAMPLES),
    }
    ran = subprocess.run(
        command, check=False, capture_output=True, text=True, env=environment, timeout=300
    )
    assert ran.returncode == 0, ran.stderr[-2000:]
    return ran.stdout


@pytest.mark.parametrize("title", ["Polars", "DuckDB"])
def test_a_recipe_does_what_it_says(python: str, title: str) -> None:
    (recipe,) = re.findall(rf"^## {title}\n.*?```python\n(.*?)```", PAGE, re.DOTALL | re.MULTILINE)
    assert "assert" in recipe
    run(python, "-c", recipe)


@pytest.mark.parametrize("killed", [False, True])
def test_ray_plans_what_one_machine_plans(
    python: str, job: Path, tmp_path: Path, *, killed: bool
) -> None:
    """Row by row, also when a worker is killed in the middle."""
    plan = tf.batch.plan(job, tmp_path / "plan", as_of=datetime.now(UTC).date())
    mark = tmp_path / "mark"
    script = Path(__file__).with_name("killed_ray.py") if killed else EXAMPLES / "ray_plan.py"
    said = run(python, script, job, tmp_path / "planned", *([mark] if killed else []))
    assert mark.exists() == killed
    assert f"{plan.requests} requests, up to {plan.fare.high.amount}" in said
    rows = {row["custom_id"]: row for row in pq.read_table(tmp_path / "planned").to_pylist()}
    expected = list(rows_of(plan.folder / "requests.parquet"))
    assert len(rows) == len(expected)
    for row in expected:
        assert rows[row.custom_id]["problem"] is None
        assert {name: rows[row.custom_id][name] for name in SAME} == {
            name: getattr(row, name) for name in SAME
        }

"""docs/engines.md, run in an environment of its own: `make test-engines` makes it."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from batch_plans import files_of, mixed_lines, without_texts_taken

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "engines.md").read_text(encoding="utf-8")
EXAMPLES = ROOT / "examples"
HERE = Path(__file__).parent
# Parts of a file far smaller than Spark makes by itself, so that there are several.
SPARK = (
    "--conf spark.sql.files.maxPartitionBytes=300000 --conf spark.ui.enabled=false pyspark-shell"
)
# Two executors with a core each, as processes of their own, and blocks of few rows.
CLUSTER = (
    "--master local-cluster[2,1,1024] --conf spark.sql.execution.arrow.maxRecordsPerBatch=100 "
    "--conf spark.sql.files.maxPartitionBytes=150000 --conf spark.ui.enabled=false pyspark-shell"
)
RECIPES = ("Spark", "Ray", "Dask", "Daft", "Polars", "pandas", "DuckDB", "Results beside your rows")


@pytest.fixture(scope="module")
def python() -> str:
    found = ROOT / ".venv-engines" / "bin" / "python"
    if not found.exists():
        pytest.skip("no engines here; `make .venv-engines` installs them")
    return str(found)


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Real requests, again and again, between others that have everything a plan can meet."""
    path = tmp_path_factory.mktemp("job") / "requests.jsonl"
    run(sys.executable, EXAMPLES / "make_requests.py", path)
    real = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    mixed = [line for line in mixed_lines() if len(line) < 10_000]
    lines = list(mixed)
    for i in range(20):
        lines += [json.dumps(each | {"custom_id": f"{each['custom_id']}-{i}"}) for each in real]
        lines += mixed[i : i + 3]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def table(job: Path) -> Path:
    """As Parquet: numbers as ids or none, some used twice, and prompts that are none."""
    records = [json.loads(line) for line in job.read_text("utf-8").splitlines() if '"body"' in line]
    prompts = [each["body"]["messages"][-1]["content"] for each in records]
    rows = {
        "custom_id": [i % 4_000 if i % 5 else None for i in range(len(records))],
        "prompt": [prompt if isinstance(prompt, str) else None for prompt in prompts],
    }
    path = job.with_name("requests.parquet")
    pq.write_table(pa.table(rows), path, row_group_size=1_000)
    return path


def run(*command: str | Path, codes: tuple[int, ...] = (0,), **more: str) -> str:
    """`more` is for the environment, which engines hand on to their workers."""
    environment = os.environ | {
        "DO_NOT_TRACK": "true",
        "PYSPARK_PYTHON": str(command[0]),
        "PYSPARK_SUBMIT_ARGS": SPARK,
        "PYTHONPATH": os.pathsep.join(map(str, (EXAMPLES, HERE))),
        "RAY_USAGE_STATS_ENABLED": "0",
        "SPARK_LOCAL_IP": "127.0.0.1",
    }
    ran = subprocess.run(
        command, check=False, capture_output=True, text=True, env=environment | more, timeout=300
    )
    assert ran.returncode in codes, ran.stderr[-2000:]
    return ran.stdout


def skip_without_java(engine: str) -> None:
    if engine.lower().startswith("spark") and shutil.which("java") is None:
        pytest.skip("no Java here, which Spark runs on")


@pytest.mark.parametrize("title", RECIPES)
def test_a_recipe_does_what_it_says(
    python: str, title: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (recipe,) = re.findall(rf"^## {title}\n.*?```python\n(.*?)```", PAGE, re.DOTALL | re.MULTILINE)
    assert "assert" in recipe
    skip_without_java(title)
    run(python, "-c", recipe)


def same_plan(python: str, job: Path, folder: Path) -> None:
    """Whether a folder is, to the byte, what one machine writes with the same libraries."""
    alone = folder.with_name("alone")
    arguments = ("--max-output", "500", "--no-report")
    run(python, "-m", "tokenfare", "batch", "plan", job, "--out", alone, *arguments, codes=(0, 1))
    found, expected = files_of(folder), files_of(alone)
    assert json.loads(found["plan.json"])["requests"] > 1_000
    for each in (found, expected):
        each["set-aside.jsonl"] = without_texts_taken(each.get("set-aside.jsonl", b""))
    assert found == expected


@pytest.mark.parametrize("engine", ["ray", "dask", "spark"])
def test_a_plan_is_that_of_one_machine_though_a_worker_is_killed(
    python: str, job: Path, tmp_path: Path, engine: str
) -> None:
    """In the middle: blocks are done, half of one is planned, and the worker is gone."""
    skip_without_java(engine)
    marks = tmp_path / "marks"
    marks.mkdir()
    script = HERE / f"killed_{engine}.py"
    run(python, script, job, tmp_path / "plan", MARKS=str(marks), PYSPARK_SUBMIT_ARGS=CLUSTER)
    (marks / "killed").unlink()
    blocks = sorted(marks.iterdir())
    states = [block.read_text() for block in blocks]
    assert states.count("killed") == 1
    at = states.index("killed")
    assert states[:at].count("done") >= 3
    assert "done" in states[at:]
    dead, others = blocks[at].name.split("-")[1], blocks[at + 1 :]
    assert any(block.name.split("-")[1] != dead for block in others)
    same_plan(python, job, tmp_path / "plan")


@pytest.mark.parametrize("kind", ["job", "table"])
@pytest.mark.parametrize("example", ["spark_plan", "ray_plan", "dask_plan", "daft_plan"])
def test_an_example_makes_the_plan_of_one_machine_out_of_its_workers_rows(
    python: str, tmp_path: Path, request: pytest.FixtureRequest, example: str, kind: str
) -> None:
    path = request.getfixturevalue(kind)
    skip_without_java(example)
    plan = tmp_path / "plan"
    said = run(python, HERE / "engine_parts.py", example, path, plan)
    (parts,) = re.findall(r"^parts: (\d+)$", said, re.MULTILINE)
    assert int(parts) >= {"job": 3, "table": 1}[kind]
    same_plan(python, path, plan)


def test_this_page_runs_all_that_it_shows() -> None:
    assert PAGE.count("```python") == len(RECIPES)
    assert set(re.findall(r"examples/(\w+)\.py\)", PAGE)) == {
        path.stem for path in EXAMPLES.glob("*_plan.py")
    }

"""The examples do what they say, each in a process of its own, without a network."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[1] / "examples"
# Those for engines need environments of their own: tests/batch/test_engines.py.
OF_ENGINES = {"spark_plan", "ray_plan", "dask_plan", "daft_plan"}


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def ran(name: str, *arguments: str, code: int = 0) -> tuple[str, str]:
    """What an example writes; nothing in its environment names a key or an endpoint."""
    ours = {"DASHSCOPE_API_KEY", "TOKENFARE_BASE_URL", "TOKENFARE_CEILINGS", "TOKENFARE_CATALOG"}
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / f"{name}.py"), *arguments],
        env={name: value for name, value in os.environ.items() if name not in ours},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == code, done.stderr
    return done.stdout, done.stderr


def test_each_is_run_by_a_test_and_stands_in_the_list() -> None:
    here = Path(__file__).read_text("utf-8")
    names = {path.stem for path in EXAMPLES.glob("*.py")}
    assert names > OF_ENGINES
    assert {name for name in names - OF_ENGINES if f'ran("{name}"' not in here} == set()
    listed = re.findall(r"`(\w+)\.py`", (EXAMPLES / "README.md").read_text("utf-8"))
    assert set(listed) == names


@pytest.mark.parametrize("name", ["ask", "agent", "batch_job", "chunks", "make_requests"])
def test_without_arguments_it_says_how_it_is_called(name: str) -> None:
    out, err = ran(name, code=1)
    assert out == ""
    assert f"python examples/{name}.py " in err
    assert "Traceback" not in err


def test_a_question_is_answered_and_billed_as_predicted() -> None:
    out, _ = ran("ask", "Is it raining in Hangzhou?")
    assert "You said: Is it raining in Hangzhou?" in out
    (read, predicted) = re.findall(r"(\d+) tokens read, (\d+) predicted", out)[0]
    assert read == predicted
    (paid, most) = re.findall(r": (\S+) CNY; up to (\S+) CNY was predicted", out)[0]
    assert 0 < float(paid) < float(most) < 0.05


def test_prompts_that_do_not_fit_or_cost_too_much_are_found() -> None:
    prompts = Path("prompts")
    prompts.mkdir()
    (prompts / "short.txt").write_text("Say hello.", "utf-8")
    (prompts / "chat.json").write_text(json.dumps([{"role": "user", "content": "Hi"}]), "utf-8")
    out, _ = ran("check_prompts", "prompts", "--model", "qwen-max")
    assert out.endswith("2 prompts, 0 with a problem\n")
    # A word and a blank are a token each time: 20,000 are dear, 40,000 are too many for 30,720.
    (prompts / "dear.txt").write_text("word " * 20_000, "utf-8")
    (prompts / "long.txt").write_text("word " * 40_000, "utf-8")
    command = ("check_prompts", "prompts", "--model", "qwen-max", "--most", "0.05 CNY")
    out, err = ran(*command, code=1)
    assert out.endswith("4 prompts, 2 with a problem\n")
    assert re.search(r"dear\.txt: may cost 0\.\d+ CNY, more than 0\.05 CNY", err)
    assert re.search(r"long\.txt: qwen-max: .* 30,720 accepted \(.* too many\)", err)


def test_the_nearest_chunks_fill_a_prompt_and_no_more() -> None:
    treaties = (f"Treaty {year} was signed in the year {year}. " * 8 for year in range(1800, 1830))
    Path("treaties.txt").write_text("\n\n".join(treaties), "utf-8")
    out, _ = ran("chunks", "When was treaty 1807 signed?", "treaties.txt")
    assert "Treaty 1807 was signed" in out
    (chunks, tokens) = re.findall(r"(\d+) chunks, ([\d,]+) tokens", out)[0]
    assert 3 < int(chunks) < 10
    assert 750 < int(tokens.replace(",", "")) <= 1_000


def test_an_agent_stops_before_it_spends_more_than_it_was_given() -> None:
    out, _ = ran("agent", "0.01 CNY")
    turns = re.findall(r"^turn \d+: (\d+) tokens read, (\S+) CNY$", out, re.MULTILINE)
    assert len(turns) > 5
    assert sum(float(paid) for _, paid in turns) <= 0.01
    assert max(int(read) for read, _ in turns) <= 1_500
    assert re.search(
        rf"^stopped before turn {len(turns) + 1}: .* of 0\.01 CNY a day", out, re.MULTILINE
    )


def test_openais_package_is_served_by_the_gateway() -> None:
    out, _ = ran("behind_gateway")
    assert "You said: Is it raining in Hangzhou?" in out
    assert re.search(r"^billed 0\.\d+ CNY$", out, re.MULTILINE)
    assert re.search(r"^refused: no model takes this", out, re.MULTILINE)


def test_a_job_is_planned_sent_and_billed_within_the_plan() -> None:
    out, _ = ran("make_requests", "requests.jsonl")
    assert re.fullmatch(r"\d+ requests in requests\.jsonl\n", out)
    lines = Path("requests.jsonl").read_text("utf-8").splitlines(keepends=True)
    Path("requests.jsonl").write_text("".join(lines[:40]), "utf-8")
    out, _ = ran("batch_job", "requests.jsonl")
    assert out.startswith("40 requests on ")
    pattern = r"([\d,]+) input tokens billed, ([\d,]+) to ([\d,]+) predicted"
    (billed, low, high) = re.findall(pattern, out)[0]
    assert low == billed == high

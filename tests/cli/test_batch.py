"""`tokenfare batch plan` as a user runs it."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tokenfare.cli.inputs import Duration

Run = Callable[..., Any]

LINE = b'{"prompt": "Hello, world"}\n'


def plan(run: Run, out: Path, *more: str, stdin: bytes = LINE) -> Any:
    options = ("--out", str(out), "--as-of", "2024-12-18", *more)
    return run("batch", "plan", "-", *options, stdin=stdin)


def test_a_job_from_standard_input_is_planned(run: Run, tmp_path: Path) -> None:
    ended = plan(run, tmp_path / "plan", "--max-output", "100", "--json")
    assert (ended.code, ended.err) == (0, "")
    said = json.loads(ended.out)
    assert said["models"][0]["model"] == "qwen-turbo"
    # 11 tokens in and 100 out at half of 0.0003 and 0.0006 per 1,000
    assert said["fare"]["high"] == "0.00003165"
    assert {"form": "tokenfare batch plan, form 1", **said} == json.loads(
        (tmp_path / "plan" / "plan.json").read_bytes()
    )


def test_the_sentences_name_models_and_money(run: Run, tmp_path: Path) -> None:
    out = plan(run, tmp_path / "plan", stdin=LINE * 2).out
    assert "2 requests on 2024-12-18" in out
    assert "qwen-turbo (batch): 2 requests" in out
    assert "without batch price" in out
    assert "1 request said before" in out


@pytest.mark.parametrize(
    ("stdin", "code"), [(LINE * 40, 0), (LINE * 40 + b"?\n", 1), (b"?\x1b[1m\n" * 40, 3)]
)
def test_a_sample_says_what_is_no_request_and_ends_as_the_plan_would(
    run: Run, stdin: bytes, code: int
) -> None:
    given = ("batch", "plan", "-", "--sample", "50", "--as-of", "2024-12-18")
    ended = run(*given, stdin=stdin)
    assert ended.code == code
    assert ("would be set aside; the first: -:" in ended.err) == (code != 0)
    assert ("not JSON" in ended.err) == (code != 0)
    assert "\x1b" not in ended.err
    problem = json.loads(run(*given, "--json", stdin=stdin).out)["problem"]
    assert (problem is None) == (code == 0)


@pytest.mark.parametrize(("stdin", "code"), [(LINE + b"?\n", 1), (b"?\n", 3), (LINE, 0)])
def test_the_exit_code_says_that_something_was_set_aside(
    run: Run, tmp_path: Path, stdin: bytes, code: int
) -> None:
    ended = plan(run, tmp_path / "plan", stdin=stdin)
    assert ended.code == code
    assert ("set aside" in ended.err) == (code != 0)


def test_of_what_was_set_aside_the_first_is_shown_with_the_way_out(
    run: Run, tmp_path: Path
) -> None:
    table = tmp_path / "table.csv"
    table.write_text("question,n\nHello,1\nWhy?,2\n", encoding="utf-8")
    out = tmp_path / "plan"
    ended = run("batch", "plan", str(table), "--out", str(out), "--as-of", "2024-12-18")
    assert ended.code == 3
    assert ended.err == (
        f"tokenfare: 2 lines set aside, see {out / 'set-aside.jsonl'}; the first: {table}:2: "
        "no body, 'messages' or 'prompt' (null or missing); there is question, n; "
        "--column prompt=NAME names yours\n"
    )


def test_strict_stops_at_the_line(run: Run, tmp_path: Path) -> None:
    ended = plan(run, tmp_path / "plan", "--strict", stdin=LINE + b"?\n")
    assert ended.code == 2
    assert ended.err.startswith("tokenfare: -:2: not JSON")
    assert not (tmp_path / "plan").exists()


def test_columns_have_names_of_yours(run: Run, tmp_path: Path) -> None:
    table = b"q\nHello\n"
    good = plan(run, tmp_path / "a", "--form", "csv", "--column", "prompt=q", stdin=table)
    assert good.code == 0
    bad = plan(run, tmp_path / "b", "--column", "q")
    assert bad.code == 2
    assert "prompt=NAME" in bad.err


def test_a_ceiling_ends_with_5(run: Run, tmp_path: Path) -> None:
    ended = plan(run, tmp_path / "plan", "--ceiling", "0.00001")
    assert ended.code == 5
    assert "the ceiling is 0.00001 CNY" in ended.err
    assert not (tmp_path / "plan").exists()


def test_a_sample_is_told_and_nothing_written(run: Run, tmp_path: Path) -> None:
    given = ("batch", "plan", "-", "--sample", "30", "--as-of", "2024-12-18")
    ended = run(*given, stdin=LINE * 40)
    assert ended.code == 0
    assert "40 lines, 30 of them counted" in ended.out
    said = json.loads(run(*given, "--json", stdin=LINE * 40).out)
    assert (said["lines"], said["sampled"]) == (40, 30)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--sample", "30", "--out", "x"), "--out is for a plan"),
        (("--sample", "30", "--once"), "--once is for a plan"),
        (("--seed", "1", "--out", "x"), "--sample"),
        ((), "--out"),
    ],
)
def test_options_that_contradict_each_other_are_named(
    run: Run, options: tuple[str, ...], says: str
) -> None:
    ended = run("batch", "plan", "-", *options, stdin=LINE)
    assert ended.code == 2
    assert says in ended.err


def test_a_report_is_written_unless_it_is_not_wanted(run: Run, tmp_path: Path) -> None:
    assert plan(run, tmp_path / "with").code == 0
    assert plan(run, tmp_path / "without", "--no-report").code == 0
    assert (tmp_path / "with" / "report.html").is_file()
    assert not (tmp_path / "without" / "report.html").exists()
    assert run("batch", "report", str(tmp_path / "without")).code == 0
    assert (tmp_path / "without" / "report.html").is_file()


@pytest.fixture
def haste(tmp_path: Path) -> tuple[str, ...]:
    """2,000 requests, for two models of which the cheaper one takes 1,200 a minute."""
    job = tmp_path / "job.jsonl"
    job.write_bytes(LINE * 2_000)
    arguments = ("--as-of", "2025-06-01", "--allow", "qwen-turbo", "--allow", "qwen-plus")
    return (
        "batch",
        "plan",
        str(job),
        "--out",
        str(tmp_path / "plan"),
        *arguments,
        "--max-output",
        "9",
    )


def test_a_deadline_is_kept_by_a_mix(run: Run, tmp_path: Path, haste: tuple[str, ...]) -> None:
    ended = run(*haste, "--deadline", "3m", "--json")
    assert (ended.code, ended.err) == (0, "")
    said = json.loads(ended.out)["deadline"]
    assert (said["seconds"], said["answer_seconds"]) == (180, 30)
    assert said["within_seconds"] <= 180
    assert sum(each["requests"] for each in said["models"]) == 2_000
    less = json.loads(run(*haste, "--deadline", "1h", "--answer-seconds", "2", "--json").out)
    assert [each["model"] for each in less["deadline"]["models"]] == ["qwen-turbo"]
    told = run(*haste, "--deadline", "90s", "--answer-seconds", "2").out
    assert "deadline 0:01:30: answered within 0:01:" in told
    assert "if no answer takes longer than 2 s" in told
    assert "qwen-plus: " in told


def test_a_deadline_that_is_too_short_ends_with_6(
    run: Run, tmp_path: Path, haste: tuple[str, ...]
) -> None:
    """2,000 requests are 20 s of this process alone, and then 30 for the last answer."""
    ended = run(*haste, "--deadline", "50s")
    assert (ended.code, ended.out) == (6, "")
    assert "deadline: 0:00:50; the job can be promised within 0:0" in ended.err
    assert "all of the " in ended.err
    assert not (tmp_path / "plan").exists()


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--deadline", "soon"), "'soon' is not a time; write it as 30s, 90m, 2h or 1d12h"),
        (("--deadline", ""), "'' is not a time"),
        (("--deadline", "90"), "'90' has no unit; write it as 30s, 90m, 2h or 1d12h"),
        (("--deadline", "-2h"), "'-2h' is over before it begins"),
        (("--deadline", "2024-12-17"), "is a moment, and not how long something may take"),
        (("--deadline", "18:30"), "is a moment, and not how long something may take"),
        (("--deadline", "999999999d24h"), "is longer than can be said"),
        (("--answer-seconds", "3"), "--answer-seconds is for --deadline"),
        (("--answer-seconds", "3", "--sample", "50"), "--answer-seconds is for --deadline"),
        (
            ("--deadline", "2h", "--answer-seconds", "nan"),
            "--answer-seconds: nan; it must be above zero",
        ),
        (("--deadline", "0s"), "deadline: 0:00:00; it must be above zero"),
    ],
)
def test_a_deadline_that_means_nothing_is_wrong_use(
    run: Run, haste: tuple[str, ...], more: tuple[str, ...], said: str
) -> None:
    ended = run(*haste, *more)
    assert ended.code == 2
    assert said in ended.err


def test_a_deadline_is_no_part_of_a_sample(run: Run, haste: tuple[str, ...]) -> None:
    sampled = run("batch", "plan", haste[2], "--sample", "50", "--deadline", "2h")
    assert sampled.code == 2
    assert "--deadline is for a plan" in sampled.err


@pytest.mark.parametrize(
    ("text", "seconds"), [("30s", 30), ("90m", 5_400), ("2h", 7_200), ("1d12h5m1s", 129_901)]
)
def test_a_time_is_written_with_its_units(text: str, seconds: int) -> None:
    assert Duration().convert(text, None, None) == timedelta(seconds=seconds)

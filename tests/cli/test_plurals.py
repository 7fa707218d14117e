"""One of a thing is told in the singular, in every command."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tokenfare.plurals import does, number_of

Run = Callable[..., Any]

TOGETHER = ("route", "--as-of", "2024-12-18", "--tokens")
THREE = ("--allow", "qwen-max", "--allow", "qwen-plus", "--allow", "qwen-turbo")
THINGS = "token|request|line|model|call|message|file|time|problem|reason|provider|character"


@pytest.mark.parametrize(
    ("number", "said", "verb"),
    [
        (0, "0 tokens", "0 are"),
        (1, "1 token", "1 is"),
        (2, "2 tokens", "2 are"),
        (1_001, "1,001 tokens", "1,001 are"),
    ],
)
def test_a_number_has_its_noun_and_its_verb(number: int, said: str, verb: str) -> None:
    assert number_of(number, "token") == said
    assert does(number, "is", "are") == verb


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("fit", "--limit", "2"), "-: fits, 1 token to spare"),
        (("fit", "--limit", "1"), "-: fits, 0 tokens to spare"),
        ((*TOGETHER, "1"), "1 token in, up to 1,000 out"),
        ((*TOGETHER, "20", "--cut", "1"), "1 token less saves "),
        ((*TOGETHER, "20", *THREE[:4]), "0 more take it, "),
        ((*TOGETHER, "20", *THREE), "1 more takes it, "),
        ((*TOGETHER, "20", "--max-output", "1", "--chart"), "1 token of answer"),
    ],
)
def test_one_is_told_in_the_singular(run: Run, arguments: tuple[str, ...], says: str) -> None:
    out = run(*arguments, stdin=b"a").out
    assert says in out
    assert not re.search(rf"(?<![\d,.])1 ({THINGS})s\b", out)


def test_a_job_of_one_request_is_told_in_the_singular(run: Run, tmp_path: Path) -> None:
    job, out = tmp_path / "job.jsonl", tmp_path / "plan"
    job.write_text('{"prompt": "a"}\nnothing\n', encoding="utf-8")
    planned = run("batch", "plan", str(job), "--out", str(out), "--max-output", "1", "--no-report")
    assert "1 line set aside" in planned.err
    sampled = run("batch", "plan", str(job), "--sample", "30")
    page = run("batch", "report", str(out))
    assert page.code == 0
    report = (out / "report.html").read_text(encoding="utf-8")
    for text in (planned.out, planned.err, sampled.out, re.sub("<[^>]*>", " ", report)):
        assert not re.search(rf"(?<![\d,.])1 ({THINGS})s\b", text)
    assert "1 token where none is named" in report

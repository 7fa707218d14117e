"""Where a person goes astray on the command line, or in a page's example, and is led on."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

import tokenfare as tf
from tokenfare.dispatch import Call, Secret
from tokenfare.testing import emulated

PAGE = (Path(__file__).parents[2] / "docs" / "dispatch.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(("typed", "meant"), [("cout", "count"), ("rout", "route")])
def test_a_mistyped_command_is_recognised(run: Callable[..., Any], typed: str, meant: str) -> None:
    ended = run(typed)
    assert (ended.code, ended.out) == (2, "")
    assert f"No such command '{typed}'. Did you mean '{meant}'?" in ended.err


def test_a_word_like_no_command_is_not_guessed(run: Callable[..., Any]) -> None:
    assert "Did you mean" not in run("xyzzy").err


def test_the_help_names_every_exit_code(run: Callable[..., Any]) -> None:
    told = run("--help").out
    assert "5 a ceiling was reached, 6 a deadline is too short,\n  130 interrupted" in told


def test_fitting_a_model_that_is_gone_is_said(run: Callable[..., Any], tmp_path: Path) -> None:
    file = tmp_path / "question.txt"
    file.write_text("Hello", encoding="utf-8")
    ended = run("fit", str(file), "--model", "qwen-turbo", "--as-of", "2026-11-25")
    assert ended.code == 0  # by its limits it fits
    assert ended.err == "qwen-turbo was retired on 2026-10-10: it takes no calls\n"
    early = run("fit", str(file), "--model", "qwen3-max", "--as-of", "2024-12-18")
    assert early.err == "qwen3-max is not released yet: it takes no calls\n"
    assert run("fit", str(file), "--model", "qwen-turbo", "--as-of", "2024-12-18").err == ""


NEWEST = date(2026, 8, 21)  # the day that the newest list of prices speaks of


@pytest.mark.parametrize(
    ("today", "day", "warned"),
    [
        (date(2026, 11, 29), NEWEST, False),
        (date(2026, 11, 29), date(2026, 11, 29), False),
        (date(2026, 11, 29), NEWEST + timedelta(days=180), False),
        (date(2026, 11, 29), NEWEST + timedelta(days=181), True),
        (date(2031, 1, 1), date(2031, 1, 1), False),
        (date(2031, 1, 1), date(2031, 1, 2), True),
    ],
)
@pytest.mark.parametrize("command", [("route", "--tokens", "5"), ("models",), ("replay", "-")])
def test_a_day_to_come_whose_prices_nobody_knows_is_told_so(
    run: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
    command: tuple[str, ...],
    today: date,
    day: date,
    warned: bool,
) -> None:
    monkeypatch.setattr("tokenfare.cli.inputs.today", lambda: today)
    record = run("route", "--tokens", "5", "--as-of", "2024-12-18", "--json").out
    ended = run(*command, "--as-of", day.isoformat(), stdin=record.encode())
    assert ended.code in {0, 1}
    assert ended.err == (
        f"tokenfare: warning: {day} is still to come; the newest price known is of {NEWEST}\n"
        if warned
        else ""
    )


def test_the_example_of_a_single_call_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    (example,) = re.findall(r"```python\n(import os\n.*?)```", PAGE, re.DOTALL)
    monkeypatch.setenv("DASHSCOPE_API_KEY", "any")
    with emulated() as emulator:
        names: dict[str, Any] = {}
        there = example.replace("key_from(os.environ, provider))", "key, base_url=url)")
        assert there != example
        names |= {"url": emulator.base_url, "key": Secret("any")}
        exec(there, names)  # noqa: S102 - the text is this repository's own
        assert "Why is the sky blue?" in names["answer"].text
        assert repr(emulator.calls) == "<CallLog of 1 calls>"


def test_a_call_wants_messages_that_were_parsed() -> None:
    model = tf.Catalog.load().get("qwen-plus")
    with pytest.raises(tf.TokenfareError, match=r"messages\[0\] is a .*which `parse` makes"):
        Call(model, ({"role": "user", "content": "Hello"},))  # type: ignore[arg-type]  # the mistake

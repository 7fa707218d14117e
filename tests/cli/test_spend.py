"""`tokenfare spend`, on a ledger whose sums a reader can check."""

from __future__ import annotations

import csv
import io
import json
import os
import sqlite3
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from ledger.conftest import NOON, answered, intent
from tokenfare.cli import chart
from tokenfare.ledger import Ending, Ledger

Run = Callable[..., Any]


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two days: 0.5 and 0.25 CNY on one, 2 CNY and a failure on the next."""
    now = NOON
    file = tmp_path / "ledger"
    with Ledger(file, clock=lambda: now) as ledger:
        ledger.settle(ledger.reserve(intent(project="a")), answered(100, 5, "0.5"))
        ledger.settle(ledger.reserve(intent(project="b")), answered(100, 5, "0.25"))
        now = NOON + 86_400
        ledger.settle(ledger.reserve(intent(model="qwen-max")), answered(110, 5, "2"))
        ledger.settle(ledger.reserve(intent()), Ending("ProviderFaultError", broken=1))
    monkeypatch.setenv("TOKENFARE_LEDGER", str(file))
    return file


def rows(run: Run, *options: str) -> list[dict[str, Any]]:
    found = json.loads(run("spend", "--json", *options).out)["rows"]
    assert isinstance(found, list)
    return found


def test_the_table_has_a_row_for_each_day_and_model_and_their_sum(run: Run, path: Path) -> None:
    done = run("spend")
    assert done.code == 0
    headings = "day model calls failed predicted billed off output cached fare"
    assert [" ".join(line.split()) for line in done.out.splitlines()] == [
        headings,
        "2025-11-25 qwen-plus 2 0 200 200 +0.0% 10 0 0.75 CNY",
        "2025-11-26 qwen-max 1 0 100 110 +10.0% 5 0 2 CNY",
        "2025-11-26 qwen-plus 1 1 0 0 - 0 0 0 CNY",
        "all 4 1 300 310 +3.3% 15 0 2.75 CNY",
    ]


def test_what_the_sums_do_not_say_is_said_beside_them(run: Run, path: Path) -> None:
    said = run("spend").err
    assert "sendings without an answer: 1 (the provider may have billed them" in said
    assert "drift: qwen-max: 1 of 1 calls since 2025-11-26T12:00+00:00" in said
    assert "110 input tokens, 100 predicted, +10 (+10.0%)" in said


def test_sums_by_any_key_in_any_order(run: Run, path: Path) -> None:
    by_project = rows(run, "--by", "project")
    assert [(r["project"], r["fare"]) for r in by_project] == [
        ("", "2"),
        ("a", "0.5"),
        ("b", "0.25"),
    ]
    assert [list(r.values())[:2] for r in rows(run, "--by", "model", "--by", "day")] == [
        ["qwen-max", "2025-11-26"],
        ["qwen-plus", "2025-11-25"],
        ["qwen-plus", "2025-11-26"],
    ]


def test_a_span_and_a_project_and_a_zone(run: Run, path: Path) -> None:
    assert [r["calls"] for r in rows(run, "--by", "day", "--until", "2025-11-25")] == [2]
    assert [r["calls"] for r in rows(run, "--by", "day", "--since", "2025-11-26")] == [2]
    assert [r["fare"] for r in rows(run, "--project", "b")] == ["0.25"]
    days = rows(run, "--by", "day", "--zone", "Pacific/Auckland")  # 13 hours ahead: after midnight
    assert [r["day"] for r in days] == ["2025-11-26", "2025-11-27"]


def test_calls_of_several_endpoints_are_pointed_out(run: Run, path: Path) -> None:
    assert "endpoints" not in run("spend").err
    with Ledger(path, clock=lambda: NOON) as ledger:
        emulator = intent(endpoint="http://127.0.0.1:1/v1")
        ledger.settle(ledger.reserve(emulator), answered(fare="9"))
    assert "calls of 2 endpoints: --by endpoint tells them apart" in run("spend").err
    found = rows(run, "--by", "endpoint")
    assert [(r["endpoint"], r["fare"]) for r in found] == [
        ("", "2.75"),
        ("http://127.0.0.1:1/v1", "9"),
    ]


def test_json_says_it_all(run: Run, path: Path) -> None:
    found = json.loads(run("spend", "--json", "--by", "model").out)
    assert found["ledger"] == str(path)
    assert found["rows"][0] == {
        "model": "qwen-max",
        "calls": 1,
        "answered": 1,
        "predicted_input_tokens": 100,
        "input_tokens": 110,
        "output_tokens": 5,
        "cached": 0,
        "reasoning": 0,
        "fare": "2",
        "currency": "CNY",
    }
    assert found["unsettled"] == {"open": 0, "abandoned": 0, "cancelled": 0, "broken": 1}
    (drift,) = found["drift"]
    assert (drift["model"], drift["missed"], drift["billed"]) == ("qwen-max", 1, 110)


def test_csv_is_read_back_by_others(run: Run, path: Path) -> None:
    found = list(csv.DictReader(io.StringIO(run("spend", "--csv", "--by", "day").out)))
    assert [(r["day"], r["calls"], r["fare"], r["currency"]) for r in found] == [
        ("2025-11-25", "2", "0.75", "CNY"),
        ("2025-11-26", "2", "2", "CNY"),
    ]


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1+1", "\r=1+1"])
def test_a_name_in_csv_is_no_formula_and_in_json_as_it_is(run: Run, path: Path, name: str) -> None:
    with Ledger(path) as ledger:
        ledger.settle(ledger.reserve(intent(project=name)), answered(100, 5, "0.5"))
        ledger.settle(ledger.reserve(intent(project="a=-b")), answered(100, 5, "0.5"))
    written = run("spend", "--csv", "--by", "project").out
    found = [row["project"] for row in csv.DictReader(io.StringIO(written, newline=""))]
    assert sorted(found) == sorted(["", "a", "a=-b", "b", f"'{name}"])
    assert name in [row["project"] for row in rows(run, "--by", "project")]


def test_the_chart_has_bars_in_proportion(run: Run, path: Path) -> None:
    first, second = run("spend", "--chart", "--by", "day").out.splitlines()
    assert first.endswith("0.75 CNY")
    assert second.endswith("2 CNY")
    lengths = [sum(c in "▏▎▍▌▋▊▉█#" for c in line) for line in (first, second)]
    assert abs(lengths[0] / lengths[1] - 0.75 / 2) < 0.05


def test_a_bar_fits_its_width() -> None:
    found = list(chart.bars([("a", Decimal(1), "1"), ("bb", Decimal(4), "4")], width=40))
    assert [line.rstrip() for line in found] == [
        "a   ████████▎                          1",
        "bb  █████████████████████████████████  4",
    ]


def test_a_ledger_that_is_not_there_is_not_made(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "nowhere" / "ledger"
    done = run("spend", "--ledger", str(file))
    assert (done.code, "not there" in done.err) == (0, True)
    assert not file.parent.exists()
    assert rows(run, "--ledger", str(file)) == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--zone", "Nowhere/Land"], "no time zone"),
        (["--zone", "../../etc"], "no time zone"),
        (["--by", "weather"], "'weather' is not one of"),
        (["--since", "yesterday"], "yesterday"),
    ],
)
def test_wrong_use_is_named(run: Run, path: Path, arguments: list[str], said: str) -> None:
    done = run("spend", *arguments)
    assert (done.code, said in done.err) == (2, True)


def test_a_system_without_time_zones_is_told_how_to_get_them(
    run: Run, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A slim container, or Windows: each name was "no time zone", the one it proposed too."""
    monkeypatch.setattr("tokenfare.cli.spend.available_timezones", set)
    done = run("spend", "--zone", "Nowhere/Land")
    assert (done.code, "no table of time zones" in done.err) == (2, True)
    assert "pip install tzdata" in done.err


def test_a_ledger_that_is_none_is_named(run: Run, tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no database " * 100)
    done = run("spend", "--ledger", str(tmp_path / "text"))
    assert (done.code, "not a database" in done.err) == (2, True)


def test_a_ledger_that_is_off_is_said(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKENFARE_LEDGER", "off")
    done = run("spend")
    assert (done.code, "switched off" in done.err) == (2, True)


def contents(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def test_an_empty_file_stays_empty(run: Run, tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    done = run("spend", "--ledger", str(tmp_path / "empty"))
    assert (done.code, "empty: an empty file" in done.err) == (2, True)
    assert contents(tmp_path) == {"empty": b""}


def test_a_folder_is_no_ledger(run: Run, tmp_path: Path) -> None:
    done = run("spend", "--ledger", str(tmp_path))
    assert (done.code, f"{tmp_path}: not a file" in done.err) == (2, True)


@pytest.mark.parametrize("version", [0, 1, 2, 99])
def test_a_database_of_something_else_is_refused_as_it_is(
    run: Run, tmp_path: Path, version: int
) -> None:
    """Whatever version it gives itself; a rollback journal would be a changed header."""
    file = tmp_path / "other"
    connection = sqlite3.connect(file)
    connection.executescript(f"CREATE TABLE totals (x); PRAGMA user_version = {version}")
    connection.close()
    before = contents(tmp_path)
    assert run("spend", "--ledger", str(file)).code == 2
    assert contents(tmp_path) == before


def test_a_ledger_of_which_nothing_is_open_is_not_written(run: Run, path: Path) -> None:
    before = path.read_bytes(), path.stat().st_mtime_ns
    assert run("spend").code == 0
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="modes of files are those of POSIX")
def test_a_ledger_that_can_only_be_read_is_read(
    run: Run, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also with an open call, and in a folder where SQLite can make no file of its own."""
    with Ledger(path, clock=lambda: NOON) as ledger:
        ledger.reserve(intent())
    monkeypatch.setattr(os, "access", lambda _path, mode: mode != os.W_OK)  # root may write all
    for file in (path, path.parent):
        file.chmod(0o555)
    before = contents(path.parent)
    try:
        done = run("spend", "--json")
    finally:
        path.parent.chmod(0o755)
    assert done.code == 0
    assert json.loads(done.out)["unsettled"]["open"] == 1
    assert contents(path.parent) == before


def test_the_variable_that_names_an_unusable_file_is_named(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "notes.txt").write_text("Buy milk.\n" * 100)
    monkeypatch.setenv("TOKENFARE_LEDGER", str(tmp_path / "notes.txt"))
    ended = run("spend")
    assert ended.code == 2
    assert ended.err.startswith(f"tokenfare: TOKENFARE_LEDGER: ledger {tmp_path / 'notes.txt'}: ")
    assert run("spend", "--ledger", str(tmp_path / "notes.txt")).err.startswith(
        "tokenfare: ledger "
    )
    monkeypatch.setenv("TOKENFARE_LEDGER", "redis://host")
    assert "TOKENFARE_LEDGER: a ledger is a file" in run("spend").err


def test_a_url_for_a_ledger_is_refused_and_not_repeated(run: Run) -> None:
    ended = run("spend", "--ledger", "redis://user:secret@host")
    assert ended.code == 2
    assert ended.err.startswith("tokenfare: a ledger is a file on this machine, not a URL")
    assert "secret" not in ended.out + ended.err


def test_an_empty_name_of_a_ledger_is_refused(run: Run) -> None:
    ended = run("spend", "--ledger", "")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith("tokenfare: a ledger is a file on this machine; give its path")


def test_a_ledger_in_the_home_directory_is_found(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in `--ledger=~/calls.sqlite3`, which a shell hands on as it is."""
    monkeypatch.setenv("HOME", str(tmp_path))
    ended = run("spend", "--json", "--ledger", "~/calls.sqlite3")
    assert json.loads(ended.out)["ledger"] == str(tmp_path / "calls.sqlite3")

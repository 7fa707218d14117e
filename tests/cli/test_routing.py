"""`route --chart`, `--svg`, `--cut` and `replay`, as a user runs them."""

import json
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]
SEED_DAY = ("--as-of", "2024-12-18")


def test_the_chart_has_a_row_for_each_winner_and_says_where_it_changes(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "83")  # 64 columns beside the longest name
    lines = run("route", "--chart", *SEED_DAY).out.splitlines()
    assert lines[0].startswith("cheapest model by input tokens, on 2024-12-18")
    rows = {line.split()[0]: line.split()[1] for line in lines[1:4]}
    assert list(rows) == ["qwen-turbo", "qwen-turbo-latest", "qwen-long"]
    # One column in 64 for each step of a tenth and a bit of a decade, up to 100 million: 129,024
    # stands at 5.11 of 8 decades, so in columns 0 to 40.
    assert rows["qwen-turbo"] == "█" * 41 + "·" * 23
    assert {len(row) for row in rows.values()} == {64}
    for column in range(63):
        assert sum(row[column] == "█" for row in rows.values()) <= 1
    assert lines[-3].startswith("  from 129,025 tokens on, qwen-turbo-latest")
    assert lines[-1].startswith("  from 10,000,001 tokens on, no model")


def test_the_chart_marks_the_request(run: Run) -> None:
    assert "▲" in run("route", "--chart", "--tokens", "5000", *SEED_DAY).out
    assert "▲" in run("route", "--chart", "-", *SEED_DAY, stdin=b"hello").out
    assert "▲" not in run("route", "--chart", *SEED_DAY).out


def test_the_svg_is_well_formed_and_complete_in_itself(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "chart.svg"
    assert run("route", "--svg", str(path), "--tokens", "5000", *SEED_DAY).code == 0
    text = path.read_text(encoding="utf-8")
    root = ET.fromstring(text)  # noqa: S314 - written by this program
    words = [element.text for element in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {"qwen-turbo", "qwen-turbo-latest", "qwen-long", "no model", "129,025"} <= set(words)
    lines = list(root.iter("{http://www.w3.org/2000/svg}polyline"))
    assert len(lines) == 3
    assert text.count("http") == 1  # the name of the format and no address to fetch from


def test_an_svg_that_cannot_be_written_is_one_line(run: Run, tmp_path: Path) -> None:
    ended = run("route", "--svg", str(tmp_path / "no" / "chart.svg"), *SEED_DAY)
    assert ended.code == 2
    assert "cannot be written" in ended.err


def test_nothing_to_draw_is_still_a_chart(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "chart.svg"
    arguments = ("route", "--chart", "--svg", str(path), "--max-fare", "0", *SEED_DAY)
    ended = run(*arguments)
    assert ended.code == 0
    assert "no model" in ended.out
    ET.fromstring(path.read_text(encoding="utf-8"))  # noqa: S314 - written by this program


def test_what_cutting_saves(run: Run) -> None:
    out = run("route", "--tokens", "130000", "--cut", "30000", *SEED_DAY).out
    assert "30,000 tokens less save 0.009 CNY, on qwen-turbo" in out
    found = json.loads(
        run("route", "--tokens", "130000", "--cut", "30000", "--json", *SEED_DAY).out
    )
    assert found["cut"] == {"tokens": 30_000, "model": "qwen-turbo", "saved": "0.009"}
    assert run("route", "--tokens", "10", "--cut", "10", *SEED_DAY).code == 2


def test_a_decision_is_replayed_from_its_json(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "decision.json"
    path.write_text(run("route", "--tokens", "20000", "--json", *SEED_DAY).out, encoding="utf-8")
    same = run("replay", str(path), *SEED_DAY)
    assert (same.code, same.out.splitlines()[-1]) == (0, "  nothing changed")
    other = run("replay", str(path), "--as-of", "2026-11-24")
    assert other.code == 1
    assert other.out.splitlines()[:2] == [
        "then: qwen-turbo, up to 0.0066 CNY, on 2024-12-18",
        "now:  qwen-flash, up to 0.0045 CNY, on 2026-11-24",
    ]
    found = json.loads(run("replay", str(path), "--json", "--as-of", "2026-11-24").out)
    assert (found["same"], found["same_facts"], found["now"]["model"]) == (
        False,
        True,
        "qwen-flash",
    )
    assert run("replay", str(tmp_path / "none.json")).code == 2


def test_a_decision_that_a_shell_wrote_with_a_mark_before_it_is_replayed(run: Run) -> None:
    """PowerShell's `>` puts one before what it writes as UTF-8."""
    written = run("route", "--tokens", "20000", "--json", *SEED_DAY).out
    same = run("replay", *SEED_DAY, stdin=b"\xef\xbb\xbf" + written.encode())
    assert (same.code, same.out.splitlines()[-1]) == (0, "  nothing changed")


def test_a_record_that_nothing_takes_any_more_ends_with_its_own_code(
    run: Run, tmp_path: Path
) -> None:
    path = tmp_path / "decision.json"
    arguments = ("route", "--tokens", "500", "--allow", "qwen-turbo", "--json", *SEED_DAY)
    path.write_text(run(*arguments).out, encoding="utf-8")
    ended = run("replay", str(path), "--as-of", "2026-11-24")
    assert ended.code == 3
    assert "no model takes it" in ended.out


def test_json_says_how_far_the_decision_reaches(run: Run) -> None:
    found = json.loads(run("route", "--tokens", "129000", "--json", *SEED_DAY).out)["headroom"]
    assert (found["before_change"], found["then"]) == (24, "qwen-turbo-latest")
    assert found["before_limit"] == 24
    # turbo: 131,072 - 129,000 = 2,072 of its 8,192; long has room of its own for 6,000
    answers = found["largest_answers"]
    assert (answers["qwen-turbo"], answers["qwen-long"]) == (2_072, 6_000)


def test_not_exact_counts_no_further_than_needed(run: Run) -> None:
    text = b"How much is the fare? " * 200
    found = json.loads(run("route", "--no-exact", "--json", *SEED_DAY, stdin=text).out)
    assert found["model"] == "qwen-turbo"
    assert found["counted"]["tokens"] < 100
    assert found["tokens"]["low"] < found["tokens"]["high"]

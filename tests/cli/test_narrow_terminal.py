"""Tables on a terminal that is too narrow for them: no number is broken in two."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

pytest.importorskip("pty", reason="a terminal of a Unix")

from terminal import Terminal

DAY = ["--as-of", "2024-12-18"]
COMMAND = [sys.executable, "-m", "tokenfare"]


def screen(words: Sequence[str], columns: int) -> list[str]:
    with Terminal([*COMMAND, *words], columns=columns, rows=200) as terminal:
        assert terminal.ended() == 0
        return [line.rstrip() for line in terminal.lines if line.strip()]


@pytest.mark.parametrize("columns", [60, 80, 100, 140])
def test_every_model_stands_on_a_line_with_its_whole_numbers(columns: int) -> None:
    """At 80 columns, the default of most, `8,000` was shown as `8,00` and a 0 below it."""
    listed = subprocess.run(
        [*COMMAND, "models", *DAY, "--json"], capture_output=True, text=True, check=True
    )
    lines = screen(["models", *DAY], columns)
    by_id = {line.split()[0]: line.split() for line in lines}
    for model in json.loads(listed.stdout):
        bounds = model["limits"]
        told = [bounds["context"], bounds["max_input"], bounds["max_output"]]
        assert by_id[model["id"]][1:4] == ["-" if n is None else f"{n:,}" for n in told]
    assert ("too few" in "".join(lines[-2:])) == (columns < 110)


def test_what_is_left_out_is_said() -> None:
    *_, last = screen(["models", *DAY], 80)
    assert re.fullmatch(r"\(80 columns are too few for: .*status; --json has everything\)", last)
    assert "too few" not in "".join(screen(["models", *DAY], 140))


def test_what_can_be_folded_is_folded_and_not_left_out() -> None:
    lines = screen(["tokenizers"], 80)
    assert lines[0].split() == ["tokenizer", "counts", "vocabulary", "to", "get", "it"]
    assert not any("too few" in line for line in lines)
    assert max(map(len, lines)) <= 80


def test_what_cannot_be_left_out_is_broken_by_the_terminal_alone(tmp_path) -> None:
    """Of the first columns nothing may go: at 30 columns, the terminal breaks the lines."""
    shown = "".join(line.ljust(30) for line in screen(["models", *DAY], 30))
    assert "131,072" in shown.replace(" ", "")


def test_what_a_terminal_cannot_show_is_shown_as_escapes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = tmp_path / "text"
    text.write_text("a 中", encoding="utf-8")
    monkeypatch.setenv("PYTHONIOENCODING", "latin-1")
    (line,) = screen(["split", "--json", "--limit", "9", str(text)], 120)
    assert line.startswith(r'{"text": "a \u4e2d"')

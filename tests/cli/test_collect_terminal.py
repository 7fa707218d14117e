"""`tokenfare batch collect` in front of a person: a bar by bytes, and Ctrl-C."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("pty", reason="a terminal of a Unix")

from batch_plans import DAY
from terminal import CTRL_C, Terminal
from tokenfare import batch
from tokenfare.emulator import Stall

COLLECT = [sys.executable, "-m", "tokenfare", "batch", "collect", "plan"]
REQUESTS = 200


@pytest.fixture
def stalling(
    tokenfare_emulators: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[float], Any]:
    """A plan whose job has ended; each download of its results stalls half way, so many seconds."""

    def make(seconds: float) -> Any:
        def faults(attempt: Any) -> Any:
            return Stall(seconds) if attempt.path.endswith("/content") else None

        emulator = tokenfare_emulators(as_of=DAY, faults=faults)
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("TOKENFARE_BASE_URL", emulator.base_url)
        monkeypatch.setenv("DASHSCOPE_API_KEY", "sk-any")
        monkeypatch.setenv("TOKENFARE_LEDGER", "off")
        lines = [json.dumps({"prompt": f"Hello {number}"}) for number in range(REQUESTS)]
        Path("in.jsonl").write_text("\n".join(lines) + "\n")
        batch.plan(["in.jsonl"], "plan", as_of=DAY, max_output_tokens=20, allow=["qwen-turbo"])
        batch.submit("plan", settle_seconds=0)
        assert batch.wait("plan", sleep=lambda _: None).ended
        return emulator

    return make


def test_a_bar_says_how_many_bytes_are_there(stalling: Any) -> None:
    stalling(1.0)
    with Terminal(COLLECT) as terminal:
        terminal.until(r"qwen-turbo-0001.output.jsonl +━+╺? *━* +\d\d% +[\d.]+/[\d.]+ kB")
        assert terminal.ended() == 0
        assert not any("━" in line for line in terminal.lines), "the bar is gone at the end"
        assert terminal.lines[0] == f"{REQUESTS} of {REQUESTS} requests answered"
        assert not terminal.screen.cursor.hidden


def test_quiet_and_elsewhere_nothing_is_drawn(stalling: Any) -> None:
    stalling(0.2)
    with Terminal([*COLLECT, "--quiet"]) as terminal:
        assert terminal.ended() == 0
        assert terminal.seen[0] == f"{REQUESTS} of {REQUESTS} requests answered"


@pytest.mark.parametrize("columns", [30, 40, 60, 80])
def test_ctrl_c_leaves_a_line_and_the_next_collect_goes_on(stalling: Any, columns: int) -> None:
    emulator = stalling(60.0)
    with Terminal(COLLECT, columns=columns) as terminal:
        terminal.until(r"\d\d%")
        terminal.press(CTRL_C)
        assert terminal.ended(20) == 130
        said = re.sub(r"\s+", " ", " ".join(terminal.lines)).removeprefix("^C").strip()
        assert not terminal.screen.cursor.hidden
    assert said.replace(" ", "") == (
        "tokenfare: interrupted; nothing is lost: `tokenfare batch collect` goes on with plan "
        "where it was"
    ).replace(" ", "")
    [part] = Path("plan/results").glob("*.part")
    held = part.stat().st_size
    assert held > 0
    emulator.faults = lambda _: None
    assert batch.collect("plan").complete
    last = [call for call in emulator.calls if call.path.endswith("/content")][-1]
    assert last.status == 206, "it went on from the part that was there"

"""`tokenfare batch run` in front of a person: beside the bar stands what a run waits for."""

from __future__ import annotations

import json
import sqlite3
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("pty", reason="a terminal of a Unix")

from batch_plans import DAY
from terminal import Terminal
from tokenfare import batch
from tokenfare.limiter import InSqlite


def test_the_bar_says_which_rate_holds_the_run_back(
    tokenfare_emulators: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = tokenfare_emulators(as_of=DAY).base_url
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DASHSCOPE_API_KEY", "sk-any")
    monkeypatch.setenv("TOKENFARE_LEDGER", "off")
    lines = [json.dumps({"prompt": f"Hello {number}"}) for number in range(20)]
    Path("in.jsonl").write_text("\n".join(lines) + "\n")
    batch.plan(["in.jsonl"], "plan", as_of=DAY, max_output_tokens=20, allow=["qwen-turbo"])
    limits = InSqlite("limits")
    limits.close_for(f"qwen-turbo at {url}", 100.0, time.time())  # until it was seen, below
    limits.close()
    command = [sys.executable, "-m", "tokenfare", "batch", "run", "plan", "--all"]
    options = ["--base-url", url, "--limiter", "limits"]
    with Terminal([*command, *options], columns=120) as terminal:
        terminal.until("requests .*qwen-turbo: the pause after a refusal")
        with closing(sqlite3.connect("limits")) as opened, opened:
            opened.execute("DELETE FROM closed")
        assert terminal.ended() == 0
        assert "20 of 20 requests answered" in "\n".join(terminal.lines)
        assert not any("held" in line or "refusal" in line for line in terminal.lines)

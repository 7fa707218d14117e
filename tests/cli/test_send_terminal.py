"""`tokenfare send` on a real terminal: each wait is seen as it begins."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("pty", reason="a terminal of a Unix")

from batch_plans import DAY
from dispatch.scripted import closed_port
from terminal import CTRL_C, Terminal
from tokenfare.limiter import InSqlite


def test_a_terminal_shows_each_wait_as_it_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first line is there half a second before the second attempt; Ctrl-C ends the waiting."""
    monkeypatch.setenv("DASHSCOPE_API_KEY", "sk-very-secret-0123")
    monkeypatch.setenv("TOKENFARE_LEDGER", "off")
    asked = tmp_path / "asked.txt"
    asked.write_text("hello", encoding="utf-8")
    url = f"http://127.0.0.1:{closed_port()}/v1"
    command = [sys.executable, "-m", "tokenfare", "send", str(asked), "--base-url", url]
    with Terminal(command, columns=150) as terminal:
        terminal.until(rf"attempt 1 of 5 failed: nothing answers at {url}; again in 0\.\d s")
        terminal.until(r"attempt 3 of 5 failed: .*; again in [23]\.\d s")
        terminal.press(CTRL_C)
        assert terminal.ended() == 130
        assert "sk-very-secret-0123" not in "\n".join(terminal.lines)


def test_a_terminal_shows_which_rate_holds_a_call_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tokenfare_emulators: Any
) -> None:
    """Another process of this machine was refused just now, and all wait ten seconds for it.

    It takes seconds until the command runs where many other programs do.
    """
    url = tokenfare_emulators(as_of=DAY).base_url
    limits = InSqlite(tmp_path / "limits")
    limits.close_for(f"qwen-turbo at {url}", 10.0, time.time())
    limits.close()
    monkeypatch.setenv("DASHSCOPE_API_KEY", "sk-any")
    monkeypatch.setenv("TOKENFARE_LEDGER", "off")
    monkeypatch.setenv("TOKENFARE_LIMITER", str(tmp_path / "limits"))
    asked = tmp_path / "asked.txt"
    asked.write_text("hello", encoding="utf-8")
    command = [sys.executable, "-m", "tokenfare", "send", str(asked), "--base-url", url]
    options = ["--as-of", str(DAY), "--allow", "qwen-turbo"]
    with Terminal([*command, *options], columns=150) as terminal:
        terminal.until(r"qwen-turbo: held back by the pause after a refusal; on in [1-9]\.\d s")
        terminal.until(r"qwen-turbo: billed")
        assert terminal.ended() == 0

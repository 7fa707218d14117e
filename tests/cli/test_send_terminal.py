"""`tokenfare send` on a real terminal, where nothing answers: each wait is seen as it begins."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

pytest.importorskip("pty", reason="a terminal of a Unix")

from dispatch.scripted import closed_port
from terminal import CTRL_C, Terminal


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

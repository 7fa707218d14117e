"""`tokenfare serve --key-file`: the provider's key is exchanged, and nobody restarts anything."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway.conftest import Start

OLD, NEW = "sk-of-yesterday-0123456789", "sk-of-today-0123456789"


def test_a_gateway_takes_the_new_key_without_a_restart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tokenfare_emulators: Any
) -> None:
    emulator = tokenfare_emulators(keys=[OLD])
    path = tmp_path / "key"
    path.write_text(OLD, encoding="utf-8")
    monkeypatch.setenv("TOKENFARE_LEDGER", "off")
    monkeypatch.delenv("DASHSCOPE_API_KEY", raising=False)
    command = [sys.executable, "-m", "tokenfare", "serve", "--port", "0", "--key-file", str(path)]
    with subprocess.Popen(
        [*command, "--base-url", emulator.base_url], stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stderr is not None
            found = re.search(r" at (http://\S+)$", process.stderr.readline())
            assert found

            def status() -> int:
                messages = [{"role": "user", "content": "hello"}]
                body = {"model": "auto", "messages": messages, "max_tokens": 5}
                return httpx.post(f"{found[1]}/chat/completions", json=body, timeout=30).status_code

            seen = [status()]
            emulator._keys = frozenset({NEW})
            seen.append(status())
            path.write_text(NEW, encoding="utf-8")
            seen.append(status())
        finally:
            process.terminate()
            said = process.stderr.read()
    assert seen == [200, 502, 200]
    assert OLD not in said
    assert NEW not in said


def test_a_gateway_that_has_no_key_any_more_does_not_blame_its_caller(start: Start) -> None:
    """It was 400 with `the key is empty`, and 401 from what raises `MissingKey` itself."""
    keys = [OLD]
    stand = start(client={"api_key": lambda: keys[0]})
    keys[0] = ""
    answer = stand.chat()
    assert (answer.status_code, answer.headers["x-should-retry"]) == (502, "false")
    assert answer.json()["error"]["code"] == "upstream_key_refused"

"""A provider of the user's own by the command: the page's file, its own key, its own address."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tokenfare import Catalog
from tokenfare.emulator import Emulator
from tokenfare.testing import emulated

Run = Callable[..., Any]

PAGE = (Path(__file__).parents[2] / "docs" / "catalog.md").read_text(encoding="utf-8")
HELLO = [{"role": "user", "content": "Hello"}]


@pytest.fixture
def ours(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Emulator]:
    """The file that docs/catalog.md shows, and a server where it says that has its model."""
    files = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    own = next(text for text in files if "OUR_KEY" in text)
    path = tmp_path / "mine.toml"
    path.write_text(own, encoding="utf-8")
    with emulated(catalog=Catalog.load().overlay(path)) as emulator:
        own = own.replace("http://127.0.0.1:8000/v1", emulator.base_url)
        path.write_text(own, encoding="utf-8")
        monkeypatch.setenv("TOKENFARE_CATALOG", str(path))
        monkeypatch.setenv("TOKENFARE_LEDGER", str(tmp_path / "ledger.sqlite3"))
        monkeypatch.setenv("OUR_KEY", "sk-ours-0123456789")
        for name in ("DASHSCOPE_API_KEY", "TOKENFARE_BASE_URL", "DASHSCOPE_COMPATIBLE_BASE_URL"):
            monkeypatch.delenv(name, raising=False)
        yield emulator


def test_it_is_called_where_it_is_asked_for_by_its_id(run: Run, ours: Emulator) -> None:
    arguments = ("--provider", "ours", "--currency", "EUR", "--max-output", "5", "--json")
    dry = run("send", "--dry-run", *arguments, stdin=b"Hello")
    assert json.loads(dry.out)["model"] == "ours/small"
    sent = run("send", *arguments, stdin=b"Hello")
    assert (sent.code, json.loads(sent.out)["fare"]["currency"]) == (0, "EUR")
    assert [call.model for call in ours.calls] == ["small"]
    without = run("send", stdin=b"Hello")
    assert (without.code, "DASHSCOPE_API_KEY is not set" in without.err) == (2, True)


def test_a_gateway_stands_before_it(ours: Emulator) -> None:
    options = ("--provider", "ours", "--currency", "EUR", "--port", "0")
    command = [sys.executable, "-m", "tokenfare", "serve", *options]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            line = process.stderr.readline()
            found = re.search(r" at (http://\S+)$", line)
            assert found, line
            body = {"model": "auto", "messages": HELLO, "max_tokens": 5}
            answer = httpx.post(f"{found[1]}/chat/completions", json=body, timeout=30).json()
            assert answer["tokenfare"]["decided"] == "ours/small"
            known = httpx.get(f"{found[1]}/models", timeout=30).json()["data"]
            assert {each["id"] for each in known} == {"auto", "ours/small"}
        finally:
            process.terminate()
    assert [call.model for call in ours.calls] == ["small"]

"""A container's user that no table knows, and no HOME: what needs one says so, the rest goes on."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import platformdirs
import pytest

import tokenfare as tf
from tokenfare.errors import DatabaseError
from tokenfare.testing import emulated

Run = Callable[..., Any]
pwd = pytest.importorskip("pwd")


@pytest.fixture(params=["an error", "a path from ~"], autouse=True)
def nowhere(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """No home in the environment and none in the table, as later and older platformdirs see it."""

    def unknown(_: int) -> None:
        raise KeyError

    monkeypatch.setattr(pwd, "getpwuid", unknown)
    for name in ("HOME", "XDG_STATE_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "TOKENFARE_LEDGER"):
        monkeypatch.delenv(name, raising=False)
    if request.param == "a path from ~":
        monkeypatch.setattr(platformdirs, "user_state_path", lambda *_, **__: Path("~/state"))
        monkeypatch.setattr(platformdirs, "user_data_path", lambda *_, **__: Path("~/data"))
    monkeypatch.chdir(tmp_path)


def test_counting_needs_none(run: Run) -> None:
    assert int(tf.count("Hello, world", model="qwen-plus")) == 3
    assert tf.count("Hello, world", model="qwen3.7-plus").high >= 3
    assert run("count", "--model", "llama3.3-70b-instruct", stdin=b"Hello").code == 0
    listed = run("tokenizers")
    assert (listed.code, "qwen" in listed.out) == (0, True)
    assert list(Path().iterdir()) == []


def test_a_call_goes_on_without_the_default_ledger_and_says_so(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with emulated() as emulator, caplog.at_level(logging.WARNING, "tokenfare"):
        with tf.Client(base_url=emulator.base_url, api_key="any") as client:
            assert client.chat("Hello").text
        assert "no home directory is known; set HOME, or TOKENFARE_LEDGER" in caplog.text
        assert "calls go on without it" in caplog.text
        with pytest.raises(DatabaseError, match="no home directory is known"):
            tf.Client(base_url=emulator.base_url, api_key="any", ceilings=["1 CNY"])
        environment = {"TOKENFARE_LEDGER": "~/calls.sqlite3"}
        with pytest.raises(DatabaseError, match=r"ledger ~/calls\.sqlite3: no home directory"):
            tf.Client(base_url=emulator.base_url, api_key="any", environment=environment)
    assert list(Path().iterdir()) == []


def test_what_must_be_kept_somewhere_says_what_to_set(run: Run, tmp_path: Path) -> None:
    spent = run("spend")
    assert spent.code == 2
    assert spent.err == (
        "tokenfare: ledger ledger.sqlite3: no home directory is known; set HOME, or "
        "TOKENFARE_LEDGER to a file or off\n"
    )
    (tmp_path / "tokenizer_config.json").write_text("{}", encoding="utf-8")
    added = run("tokenizers", "remove", "mine")
    assert (added.code, "set HOME or TOKENFARE_TOKENIZERS" in added.err) == (2, True)

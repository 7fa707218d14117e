"""A few calls of `scripts/soak.py`: every call ends, and all books agree to the token."""

from __future__ import annotations

import gc
import socket
import sys
import threading
from contextlib import closing

import pytest

import soak


@pytest.mark.parametrize("driver", ["sync", "async"])
def test_on_the_worst_day_every_call_ends_and_all_books_agree(driver: str) -> None:
    """What was left open would fail the run here too: warnings are errors."""
    assert soak.run(driver, calls=200, seed=11, share=0.4) == []
    gc.collect()


@pytest.mark.skipif(sys.platform != "linux", reason="Linux says what a process has open")
def test_what_is_left_open_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(soak, "ENDS_SECONDS", 0.2)
    files, threads = soak.open_files(), set(threading.enumerate())
    assert soak.left_open(files, threads) == []
    ended = threading.Event()
    thread = threading.Thread(target=ended.wait, name="busy")
    with closing(socket.socket()), closing(socket.socket()):
        thread.start()
        try:
            said = soak.left_open(files, threads)
        finally:
            ended.set()
            thread.join()
    assert said == ["2 more of socket are open", "the thread busy goes on"]
    assert soak.left_open(files, threads) == []

"""A disk that is full, while answers are written and between calls: no bill is lost to it.

The system takes no more bytes for files of the process, which SQLite cannot tell from a full disk.
That would meet the test runner's files too, so it happens in a process of its own.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tokenfare.client.owed_bills import OwedBills
from tokenfare.ledger import Ending, Intent, Ledger, spent
from tokenfare.money import Money
from tokenfare.tokenizers import Count
from tokenfare.usage import Usage

pytest.importorskip("resource", reason="limits of a Unix")

SCRIPT = """
import json, logging, resource, signal, sys
from datetime import date
from pathlib import Path

import tokenfare as tf
from tokenfare.errors import DatabaseError
from tokenfare.ledger import Ledger, spent, unsettled
from tokenfare.testing import emulated

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
path, options = Path(sys.argv[1]), json.loads(sys.argv[2])
said, happened = [], {}
handler = logging.Handler()
handler.emit = lambda record: said.append(record.getMessage())
logging.getLogger("tokenfare").addHandler(handler)


def allow(size):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def full(_):
    allow(1)
    return "here I am"


def asked(client):
    try:
        return client.chat("hello", allow=["qwen-turbo"], max_output_tokens=20).text
    except Exception as error:
        return type(error).__name__


def ready(client):
    try:
        client.check()
    except DatabaseError:
        return False
    return True


day = date(2024, 12, 18)
with emulated(as_of=day, replies=full) as emulator:
    with tf.Client(base_url=emulator.base_url, api_key="k", as_of=day, **options) as client:
        happened["ready"] = [ready(client)]
        allow(1)
        happened["ready"].append(ready(client))
        allow(resource.RLIM_INFINITY)
        happened["answers"] = [asked(client), asked(client)]
        happened["ready"].append(ready(client))
        emulator.replies = lambda _: "again"
        allow(resource.RLIM_INFINITY)
        if "recover" in sys.argv:
            happened["answers"].append(asked(client))
            happened["ready"].append(ready(client))
        else:
            allow(1)
    allow(resource.RLIM_INFINITY)
    happened["calls"] = len(emulator.calls)
    happened["input_tokens"] = emulator.calls.billed().input_tokens
with Ledger(path) as ledger:
    happened["booked"] = sum(row.usage.input_tokens for row in spent(ledger, []))
    happened["open"] = unsettled(ledger).open
happened["warnings"] = said
print(json.dumps(happened))
"""


class Interrupted(Ledger):
    """A ledger that Ctrl-C comes to once, before a bill is written or behind that."""

    def __init__(self, path: Path, *, written: bool) -> None:
        super().__init__(path)
        self._written: bool | None = written

    def settle(self, number: int, ending: Ending, intent: Intent | None = None) -> bool:
        written, self._written = self._written, None
        if written is not False:
            super().settle(number, ending, intent)
        if written is not None:
            raise KeyboardInterrupt
        return True


@pytest.mark.parametrize("written", [True, False])
def test_a_bill_that_ctrl_c_came_upon_is_written_once(tmp_path: Path, *, written: bool) -> None:
    owed, fare = OwedBills(), Money.parse("0.5", "CNY")
    with Interrupted(tmp_path / "ledger.sqlite3", written=written) as ledger:
        intent = Intent("qwen-plus", Count.exactly(9), 10, fare, "qwen-plus")
        ending = Ending("answered", Usage(9, 1), fare, attempts=1)
        with pytest.raises(KeyboardInterrupt):
            owed.settle(ledger, ledger.reserve(intent), ending)
        owed.catch_up(ledger)
        assert len(owed) == 0
        assert [(each.calls, each.fare) for each in spent(ledger)] == [(1, fare)]


def run(path: Path, *words: str, **options: Any) -> Any:
    command = [sys.executable, "-c", SCRIPT, str(path), json.dumps(options), *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_bill_is_written_with_the_next_call(tmp_path: Path) -> None:
    """The answer is not lost, no call is sent that cannot be booked, and then all is in the books.

    Each call holds 9 + 20 tokens: the ceiling has room for one that is billed and one that is held,
    and not for two that are held.
    """
    path = tmp_path / "ledger"
    seen = run(path, "recover", ledger=str(path), ceilings=["55 tokens"])
    assert seen["answers"] == ["here I am", "DatabaseError", "again"]
    assert seen["ready"] == [True, False, False, True], "full; and full with a bill that is owed"
    assert seen["calls"] == 2
    assert seen["booked"] == seen["input_tokens"] > 0
    assert seen["open"] == 0
    (said,) = seen["warnings"]
    assert "the bill of a call is kept until it can be written" in said


def test_without_a_next_call_it_is_said_how_many_bills_are_missing(tmp_path: Path) -> None:
    path = tmp_path / "ledger"
    seen = run(path, ledger=str(path))
    assert (seen["answers"], seen["booked"]) == (["here I am", "DatabaseError"], 0)
    assert "; 1 bill not written" in seen["warnings"][-1]

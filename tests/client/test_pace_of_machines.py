"""Clients on several machines keep to one account's rates: the provider has nothing to refuse.

Each is a process of its own here, with a server between them that is real.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import pytest

import redis_server
import soak_rates as soak
from tokenfare import Catalog
from tokenfare.catalog import RateLimits
from tokenfare.emulator import Emulator
from tokenfare.emulator.rates import RateRules

RATES = {"qwen-turbo": RateLimits(1_200, 600_000)}

ASK = """
import sys
from concurrent.futures import ThreadPoolExecutor
from tokenfare import Catalog, Client
from tokenfare.catalog import RateLimits
import soak_rates

url, calls = sys.argv[1:]
options = {"catalog": Catalog.load(day=soak_rates.DAY), "escalate": False, "ledger": False}
rates = {"qwen-turbo": RateLimits(1_200, 600_000)}
with Client(api_key="k", base_url=url, rates=rates, **options) as client:
    print("ready", flush=True)
    sys.stdin.readline()
    def ask(number):
        return client.chat(f"{number} words", allow=["qwen-turbo"], max_output_tokens=60)
    with ThreadPoolExecutor(int(calls)) as threads:
        print(len(list(threads.map(ask, range(int(calls))))))
"""


@pytest.mark.parametrize("kept", ["together", "apart"])
def test_what_several_machines_send_is_refused_unless_they_keep_rates_together(
    emulate: Callable[..., tuple[Emulator, str]], monkeypatch: pytest.MonkeyPatch, kept: str
) -> None:
    """Three send 75 calls at once, 20 a second are allowed."""
    emulator, url = emulate(catalog=Catalog.load(day=soak.DAY), rates=RateRules(RATES))
    with redis_server.running() as server:
        monkeypatch.setenv("TOKENFARE_LIMITER", server.url() if kept == "together" else "on")
        monkeypatch.setenv("PYTHONPATH", "scripts")
        pipe = subprocess.PIPE
        machines = [
            subprocess.Popen([sys.executable, "-c", ASK, url, "25"], stdin=pipe, stdout=pipe)
            for _ in range(3)
        ]
        for machine in machines:
            assert machine.stdout is not None
            assert machine.stdout.readline() == b"ready\n"
        for machine in machines:
            assert machine.stdin is not None
            machine.stdin.write(b"\n")
            machine.stdin.flush()
        answered = sum(int(m.communicate(timeout=120)[0]) for m in machines)
    refused = sum(call.status == 429 for call in emulator.calls)
    assert answered == 75
    assert len(emulator.calls) == 75 + refused
    if kept == "together":
        assert refused <= 1
    else:
        assert refused > 5

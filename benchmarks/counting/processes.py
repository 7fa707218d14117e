"""The processes that counters run in, each with the interpreter of its environment."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from functools import cache
from pathlib import Path

from peers import Peer

ROOT = Path(__file__).parents[2]
# One thread each, whatever a peer would like to start.
ALONE = os.environ | {
    "RAYON_NUM_THREADS": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "OMP_NUM_THREADS": "1",
}


def interpreter(peer: Peer) -> str | None:
    """The interpreter of a peer's environment; this one where that was not made."""
    python = ROOT / f".venv-{peer.environment}" / "bin" / "python"
    if python.exists():
        return str(python)
    return sys.executable if peer.environment == "bench" else None


@cache
def installed(peer: Peer) -> str | None:
    """The version of a peer, or nothing if it is not installed."""
    python = interpreter(peer)
    if python is None:
        return None
    code = f"from importlib.metadata import version; print(version({peer.package!r}))"
    ran = subprocess.run([python, "-c", code], capture_output=True, text=True, check=False)
    return ran.stdout.strip() or None


def command(peer: Peer, folder: Path, *more: str) -> list[str]:
    python = interpreter(peer)
    assert python is not None
    script = str(Path(__file__).with_name("worker.py"))
    return [python, script, peer.name, str(folder), *more]


def cold(peer: Peer, folder: Path) -> dict[str, float]:
    """Seconds from import to the first count in a new process, and its peak memory; medians."""
    taken = []
    for _ in range(5):
        ran = subprocess.run(
            command(peer, folder, "--cold"), check=True, capture_output=True, text=True, env=ALONE
        )
        taken.append(json.loads(ran.stdout.splitlines()[-1]))
    return {
        "seconds": round(statistics.median(t["seconds"] for t in taken), 4),
        "peak_MB": round(statistics.median(t["peak_MB"] for t in taken), 1),
    }


class Counter:
    """A peer in a process that answers one question at a time."""

    def __init__(self, peer: Peer, folder: Path) -> None:
        self.name = peer.name
        self.share = peer.share
        self._peer = peer
        self._folder = folder
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Begin anew, with nothing learnt."""
        self.stop()
        self._process = subprocess.Popen(
            command(self._peer, self._folder),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=ALONE,
        )
        self._line()

    def ask(self, what: str, **question: object) -> dict:
        if self._process is None:
            self.start()
        assert self._process
        assert self._process.stdin
        try:
            print(json.dumps({"do": what, **question}), file=self._process.stdin, flush=True)
            return self._line()
        except (BrokenPipeError, ValueError):
            self.start()
            return {"failed": "the process ended"}

    def once(self, what: str) -> dict:
        """Ask a new process."""
        self.start()
        found = self.ask(what)
        self.stop()
        return found

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
        self._process = None

    def _line(self) -> dict:
        assert self._process
        assert self._process.stdout
        return json.loads(self._process.stdout.readline())

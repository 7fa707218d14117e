"""A client that was used before a fork: no process reads the answers of another."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from dispatch.scripted import Server, completion

FORKED = """
import asyncio, os, sys
import tokenfare as tf

kind, url = sys.argv[1:]
options = {"api_key": "sk-any", "base_url": url, "ledger": False, "limiter": False}
if kind == "sync":
    client = tf.Client(**options)
    chat, close = client.chat, client.close
elif kind == "copy":
    client = tf.Client(**options)
    chat, close = client.with_options(project="p").chat, client.close
elif kind == "asyncio":
    client = tf.AsyncClient(**options)
    chat, close = lambda text: asyncio.run(client.chat(text)), lambda: None
else:
    import trio
    client = tf.AsyncClient(**options)
    chat, close = lambda text: trio.run(client.chat, text), lambda: trio.run(client.aclose)

chat("before the fork")
sys.stdout.flush()
if (pid := os.fork()) == 0:
    answer = chat("in the child").text
    print("child:", answer, flush=True)
    import gc; gc.collect()
    os._exit(0)
os.waitpid(pid, 0)
print("parent:", chat("in the parent").text)
close()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.parametrize(
    ("kind", "connections"),
    # With asyncio, each `asyncio.run` is a loop with connections of its own.
    [("sync", 2), ("copy", 2), ("asyncio", 3), ("trio", 2)],
)
def test_a_forked_process_opens_connections_of_its_own(kind: str, connections: int) -> None:
    """Children that wrote to the parent's connection were given each other's answers.

    The parent's connection is still there afterwards, and is used again.
    """
    said = [completion(text) for text in ("first", "second", "third")]
    with Server(*said) as server:
        command = [sys.executable, "-W", "error", "-c", FORKED, kind, server.url]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert (done.stdout, done.stderr) == ("child: second\nparent: third\n", "")
        assert server.connections == connections

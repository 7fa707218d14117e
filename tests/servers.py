"""A command that listens, as a process of its own."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def listening(
    *command: str, env: dict[str, str] | None = None
) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Start `tokenfare COMMAND` on a free port: the process, and the URL that it listens at.

    Its standard error stays open to be read. It is killed in the end if it has not ended before.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", "tokenfare", *command, "--port", "0"],
        env=env,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    try:
        line = process.stderr.readline()
        found = re.search(r" at (http://\S+)$", line)
        assert found, line + process.stderr.read()
        yield process, found[1]
    finally:
        process.kill()
        process.wait()
        process.stderr.close()

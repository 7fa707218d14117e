"""Listening: in the foreground for a terminal, in a thread for tests and demonstrations."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from tokenfare.errors import InvalidRequestError, TokenfareError
from tokenfare.extras import required
from tokenfare.listening import BACKLOG, KEEP_ALIVE_SECONDS, is_loopback, listening, url_of

from .emulator import Emulator

COMPATIBLE_PATH = "/compatible-mode/v1"
"""Where the OpenAI-compatible endpoints begin; what clients call their base URL ends in it."""

_START_SECONDS = 10.0
_LINGER_SECONDS = 2


def serve(
    app: Any,
    host: str = "127.0.0.1",
    port: int = 0,
    *,
    allow_remote: bool = False,
    announce: Callable[[str], object] | None = None,
) -> None:
    """Serve until interrupted. `announce` is told the base URL once connections are taken.

    Other machines can only be let in by `allow_remote`: whoever reaches the emulator can fill its
    memory with files.
    """
    if not allow_remote and not is_loopback(host):
        raise InvalidRequestError(
            f"{host} can be reached from other machines; the emulator listens on 127.0.0.1 "
            "unless remote access is allowed"
        )
    with listening(host, port) as listener:
        if announce is not None:
            announce(url_of(host, listener, COMPATIBLE_PATH))
        _server(app).run(sockets=[listener])


@contextlib.contextmanager
def running(app: Any, port: int = 0) -> Iterator[str]:
    """Serve on loopback, in a thread, for as long as the block lasts; gives the base URL.

    The base URL is what clients want to have (`http://127.0.0.1:PORT/compatible-mode/v1`). Port 0
    takes a free one.
    """
    with listening("127.0.0.1", port) as listener:
        server = _server(app)
        thread = threading.Thread(
            target=server.run,
            kwargs={"sockets": [listener]},
            name="tokenfare-emulator",
            daemon=True,
        )
        thread.start()
        try:
            _wait_until_started(server, thread)
            url = url_of("127.0.0.1", listener, COMPATIBLE_PATH)
            if isinstance(app, Emulator):
                app.base_url = url
            yield url
        finally:
            server.should_exit = True
            thread.join(_START_SECONDS)


def _wait_until_started(server: Any, thread: threading.Thread) -> None:
    give_up = time.monotonic() + _START_SECONDS
    while not server.started:
        if not thread.is_alive() or time.monotonic() > give_up:
            raise TokenfareError("the emulator did not start")
        time.sleep(0.005)


def _server(app: Any) -> Any:
    uvicorn = required("uvicorn", "the emulator", "emulator")
    config = uvicorn.Config(
        app,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        backlog=BACKLOG,  # the loop listens again, with a backlog of its own
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=_LINGER_SECONDS,
    )
    return uvicorn.Server(config)

"""A loopback server that answers from a list and writes down what it was sent.

It knows no provider: a test says every answer, byte for byte if it likes. Independent of the
emulator, so that a mistake there does not hide one here.
"""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self, TypeAlias

CUT = b"<cut>"  # in the pieces of a stream: the connection is reset here
HANG = b"<hang>"  # nothing more comes until the client goes away or the server stops


Piece: TypeAlias = bytes | float | threading.Barrier


@dataclass(frozen=True)
class Reply:
    """One answer. `pieces` makes it a chunked one, sent piece by piece.

    A number among them is a pause; a barrier waits until as many answers have come to it.
    """

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    pieces: tuple[Piece, ...] | None = None


@dataclass(frozen=True)
class Asked:
    """One request as it arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def usage(input_tokens: int, output_tokens: int) -> dict[str, int]:
    return {
        "prompt_tokens": input_tokens,
        "completion_tokens": output_tokens,
        "total_tokens": input_tokens + output_tokens,
    }


def completion(text: str, billed: tuple[int, int] = (9, 2), **extra: Any) -> Reply:
    """A plain answer of the compatible interface."""
    body = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1733000000,
        "model": "qwen-plus",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": text},
                "finish_reason": "stop",
            }
        ],
        "usage": usage(*billed),
        **extra,
    }
    return answer(body)


def answer(body: Any, status: int = 200, **headers: str) -> Reply:
    """An answer in JSON."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(status, json.dumps(body).encode(), {"content-type": "application/json", **named})


def refusal(status: int, code: str, message: str = "no", **headers: str) -> Reply:
    """An error of the compatible interface."""
    error = {"message": message, "type": code, "param": None, "code": code}
    return answer({"error": error, "request_id": "req-1"}, status, **headers)


def chunk(text: str | None = None, **extra: Any) -> bytes:
    """One event of a streamed answer."""
    finish = extra.pop("finish", None)
    delta = {} if text is None else {"role": "assistant", "content": text}
    body = {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "model": "qwen-plus",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
        "usage": None,
        **extra,
    }
    return event(body)


def event(body: Any) -> bytes:
    return b"data: " + json.dumps(body, ensure_ascii=False).encode() + b"\n\n"


DONE = b"data: [DONE]\n\n"


def stream(*pieces: Piece, billed: tuple[int, int] | None = None) -> Reply:
    """A streamed answer from its events; `billed` adds what ends a good one."""
    if billed:
        last = event({"id": "chatcmpl-1", "choices": [], "usage": usage(*billed)})
        pieces = (*pieces, chunk(finish="stop"), last, DONE)
    return Reply(200, b"", {"content-type": "text/event-stream"}, pieces)


class Server:
    """Answers in the order of its script. A context manager."""

    def __init__(self, *script: Reply) -> None:
        self.script: list[Reply] = list(script)
        self.asked: list[Asked] = []
        self.connections = 0
        self.gone = threading.Event()  # the client went away from an answer that hung
        self.hanging = threading.Event()
        self.stopping = threading.Event()
        server = self

        class Handler(_Handler):
            owner = server

        self._http = _Listener(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True)

    @property
    def root(self) -> str:
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    @property
    def url(self) -> str:
        return f"{self.root}/v1"

    def says(self, *script: Reply) -> Server:
        self.script.extend(script)
        return self

    @property
    def paths(self) -> list[str]:
        return [f"{a.method} {a.path.removeprefix('/v1')}" for a in self.asked]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.stopping.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()


class _Listener(ThreadingHTTPServer):
    request_queue_size = 256  # of the standard library's 5, a burst of connections loses some


class _Handler(BaseHTTPRequestHandler):
    owner: Server
    protocol_version = "HTTP/1.1"

    def setup(self) -> None:
        self.owner.connections += 1
        super().setup()

    def handle(self) -> None:
        with suppress(ConnectionError):  # the client went away, which is what some tests are about
            super().handle()

    def log_message(self, *_: object) -> None:
        pass

    def _answer(self) -> None:
        length = int(self.headers.get("content-length", 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self.rfile.read(length)
        self.owner.asked.append(Asked(self.command, self.path, headers, body))
        if not self.owner.script:
            self._reply(Reply(500, b"the script is at its end"))
            return
        self._reply(self.owner.script.pop(0))

    do_GET = do_POST = do_DELETE = _answer  # noqa: N815

    def _reply(self, reply: Reply) -> None:
        if reply.body in (CUT, HANG):
            self._stop(reply.body)
            return
        self.send_response_only(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if reply.pieces is None:
            self.send_header("content-length", str(len(reply.body)))
            self.end_headers()
            self.wfile.write(reply.body)
            return
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        self._chunked(reply.pieces)

    def _chunked(self, pieces: Iterable[Piece]) -> None:
        for piece in pieces:
            if isinstance(piece, threading.Barrier):
                piece.wait(60)
                continue
            if isinstance(piece, float):
                time.sleep(piece)
                continue
            if piece in (CUT, HANG):
                self._stop(piece)
                return
            self.wfile.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
            self.wfile.flush()
        self.wfile.write(b"0\r\n\r\n")

    def _stop(self, how: bytes) -> None:
        self.close_connection = True
        if how == CUT:
            return
        self.owner.hanging.set()
        self.connection.settimeout(0.02)
        while not self.owner.stopping.is_set():
            try:
                if self.connection.recv(1) == b"":
                    self.owner.gone.set()
                    return
            except TimeoutError:
                continue
            except OSError:
                self.owner.gone.set()
                return


def closed_port() -> int:
    """A port where nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])

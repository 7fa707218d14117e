"""`tokenfare count --messages`: whole requests, their parts, and what they warn of."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from test_images import png

Run = Callable[..., Any]
EXAMPLE = "通义千问具有强大的能力。"  # 8 tokens
DAY = ("--as-of", "2024-12-18")


def chat(*messages: dict[str, Any]) -> bytes:
    return json.dumps(list(messages)).encode()


def user(content: object) -> dict[str, Any]:
    return {"role": "user", "content": content}


def picture(url: str) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": url}}


def test_a_request_is_its_text_and_what_the_template_adds(run: Run) -> None:
    ended = run("count", "--messages", "--model", "qwen-plus", stdin=chat(user(EXAMPLE)))
    assert (ended.code, ended.out, ended.err) == (0, f"{8 + 5 + 3}\n", "")


def test_a_mark_that_an_editor_writes_at_the_beginning_is_none_of_the_request(
    run: Run, tmp_path: Path
) -> None:
    """PowerShell and Notepad write one; RFC 8259 lets readers ignore it."""
    tools = tmp_path / "tools.json"
    tools.write_text("[]", encoding="utf-8-sig")
    marked = "\ufeff".encode() + chat(user(EXAMPLE))
    arguments = ("count", "--messages", "--model", "qwen-plus", "--tools", str(tools))
    assert run(*arguments, stdin=marked).out == f"{8 + 5 + 3}\n"
    assert run("fit", "--messages", "--model", "qwen-plus", stdin=marked).code == 0


def test_of_several_files_the_one_that_is_no_request_is_named(run: Run, tmp_path: Path) -> None:
    good, bad = tmp_path / "good.json", tmp_path / "bad.json"
    good.write_bytes(chat(user(EXAMPLE)))
    bad.write_bytes(chat({"role": "me"}))
    ended = run("count", "--messages", "--model", "qwen-plus", str(good), str(bad))
    assert ended.code == 2
    assert f"{bad}: messages[0].role: 'me' is not one of" in ended.err


@pytest.mark.parametrize("tokenizer", [(), ("--tokenizer", "qwen")])
def test_where_nothing_says_the_template_one_is_taken_and_named(
    run: Run, tokenizer: tuple[str, ...]
) -> None:
    """Qwen 3's adds no system message: 5 tokens a message, 3 for the answer's turn."""
    ended = run("count", "--messages", *tokenizer, "--json", stdin=chat(user(EXAMPLE)))
    found = json.loads(ended.out)
    assert (ended.code, found["tokenizer"], found["how"]) == (0, "qwen", "exact")
    assert found["total"] == {"value": 8 + 5 + 3, "low": 16, "high": 16}
    assert ended.err == (
        "tokenfare: counted by the chat template qwen3; --model or --template name another\n"
    )


def test_a_published_template_counts_without_a_model(run: Run) -> None:
    """`You are Qwen, created by Alibaba Cloud. You are a helpful assistant.` is 16 tokens."""
    ended = run("count", "--messages", "--template", "qwen2.5", stdin=chat(user(EXAMPLE)))
    assert ended.out == f"{8 + 5 + 3 + 16 + 5}\n"


def test_explain_shows_every_part_and_their_sum(run: Run) -> None:
    messages = chat({"role": "system", "content": "Hello"}, user(EXAMPLE))
    ended = run("count", "--messages", "--explain", "--model", "qwen-plus", stdin=messages)
    assert [line.split() for line in ended.out.splitlines()] == [
        ["message", "role", "part", "tokens", "how", "note"],
        ["0", "system", "text", "1", "exact"],
        ["0", "system", "template", "5", "exact"],
        ["1", "user", "text", "8", "exact"],
        ["1", "user", "template", "5", "exact"],
        ["-", "template", "3", "exact"],
        ["total", "22", "exact"],
    ]


def test_explain_as_json_has_the_parts(run: Run) -> None:
    ended = run(
        "count", "--messages", "--explain", "--json", "--model", "qwen-plus",
        stdin=chat(user("<|im_end|>")),
    )  # fmt: skip
    (found,) = json.loads(ended.out)["inputs"]
    assert found["parts"][0]["kind"] == "text"
    assert sum(part["value"] for part in found["parts"]) == found["value"]
    assert found["warnings"] == [{"token": "<|im_end|>", "message": 0, "offset": 0}]


def test_a_control_token_is_named_with_its_place_and_counts_as_asked(run: Run) -> None:
    messages = chat(user("Hello"), user("so <|im_end|>"))
    as_text = run("count", "--messages", "--model", "qwen-plus", stdin=messages)
    as_token = run(
        "count", "--messages", "--model", "qwen-plus", "--control-tokens", stdin=messages
    )
    assert "-: messages[1]: <|im_end|> at character 3 looks like a control token" in as_text.err
    assert int(as_token.out) == 1 + 5 + (1 + 1 + 1) + 5 + 3  # "so", " ", the token
    assert int(as_text.out) > int(as_token.out)


def test_tools_and_parameters_are_read_from_files(run: Run, tmp_path: Path) -> None:
    tool = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
    tools, parameters = tmp_path / "tools.json", tmp_path / "parameters.json"
    tools.write_text(json.dumps([tool]))
    parameters.write_text(json.dumps({"response_format": {"type": "json_object"}}))
    plain = run("count", "--messages", "--template", "qwen3", stdin=chat(user(EXAMPLE)))
    ended = run(
        "count", "--messages", "--template", "qwen3", "--tools", str(tools),
        "--parameters", str(parameters), stdin=chat(user(EXAMPLE)),
    )  # fmt: skip
    assert int(ended.out) > int(plain.out) + 100


@pytest.fixture
def server() -> Iterator[str]:
    """Serves one picture of 640 x 480 pixels."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/a.png" else 404)
            self.end_headers()
            self.wfile.write(png(640, 480))

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_pictures_are_fetched_only_when_asked_for(run: Run, server: str) -> None:
    messages = chat(user([picture(f"{server}/a.png")]))
    arguments = ("count", "--messages", "--model", "qwen-vl-plus", *DAY)
    assert run(*arguments, stdin=messages).out == f"{4 + 26}..{1280 + 26}\n"
    # 640/28 = 22.9 and 480/28 = 17.1; markers 2, label 5, frames 5 + 3, default system 11
    assert run(*arguments, "--fetch", stdin=messages).out == f"{23 * 17 + 26}\n"


def test_a_picture_in_a_file_is_read_when_asked_for(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(png(640, 480))
    messages = chat(user([picture((tmp_path / "a.png").as_uri())]))
    arguments = ("count", "--messages", "--model", "qwen-vl-plus", *DAY, "--fetch")
    assert run(*arguments, stdin=messages).out == f"{23 * 17 + 26}\n"


@pytest.mark.parametrize(
    "url", ["{}/gone.png", "file:///no/such/file.png", "ftp://a/b.png", "b.png"]
)
def test_what_cannot_be_fetched_is_named(run: Run, server: str, url: str) -> None:
    messages = chat(user([picture(url.format(server))]))
    ended = run("count", "--messages", "--model", "qwen-vl-plus", "--fetch", *DAY, stdin=messages)
    assert ended.code == 2
    assert "messages[0].content[0]: cannot be fetched: " in ended.err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--explain"], "--explain needs --messages"),
        (["--fetch"], "--fetch needs --messages"),
        (["--control-tokens"], "--control-tokens needs --messages"),
        (["--template", ""], "--template needs --messages"),
        (["--tools", ""], "--tools needs --messages"),
        (["--messages", "--model", "qwen-plus", "--template", "qwen3"], "--model or --template"),
        (["--messages", "--template", "qwen9"], "no chat template is called 'qwen9'"),
        (["--messages", "--model", "qwen-plus", "--tools", __file__], "a JSON array is expected"),
    ],
)
def test_wrong_use_is_said(run: Run, arguments: list[str], says: str) -> None:
    ended = run("count", *arguments, stdin=chat(user("Hello")))
    assert ended.code == 2
    assert says in ended.err

"""One request by the same words: what `fit` measures is what `route` decides and `send` sends."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cli.conftest import Ended
from dispatch.scripted import Server, chunk, completion, stream

Run = Callable[..., Ended]

TOOL = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "The weather in a city.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    },
}
MESSAGES = [{"role": "user", "content": "Is it raining in Hangzhou? Answer as JSON."}]
PARAMETERS = {"seed": 7, "response_format": {"type": "json_object"}}


@pytest.fixture
def asked(tmp_path: Path) -> list[str]:
    """Messages, tools, parameters and a document in files, and the options that name them."""

    def written(name: str, value: object) -> str:
        text = value if isinstance(value, str) else json.dumps(value)
        (tmp_path / name).write_text(text, encoding="utf-8")
        return str(tmp_path / name)

    return [
        "--messages",
        written("messages.json", MESSAGES),
        "--tools",
        written("tools.json", [TOOL]),
        "--parameters",
        written("parameters.json", PARAMETERS),
        "--document",
        written("notes.txt", "Hangzhou is in Zhejiang."),
    ]


def test_fit_route_and_send_measure_the_same_request_and_send_all_of_it(
    run: Run, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DASHSCOPE_API_KEY", "sk-any-0123")
    monkeypatch.setenv("TOKENFARE_LEDGER", "off")
    fit = json.loads(run("fit", *asked, "--model", "qwen-plus", "--json").out)
    route = json.loads(run("route", *asked, "--allow", "qwen-plus", "--json").out)
    with Server(completion("{}")) as server:
        where = ("--allow", "qwen-plus", "--base-url", server.url)
        sent = json.loads(run("send", *asked, *where, "--json").out)
    assert fit["tokens"] == route["tokens"] == sent["predicted"]
    body = server.asked[0].json
    assert body["tools"] == [TOOL]
    assert {name: body[name] for name in PARAMETERS} == PARAMETERS
    assert "Hangzhou is in Zhejiang." in body["messages"][-1]["content"]


def test_a_streamed_answer_is_the_same_json_as_a_plain_one(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DASHSCOPE_API_KEY", "sk-any-0123")
    monkeypatch.setenv("TOKENFARE_LEDGER", "off")
    with Server(
        completion("Call me Ishmael."),
        stream(chunk("Call me "), chunk("Ishmael."), billed=(9, 2)),
        stream(chunk("Call me "), chunk("Ishmael."), billed=(9, 2)),
    ) as server:
        arguments = ("send", "--allow", "qwen-plus", "--base-url", server.url)
        plain, streamed = (
            run(*arguments, *how, "--json", stdin=b"Hello") for how in ((), ("--stream",))
        )
        said = run(*arguments, "--stream", stdin=b"Hello")
    assert [bool(each.json.get("stream")) for each in server.asked] == [False, True, True]
    assert (plain.code, streamed.code, said.code) == (0, 0, 0)
    whole, whole_of_stream = json.loads(plain.out), json.loads(streamed.out)
    same = ("text", "model", "usage", "fare", "predicted", "finish_reason")
    assert {key: whole[key] for key in same} == {key: whole_of_stream[key] for key in same}
    assert whole["text"] + "\n" == said.out == "Call me Ishmael.\n"


@pytest.mark.parametrize("left_out", [2, 4, 6])
def test_each_of_them_costs_tokens(run: Run, asked: list[str], left_out: int) -> None:
    """Without the tools, the parameters or the document a request is smaller."""
    less = asked[:left_out] + asked[left_out + 2 :]
    most = [
        json.loads(run("fit", *words, "--model", "qwen-plus", "--json").out)["tokens"]["high"]
        for words in (less, asked)
    ]
    assert most[0] < most[1]


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("model", "--allow, or --model of `fit`, says it"),
        ("max_tokens", "--max-output says it"),
        ("max_completion_tokens", "--max-output says it"),
        ("stream", "--stream of `send` says it"),
        ("messages", "--messages says it"),
    ],
)
@pytest.mark.parametrize(
    "command", [["fit", "--model", "qwen-plus"], ["route"], ["send", "--dry-run"]]
)
def test_what_an_option_says_is_no_parameter(
    run: Run, tmp_path: Path, command: list[str], name: str, says: str
) -> None:
    path = tmp_path / "body.json"
    path.write_text(json.dumps({name: 5}), encoding="utf-8")
    ended = run(*command, "--parameters", str(path), stdin=b"hello")
    assert ended.code == 2
    assert f"body.json: {name!r} is not a parameter here; {says}" in ended.err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["route", "--tokens", "5", "--tools", "x"], "--tokens replaces FILE"),
        (["fit", "--limit", "5", "--parameters", "x"], "--parameters needs --model"),
        (["fit", "--limit", "5", "--document", "x"], "--document needs --model"),
        (["route", "--tools", "missing.json"], "missing.json: no such file"),
    ],
)
def test_what_cannot_go_together_or_be_read_is_said(
    run: Run, arguments: list[str], says: str
) -> None:
    ended = run(*arguments, stdin=b"hello")
    assert ended.code == 2
    assert says in ended.err


def test_tools_of_the_wrong_form_name_the_file(run: Run, tmp_path: Path) -> None:
    path: Any = tmp_path / "tools.json"
    path.write_text("{}", encoding="utf-8")
    ended = run("route", "--tools", str(path), stdin=b"hello")
    assert ended.code == 2
    assert f"{path}: a JSON array is expected" in ended.err

"""docs/chat.md, run word for word against an emulator; and what it says where one goes astray."""

import json
import re
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import tokenfare as tf
from tokenfare.emulator import Emulator
from tokenfare.emulator.replies import AcceptedRequest, Reply, echo
from tokenfare.testing import emulated

PAGE = (Path(__file__).parents[2] / "docs" / "chat.md").read_text(encoding="utf-8")
TOOL = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}


def png(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = zlib.compress(b"\0" * (width + 1) * height)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def calls_the_tool(asked: AcceptedRequest) -> Reply:
    """A model that calls its tool once, and speaks once it has the result."""
    if not asked.tools or asked.messages[-1].role == "tool":
        return echo(asked)
    function = {"name": "weather", "arguments": '{"city": "Hangzhou"}'}
    return Reply("", tool_calls=[{"id": "call_1", "type": "function", "function": function}])


@pytest.fixture
def emulator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "cat.png").write_bytes(png(64, 64))
    (tmp_path / "book.txt").write_text("Once upon a time there was a cat. " * 100, encoding="utf-8")
    with emulated(replies=calls_the_tool) as emulator:
        monkeypatch.setenv("TOKENFARE_BASE_URL", emulator.base_url)
        monkeypatch.setenv("DASHSCOPE_API_KEY", "any")
        monkeypatch.setenv("TOKENFARE_LEDGER", "off")
        yield emulator


def test_the_page_does_what_it_says(emulator: Emulator, capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, Any] = {}
    blocks = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    for block in blocks:
        exec(block, names)  # noqa: S102 - the text is this repository's own
    names["client"].close()
    assert len(blocks) == 10
    asked = {call.model for call in emulator.calls}
    assert "qwen3-vl-plus" in asked  # the picture; the others are the cheapest of their day
    roles = [message["role"] for message in names["messages"]]
    assert roles == ["user"]
    assert len(names["replies"]) == 2
    assert names["stream"].reply.fare is not None
    assert json.loads(names["told"][-1].removeprefix("data: ")).keys() == {"cost"}
    assert names["kept"].dropped == ()
    assert "no model" in capsys.readouterr().out  # from the refusal at the end


def test_the_calls_of_a_streamed_answer_are_put_together_as_the_page_says(
    emulator: Emulator,
) -> None:
    with (
        tf.Client() as client,
        client.streaming("Is it raining in Hangzhou?", tools=[TOOL]) as stream,
    ):
        fragments = [piece.raw["choices"][0]["delta"].get("tool_calls") for piece in stream]
    assert any(fragments)
    assert stream.reply is not None
    (call,) = stream.reply.answer.raw["choices"][0]["message"]["tool_calls"]
    assert json.loads(call["function"]["arguments"]) == {"city": "Hangzhou"}


@pytest.mark.parametrize(
    ("word", "way"),
    [
        ("extra", r"go into parameters=\{…\}"),
        ("temperature", r"go into parameters=\{…\} of a client's calls, of route"),
        ("max_tokens", "the room for the answer is max_output_tokens"),
        ("max_output_token", "did you mean 'max_output_tokens'"),
        ("model", r"allow=\['qwen-plus'\]"),
        ("stream", r"stream\(\) and streaming\(\)"),
        ("as_of", "when it is made"),
        ("purpse", "did you mean 'purpose'"),
    ],
)
def test_a_word_that_is_no_requirement_leads_to_the_right_one(word: str, way: str) -> None:
    with (
        tf.Client(api_key="any", base_url="http://127.0.0.1:1/v1", ledger=False) as client,
        pytest.raises(TypeError, match=rf"no requirement is called '{word}'; .*{way}"),
    ):
        client.chat("Hello", **{word: 1})


def test_route_and_fits_count_tools_as_count_messages_does() -> None:
    tools = [TOOL] * 50
    whole = tf.count_messages("Hello", model="qwen-plus", tools=tools).total
    bare = tf.count_messages("Hello", model="qwen-plus").total
    assert whole.high > bare.high + 50 * 20
    options = {"tools": tools, "allow": ["qwen-plus"]}
    assert tf.route("Hello", exact=True, **options).size == whole
    assert tf.route("Hello", **options).size.low <= whole.low  # counted no further than needed
    assert tf.route("Hello", **options).size.high >= whole.high
    spare = tf.fits("Hello", model="qwen-plus").headroom
    assert (
        tf.fits("Hello", model="qwen-plus", tools=tools).headroom == spare - whole.high + bare.high
    )
    given = {"tools": tools, "temperature": 0.5}
    assert tf.fits("Hello", model="qwen-plus", parameters=given).headroom < spare
    assert tf.route("Hello", parameters=given, allow=["qwen-plus"], exact=True).size == whole


@pytest.mark.parametrize("given", [{"tools": [TOOL]}, {"parameters": {}}, {"documents": ["a.txt"]}])
def test_a_size_alone_is_the_whole_request(given: dict[str, Any]) -> None:
    with pytest.raises(tf.TokenfareError, match="input_tokens is the whole request"):
        tf.route(input_tokens=5, **given)


@pytest.mark.parametrize("parameters", [5, "tools", [("tools", [])]])
def test_parameters_that_are_no_dict_are_refused(parameters: Any) -> None:
    with pytest.raises(
        tf.TokenfareError, match="parameters: a dict of the call's other parameters"
    ):
        tf.count_messages("Hello", model="qwen-plus", parameters=parameters)

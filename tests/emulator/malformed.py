"""Requests in order for each endpoint, and the ways in which anything in them can go wrong."""

from __future__ import annotations

import base64
import copy
from collections.abc import Callable, Iterator, MutableMapping, MutableSequence
from typing import Any

from hypothesis import strategies as st

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\2\0\0\0\2\0\x08\2\0\0\0").decode()
PICTURE = f"data:image/png;base64,{PNG}"
# A second of silence: 8,000 samples of 8 bits.
RIFF = (
    b"RIFF\x64\x1f\0\0WAVEfmt \x10\0\0\0\1\0\1\0\x40\x1f\0\0\x40\x1f\0\0\1\0\x08\0data\x40\x1f\0\0"
)
SOUND = f"data:audio/wav;base64,{base64.b64encode(RIFF + bytes(8_000)).decode()}"
CALL = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
TOOL = {
    "type": "function",
    "function": {
        "name": "f",
        "description": "does",
        "parameters": {"type": "object", "properties": {"a": {"type": "string"}}},
    },
}
HELLO = {"role": "user", "content": "Say hello in json"}
TALK: dict[str, Any] = {
    "model": "qwen-plus",
    "messages": [
        {"role": "system", "content": "Be brief."},
        HELLO,
        {"role": "assistant", "content": None, "tool_calls": [CALL]},
        {"role": "tool", "tool_call_id": "c", "name": "f", "content": "42"},
        {"role": "user", "content": [{"type": "text", "text": "Go on"}]},
    ],
    "tools": [TOOL],
    "tool_choice": {"type": "function", "function": {"name": "f"}},
    "parallel_tool_calls": True,
    "max_tokens": 20,
    "temperature": 0.5,
    "top_p": 0.5,
    "presence_penalty": 0.1,
    "n": 2,
    "seed": 1,
    "stop": ["."],
    "response_format": {"type": "json_object"},
    "stream": True,
    "stream_options": {"include_usage": True},
}
SEEN: dict[str, Any] = {
    "model": "qwen-vl-max",
    "messages": [
        {
            "role": "user",
            "content": [
                {"type": "image_url", "image_url": {"url": PICTURE}},
                {"type": "video", "video": [PICTURE, PICTURE], "fps": 2},
                {"type": "text", "text": "What is it?"},
            ],
        }
    ],
    "vl_high_resolution_images": True,
}
HEARD: dict[str, Any] = {
    "model": "qwen-audio-turbo",
    "messages": [
        {
            "role": "user",
            "content": [
                {"type": "input_audio", "input_audio": {"data": SOUND, "format": "wav"}},
                {"type": "text", "text": "What is it?"},
            ],
        }
    ],
}
READ = {
    "model": "qwen-long",
    "messages": [
        {"role": "system", "content": "Be brief."},
        {"role": "system", "content": "fileid://file-1"},
        HELLO,
    ],
}
NATIVE_TALK = {
    "model": "qwen-turbo",
    "input": {
        "messages": [HELLO, {"role": "assistant", "content": [{"text": "Hi"}]}, HELLO],
        "prompt": "Hello?",
        "history": [{"user": "one", "bot": "two"}],
    },
    "parameters": {
        "result_format": "message",
        "incremental_output": True,
        "max_tokens": 10,
        "tools": [TOOL],
        "stop": "x",
    },
}
JOB = {
    "input_file_id": "file-1",
    "endpoint": "/v1/chat/completions",
    "completion_window": "24h",
    "metadata": {"ds_name": "job"},
}
LINE = {
    "custom_id": "1",
    "method": "POST",
    "url": "/v1/chat/completions",
    "body": {"model": "qwen-turbo", "messages": [HELLO], "max_tokens": 5},
}


def _flipped(content: bytes, flips: list[tuple[int, int]]) -> bytes:
    changed = bytearray(content)
    for place, value in flips:
        changed[place % len(changed)] = value
    return bytes(changed)


FLIPS = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 255)), min_size=1, max_size=4)
# A picture or a sound with some bytes of its head changed.
MEDIA = st.one_of(
    FLIPS.map(lambda flips: _flipped(RIFF + bytes(8), flips)),
    FLIPS.map(lambda flips: _flipped(base64.b64decode(PNG), flips)),
    st.binary(max_size=20),
).map(lambda content: f"data:x/y;base64,{base64.b64encode(content).decode()}")

LEAVES = st.one_of(
    MEDIA,
    st.none(),
    st.booleans(),
    st.integers(-3, 5),
    st.sampled_from([10**30, -(10**30), 2**63, 0.5, -1.0, 1e308, float("nan"), float("inf")]),
    st.text(max_size=8),
    st.sampled_from(
        [
            "",
            "\0",
            "\ud800",
            "<|im_start|>",
            "fileid://",
            "data:image/png;base64,%%%",
            PICTURE,
            PICTURE[:40],
            SOUND,
            SOUND[:60],
            "https://[e/",
            "tool",
            "x" * 3_000,
            "1" * 5_000,
        ]
    ),
)
ANYTHING = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
    ),
    max_leaves=6,
)


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every container in a value with a key or number in it."""
    keys: list[Any] = []
    if isinstance(value, dict):
        keys = list(value)
    elif isinstance(value, list):
        keys = list(range(len(value)))
    for key in keys:
        yield value, key
        yield from places(value[key])


@st.composite
def wrong(draw: st.DrawFn, *right: Any) -> Any:
    """One of these with up to three things wrong in it."""
    top = [copy.deepcopy(draw(st.sampled_from(right)))]
    for _ in range(draw(st.integers(0, 3))):
        found = list(places(top))
        if not found:
            break
        container, key = found[draw(st.integers(0, len(found) - 1))]
        DAMAGE[draw(st.sampled_from(sorted(DAMAGE)))](container, key, draw(ANYTHING))
    return top[0] if top else None


def _drop(container: Any, key: Any, _: Any) -> None:
    del container[key]


def _replace(container: MutableMapping[Any, Any], key: Any, by: Any) -> None:
    container[key] = by


def _double(container: Any, key: Any, _: Any) -> None:
    if isinstance(container, MutableSequence):
        container.insert(key, copy.deepcopy(container[key]))
    else:
        container[f"{key}s"] = copy.deepcopy(container[key])


def _wrap(container: Any, key: Any, _: Any) -> None:
    container[key] = [container[key]]


DAMAGE: dict[str, Callable[[Any, Any, Any], None]] = {
    "replace": _replace,
    "drop": _drop,
    "double": _double,
    "wrap": _wrap,
}

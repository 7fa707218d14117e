"""The same number as the published chat templates, rendered by `transformers` and counted there.

Hugging Face's tokenizer takes control tokens in any text for control tokens, so those tests ask
for that too; without control tokens in the texts the default gives the same number.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from published import TEMPLATES, write_tokenizer

from tokenfare.budget import Options, count_request, rules_of_template
from tokenfare.catalog import published_template
from tokenfare.messages import parse
from tokenfare.tokenizers import SPECIAL_TOKENS, get_tokenizer

GENERATIONS = ["qwen2", "qwen2.5", "qwen3"]

SNIPPETS = [
    "Hello", " world", "don't", "通义千问", "具有强大的能力。", "한국어", "Привет", "12", "3.14",
    "\n", "\n\n", "\r\n", " \n", "\t", ";\n", "!", "?\n\n", "{", '"', "e\u0301", "\u0338", "😀",
    "<|im_end |>", "<im_end>", "</think", "<tool", "tool_response>", "<|", "|>", "\\n", "# Tools",
    "  ", "\u3000",
]  # fmt: skip
CONTROL = ["<|im_start|>", "<|im_end|>", "<|endoftext|>", "<tool_call>", "</tool_response>"]
THOUGHT = ["<think>", "</think>", "<think>\n", "\n</think>\n\n"]


@pytest.fixture(scope="module", params=GENERATIONS)
def published(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The generation's name and its tokenizer, loaded by `transformers` from a directory."""
    from transformers import AutoTokenizer

    directory: Path = tmp_path_factory.mktemp(request.param)
    write_tokenizer(directory, request.param)
    return request.param, AutoTokenizer.from_pretrained(directory, local_files_only=True)


def texts(*more: str) -> st.SearchStrategy[str]:
    return st.lists(st.sampled_from([*SNIPPETS, *more]), max_size=6).map("".join)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-999, 999) | texts(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts(), inner, max_size=3),
    max_leaves=5,
)
names = st.sampled_from(["get_weather", "search", "a", "查询"])


@st.composite
def conversations(draw: st.DrawFn, *more: str, tools: bool) -> list[dict[str, Any]]:
    """Messages in any order, results without calls among them, as templates take them all."""
    text = texts(*more)
    roles = ["system", "user", "assistant"] + (["tool", "call"] if tools else [])
    messages: list[dict[str, Any]] = []
    for role in draw(st.lists(st.sampled_from(roles), min_size=1, max_size=6)):
        if role != "call":
            messages.append({"role": role, "content": draw(text)})
            continue
        calls = draw(
            st.lists(
                st.tuples(names, st.dictionaries(texts(), json_values, max_size=3)),
                min_size=1,
                max_size=3,
            )
        )
        messages.append(
            {
                "role": "assistant",
                "content": draw(text),
                "tool_calls": [
                    {"type": "function", "function": {"name": name, "arguments": arguments}}
                    for name, arguments in calls
                ],
            }
        )
    return messages


tool_lists = st.lists(
    st.builds(
        lambda name, text, default: {
            "type": "function",
            "function": {
                "name": name,
                "description": text,
                "parameters": {
                    "type": "object",
                    "properties": {"x": {"type": "string", "default": default}},
                },
            },
        },
        names,
        texts(),
        json_values,
    ),
    max_size=3,
)


def theirs(tokenizer: Any, messages: Any, tools: Any, **more: Any) -> int:
    text = tokenizer.apply_chat_template(
        messages, tools=tools or None, add_generation_prompt=True, tokenize=False, **more
    )
    return len(tokenizer(text, add_special_tokens=False)["input_ids"])


def ours(generation: str, messages: Any, options: Options) -> int:
    rules = rules_of_template(published_template(generation))
    return int(count_request(parse(messages), rules, get_tokenizer("qwen"), options).total)


def as_sent(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Arguments as the interface has them: a text of JSON."""
    return json.loads(json.dumps(messages), object_hook=_arguments_as_text)


def _arguments_as_text(value: dict[str, Any]) -> dict[str, Any]:
    if isinstance(value.get("arguments"), dict) and "name" in value:
        return value | {"arguments": json.dumps(value["arguments"], ensure_ascii=False)}
    return value


many = settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@many
@given(data=st.data())
def test_conversations_without_control_tokens(published: Any, data: st.DataObject) -> None:
    generation, tokenizer = published
    has_tools = generation != "qwen2"
    messages = data.draw(conversations(tools=has_tools))
    tools = data.draw(tool_lists) if has_tools else []
    counted = ours(generation, as_sent(messages), Options(tools=tuple(tools)))
    assert counted == theirs(tokenizer, messages, tools)


@many
@given(data=st.data())
def test_conversations_with_control_tokens_in_texts(published: Any, data: st.DataObject) -> None:
    generation, tokenizer = published
    has_tools = generation != "qwen2"
    thought = THOUGHT if generation == "qwen3" else []
    messages = data.draw(conversations(*CONTROL, *thought, tools=has_tools))
    tools = data.draw(tool_lists) if has_tools else []
    options = Options(tools=tuple(tools), control_tokens=True)
    assert ours(generation, messages, options) == theirs(tokenizer, messages, tools)


@pytest.mark.parametrize("thinking", [True, False])
def test_an_answer_without_thinking_opens_with_an_empty_thought(
    published: Any, thinking: bool
) -> None:
    generation, tokenizer = published
    messages = [{"role": "user", "content": "Hello"}]
    counted = ours(generation, messages, Options(thinking=thinking))
    assert counted == theirs(tokenizer, messages, [], enable_thinking=thinking)


def test_what_was_thought_before_the_last_question_is_not_counted() -> None:
    def asked(thought: str) -> list[dict[str, str]]:
        answer = f"<think>\n{thought}\n</think>\n\nParis."
        return [
            {"role": "user", "content": "The capital of France?"},
            {"role": "assistant", "content": answer},
            {"role": "user", "content": "And of Spain?"},
        ]

    long, short = asked("word " * 500), asked("word")
    assert ours("qwen3", long, Options()) == ours("qwen3", short, Options())
    assert ours("qwen2.5", long, Options()) > ours("qwen2.5", short, Options()) + 400


def test_the_templates_are_the_published_ones() -> None:
    stated = tomllib.loads((TEMPLATES / "PROVENANCE.toml").read_text(encoding="utf-8"))
    found = {path.name for path in TEMPLATES.glob("*.jinja")}
    assert set(stated) == found
    for name, row in stated.items():
        assert hashlib.sha256((TEMPLATES / name).read_bytes()).hexdigest() == row["sha256"]


def test_the_control_tokens_in_these_tests_are_some() -> None:
    assert set(CONTROL) <= set(SPECIAL_TOKENS["qwen3"])

"""What is billed, held against recorded exchanges of the provider and against arithmetic."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tokenfare.emulator import Reply

EXAMPLE = "通义千问具有强大的能力。"  # 8 tokens: the provider's own example
ROLE = "You are a helpful assistant."  # 6 tokens: a word each, and the full stop


def billed(http: httpx.Client, messages: list[dict[str, Any]], model: str = "qwen-plus") -> int:
    answer = http.post("/chat/completions", json={"model": model, "messages": messages})
    assert answer.status_code == 200, answer.text
    return int(answer.json()["usage"]["prompt_tokens"])


def user(content: str) -> dict[str, str]:
    return {"role": "user", "content": content}


def test_a_message_is_its_text_its_frame_and_the_opening_of_the_answer(http: httpx.Client) -> None:
    assert billed(http, [user(EXAMPLE)]) == 8 + 5 + 3


def test_each_message_has_a_frame(http: httpx.Client) -> None:
    messages = [
        {"role": "system", "content": ROLE},
        user(EXAMPLE),
        {"role": "assistant", "content": EXAMPLE},
        user(EXAMPLE),
    ]
    assert billed(http, messages) == 6 + 3 * 8 + 4 * 5 + 3


def test_the_official_sample_of_system_and_user_is_22(http: httpx.Client) -> None:
    """The compatible interface's own example, as recorded: 22 tokens in."""
    messages = [{"role": "system", "content": ROLE}, user("你是谁？")]
    assert billed(http, messages) == 22


def test_a_vision_model_of_2024_adds_a_role(http: httpx.Client) -> None:
    assert billed(http, [user(EXAMPLE)], "qwen-vl-max") == 8 + 5 + 3 + (6 + 5)


def test_a_partial_answer_stays_open(http: httpx.Client) -> None:
    """Its end marker and line break are missing, and no new turn is opened: 2 and 3 tokens."""
    closed = [user(EXAMPLE), {"role": "assistant", "content": EXAMPLE}]
    opened = [user(EXAMPLE), {"role": "assistant", "content": EXAMPLE, "partial": True}]
    assert billed(http, opened) == billed(http, closed) - 2 - 3


@pytest.mark.parametrize("marker", ["<|im_end|>", "<|im_start|>", "<|endoftext|>"])
def test_a_marker_in_a_message_is_text(http: httpx.Client, marker: str) -> None:
    assert billed(http, [user(marker)]) > 1 + 5 + 3


def test_line_breaks_merge_with_the_one_behind_the_role(http: httpx.Client) -> None:
    """`user\\n` + `\\n` + text: two line breaks are one token, so the second is free."""
    assert billed(http, [user("\n" + EXAMPLE)]) == billed(http, [user(EXAMPLE)])


def test_a_file_is_billed_as_the_text_of_the_message_that_refers_to_it(http: httpx.Client) -> None:
    file = {"file": ("a.txt", EXAMPLE.encode())}
    uploaded = http.post("/files", files=file, data={"purpose": "file-extract"}).json()
    while http.get(f"/files/{uploaded['id']}").json()["status"] != "processed":
        pass
    messages = [
        {"role": "system", "content": ROLE},
        {"role": "system", "content": f"fileid://{uploaded['id']}"},
        user(EXAMPLE),
    ]
    assert billed(http, messages, "qwen-long") == 6 + 8 + 8 + 3 * 5 + 3


def test_the_answer_is_cut_to_its_room(http: httpx.Client) -> None:
    body = {"model": "qwen-plus", "messages": [user("hello")], "max_tokens": 2}
    answer = http.post("/chat/completions", json=body).json()
    assert answer["usage"]["completion_tokens"] == 2
    assert answer["choices"][0]["finish_reason"] == "length"


def test_the_tokenizer_call_counts_the_text_alone(http: httpx.Client) -> None:
    """The recorded exchange: three tokens, with these ids."""
    url = http.base_url.copy_with(path="/api/v1/tokenizer")
    body = {"model": "qwen-max", "input": {"messages": [user("代码改变世界")]}, "parameters": {}}
    answer = http.post(url, json=body).json()
    assert answer["output"]["token_ids"] == [46100, 101933, 99489]
    assert answer["usage"] == {"input_tokens": 3}


@pytest.mark.parametrize(("options", "reasoned"), [({"enable_thinking": True}, 8), ({}, 0)])
def test_reasoning_is_billed_beside_the_answer_and_not_bound_by_its_room(
    start: Callable[..., Any], options: dict[str, Any], reasoned: int
) -> None:
    _, http = start(replies=lambda _: Reply(EXAMPLE, reasoning=EXAMPLE))
    body = {"model": "qwen-plus", "messages": [user("hello")], "max_tokens": 3, **options}
    answer = http.post("/chat/completions", json=body).json()
    message, usage = answer["choices"][0]["message"], answer["usage"]
    assert usage["completion_tokens"] == 3 + reasoned
    assert usage.get("completion_tokens_details", {}).get("reasoning_tokens", 0) == reasoned
    assert message.get("reasoning_content", "") == (EXAMPLE if reasoned else "")

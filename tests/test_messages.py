from types import MappingProxyType

import pytest
from pydantic import BaseModel

from tokenfare import TrimPolicy, count_messages, trim
from tokenfare.errors import InvalidRequestError
from tokenfare.messages import Media, Text, needs, parse


class Answered(BaseModel):
    """As the `openai` package gives an answer's message, which it takes back as it is."""

    role: str


def test_a_text_is_one_message_from_the_user() -> None:
    (message,) = parse("hello")
    assert (message.role, message.text) == ("user", "hello")
    assert message.wire == {"role": "user", "content": "hello"}


def test_unknown_fields_of_a_message_are_kept_for_sending() -> None:
    wire = {"role": "user", "content": "x", "name": "Ada", "cache_control": {"type": "ephemeral"}}
    assert parse([wire])[0].wire == wire


def test_a_picture_splits_the_text_around_it() -> None:
    picture = {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}}
    content = [
        {"type": "text", "text": "a"},
        {"type": "text", "text": "b"},
        picture,
        {"type": "text", "text": "c"},
    ]
    (message,) = parse([{"role": "user", "content": content}])
    assert message.texts == ("ab", "c")
    assert message.parts == (Text("a"), Text("b"), Media("image", picture), Text("c"))
    assert needs([message]) == {"text", "image"}


CALL = {"id": "1", "type": "function", "function": {"name": "search", "arguments": "{}"}}


def test_a_call_of_a_tool_needs_no_content() -> None:
    (message,) = parse([{"role": "assistant", "content": None, "tool_calls": [CALL]}])
    assert message.parts == ()


@pytest.mark.parametrize(
    ("prompt", "says"),
    [
        ("", "the prompt is empty"),
        ([], "list of messages is empty"),
        ({"role": "user", "content": "x"}, "messages are a list"),
        (7, "not int"),
        (b"hello", "or one text, not bytes"),
        (["hello"], r"messages\[0\]: an object"),
        ([{"content": "x"}], r"messages\[0\]\.role: missing; one of assistant"),
        ([{"role": "user", "content": "x"}, {"role": None}], r"messages\[1\]\.role: missing"),
        ([{"role": ["user"], "content": "x"}], r"messages\[0\]\.role: \['user'\] is not one of"),
        (
            [{"role": "assistant", "content": None, "function_call": "search"}],
            r"messages\[0\]\.function_call: an object with name, not str",
        ),
        (
            [{"role": "assistant", "content": None, "tool_calls": "search"}],
            r"messages\[0\]\.tool_calls: a list of calls, not str",
        ),
        (
            [{"role": "assistant", "content": None, "tool_calls": [CALL, {"id": "1"}]}],
            r"messages\[0\]\.tool_calls\[1\]: an object with function\.name",
        ),
        (
            [{"role": "user", "content": "x"}, Answered(role="assistant")],
            r"messages\[1\]: an object with role and content, not Answered; "
            r"give its model_dump\(\), which is a dict",
        ),
        ([{"role": "robot", "content": "x"}], "'robot' is not one of"),
        ([{"role": "user"}], r"messages\[0\]\.content: missing"),
        ([{"role": "user", "content": 5}], "a text or a list of parts, not int"),
        ([{"role": "user", "content": ["x"]}], r"messages\[0\]\.content\[0\]: an object"),
        (
            [{"role": "user", "content": [{"type": "smell"}]}],
            "'smell' is not one of text, image_url",
        ),
        ([{"role": "user", "content": [{"type": "text"}]}], r"content\[0\]\.text: a text"),
        (
            [{"role": "user", "content": [{"type": "image_url", "tokenfare": 7}]}],
            r"content\[0\]\.tokenfare: an object, not int",
        ),
    ],
)
def test_what_is_no_prompt_is_refused_with_its_place(prompt: object, says: str) -> None:
    with pytest.raises(InvalidRequestError, match=says):
        parse(prompt)  # type: ignore[arg-type]


def frozen(value: object) -> object:
    """The same with tuples for lists and read-only mappings for dicts."""
    if isinstance(value, dict):
        return MappingProxyType({key: frozen(each) for key, each in value.items()})
    return tuple(map(frozen, value)) if isinstance(value, list) else value


def test_a_request_is_what_it_says_whatever_sequences_and_mappings_it_is_made_of() -> None:
    """A call in an unusual mapping must not be overlooked, nor pictures in a tuple of parts."""
    tool = {"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}
    picture = {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}}
    chat = [
        {"role": "user", "content": [{"type": "text", "text": "What is this?"}, picture]},
        {"role": "assistant", "content": None, "tool_calls": [CALL]},
        {"role": "tool", "tool_call_id": "1", "content": [{"type": "text", "text": "A cat."}]},
    ]
    usual = count_messages(chat, model="qwen-vl-max", tools=[tool])
    others = [{**message, "content": frozen(message["content"])} for message in chat]
    assert [message.wire for message in parse(others)] == chat
    assert count_messages(others, model="qwen-vl-max", tools=[tool]) == usual
    call = {**CALL, "function": MappingProxyType(CALL["function"])}
    with pytest.raises(InvalidRequestError, match="cannot be written as JSON"):
        count_messages([{**chat[1], "tool_calls": (call,)}], model="qwen-max")


def test_only_the_text_of_a_tuple_of_parts_is_cut() -> None:
    picture = {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}}
    parts = ({"type": "text", "text": "long " * 900}, picture)
    policy = TrimPolicy(cut="start")
    found = trim([{"role": "user", "content": parts}], 3_000, model="qwen-vl-max", policy=policy)
    assert [part["type"] for part in found.messages[0]["content"]] == ["text", "image_url"]


def test_what_is_said_beside_a_text_is_sent_although_a_size_is_stated() -> None:
    """The mark of what a cache is to keep, for example."""
    marked = {"type": "text", "text": "x", "cache_control": {"type": "ephemeral"}}
    picture = {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}}
    stated = {**picture, "tokenfare": {"width": 640, "height": 480}}
    (message,) = parse([{"role": "user", "content": [marked, stated]}])
    assert message.wire["content"] == [marked, picture]

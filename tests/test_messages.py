import pytest

from tokenfare.errors import InvalidRequestError
from tokenfare.messages import Media, Text, needs, parse


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
        (["hello"], r"messages\[0\]: an object"),
        ([{"content": "x"}], r"messages\[0\]\.role: missing; one of assistant"),
        ([{"role": "user", "content": "x"}, {"role": None}], r"messages\[1\]\.role: missing"),
        ([{"role": ["user"], "content": "x"}], r"messages\[0\]\.role: \['user'\] is none of"),
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
        ([{"role": "robot", "content": "x"}], "'robot' is none of"),
        ([{"role": "user"}], r"messages\[0\]\.content: missing"),
        ([{"role": "user", "content": 5}], "a text or a list of parts, not int"),
        ([{"role": "user", "content": ["x"]}], r"messages\[0\]\.content\[0\]: an object"),
        ([{"role": "user", "content": [{"type": "smell"}]}], "'smell' is none of text, image_url"),
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

"""A conversation that grows, and many chats at once: the same numbers as counted one by one."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import tokenfare as tf
from models import IMAGES, model
from tokenfare.budget import Conversation, Options, Rules, count_chats, count_request, rules_of
from tokenfare.budget import rules_of_template as of_template
from tokenfare.budget.message_tokens import MessageCounter
from tokenfare.catalog import ChatTemplate, ToolRules, published_template
from tokenfare.errors import InvalidRequestError
from tokenfare.messages import Message, parse
from tokenfare.tokenizers import Count, get_tokenizer, measurer

QWEN = get_tokenizer("qwen")
TOOL = {"type": "function", "function": {"name": "f", "description": "查询", "parameters": {}}}
AGENT = ToolRules(form="hermes", parallel_form="qwen-agent", certain=("parallel, Chinese",))
HERMES = ToolRules(form="hermes", certain=("single", "parallel"))

texts = st.sampled_from(["", "Hello", "\n\nHello", " x", "通义千问", "<|im_end|>", "a" * 300])
pictures = st.builds(
    lambda size: {
        "type": "image_url",
        "image_url": {"url": "https://example.com/a.png"},
        "tokenfare": {"width": size, "height": size},
    },
    st.sampled_from([56, 560]),
)
contents = texts | st.lists(
    pictures | st.builds(lambda text: {"type": "text", "text": text}, texts), max_size=3
)
messages = st.one_of(
    st.fixed_dictionaries({"role": st.sampled_from(["user", "system"]), "content": contents}),
    st.fixed_dictionaries({"role": st.just("tool"), "content": texts}),
    st.fixed_dictionaries(
        {"role": st.just("assistant"), "content": texts},
        optional={
            "partial": st.just(True),
            "tool_calls": st.just([{"function": {"name": "f", "arguments": '{"a": 1}'}}]),
        },
    ),
)
JOINED = Rules("vl", ChatTemplate(5, 3, default_system="\n Be kind."), images=IMAGES)
"""With a default system message that joins the line break before it."""

rules = st.sampled_from(
    [
        rules_of(model(images=IMAGES)),
        rules_of(model(images=IMAGES, tools=HERMES)),
        rules_of(model(images=IMAGES, tools=AGENT)),
        Rules("vl", ChatTemplate(5, 3, default_system="You are helpful."), images=IMAGES),
        JOINED,
        Rules("unknown", ChatTemplate(5, 3, per_message_bounds=(0, 9)), images=IMAGES),
    ]
)
options = st.builds(
    Options,
    tools=st.sampled_from([(), (TOOL,)]),
    parallel_calls=st.booleans(),
    control_tokens=st.booleans(),
)


@settings(max_examples=300, deadline=None)
@given(
    chat=st.lists(messages, min_size=1, max_size=8),
    rules=rules,
    options=options,
    tokenizer=st.sampled_from(["qwen", "qwen3.5"]),
)
def test_a_conversation_counts_as_the_whole_request_at_every_step(
    chat: list[dict[str, Any]], rules: Rules, options: Options, tokenizer: str
) -> None:
    growing = Conversation(rules, measurer(tokenizer), options)
    for i, message in enumerate(chat):
        total = growing.add(message)
        whole = count_request(parse(chat[: i + 1]), rules, measurer(tokenizer), options)
        assert (total.low, total.value, total.high) == (
            whole.total.low,
            whole.total.value,
            whole.total.high,
        )
        assert growing.count() == whole


def test_a_template_that_drops_reasoning_counts_the_whole_each_time() -> None:
    rules = of_template(published_template("qwen3"))
    growing = Conversation(rules, QWEN)
    chat: list[dict[str, str]] = []
    for role, content in [
        ("user", "Hello"),
        ("assistant", "<think>\nwell\n</think>\n\nHi"),
        ("user", "Bye"),
    ]:
        chat.append({"role": role, "content": content})
        assert growing.add(chat[-1]) == count_request(parse(chat), rules, QWEN).total


def test_an_empty_conversation_is_nothing() -> None:
    growing = Conversation(rules_of(model()), QWEN)
    assert (len(growing), growing.total, growing.count().parts) == (0, Count.exactly(0), ())


def test_a_message_that_is_none_is_refused_by_its_index_and_not_added() -> None:
    growing = Conversation(rules_of(model()), QWEN)
    growing.add({"role": "user", "content": "Hello"})
    with pytest.raises(InvalidRequestError, match=r"messages\[1\]\.role: missing"):
        growing.add({"content": "Hello"})
    assert len(growing) == 1


@pytest.mark.parametrize("text", ["Hello", "你好"])
@pytest.mark.parametrize("before", [0, 1, 2])
def test_a_message_that_the_model_cannot_take_leaves_the_count_as_it_was(
    before: int, text: str
) -> None:
    """Also the words for tools, which the refused message would have made Chinese."""
    tool = {"type": "function", "function": {"name": "f", "parameters": {}}}
    rules, options = rules_of(model(tools=AGENT)), Options(tools=(tool,))
    chat = [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "x"}][:before]
    growing = Conversation(rules, QWEN, options)
    growing.extend(chat)
    was = growing.total
    picture = {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}
    with pytest.raises(InvalidRequestError, match=rf"messages\[{before}\].*takes no image"):
        growing.add({"role": "user", "content": [{"type": "text", "text": text}, picture]})
    assert (len(growing), growing.total) == (before, was)
    more = [{"role": "assistant", "content": "y"}, {"role": "user", "content": "z"}]
    whole = count_request(parse([*chat, *more]), rules, QWEN, options)
    assert growing.extend(more) == whole.total
    assert growing.count() == whole


class Watching:
    """A measurer that keeps what it was asked."""

    name = "watching"

    def __init__(self) -> None:
        self.asked: list[str] = []

    def measure(self, text: str) -> Count:
        self.asked.append(text)
        return QWEN.measure(text)


def test_one_more_message_costs_that_message() -> None:
    watching = Watching()
    growing = Conversation(rules_of(model()), watching)
    for i in range(50):
        growing.add({"role": ("user", "assistant")[i % 2], "content": f"message {i} " * 100})
    watching.asked.clear()
    growing.add({"role": "user", "content": "the last one"})
    assert watching.asked == ["the last one"]


@settings(max_examples=60, deadline=None)
@given(chat=st.lists(messages, min_size=1, max_size=6), rules=rules)
def test_messages_added_together_are_as_added_one_by_one(chat: list[Any], rules: Rules) -> None:
    one_by_one, together = Conversation(rules, QWEN), Conversation(rules, QWEN)
    sizes = [one_by_one.add(message) for message in chat]
    assert together.extend(chat) == sizes[-1] == together.total
    assert together.count() == one_by_one.count()


def test_messages_added_together_by_a_template_that_drops_reasoning_are_too() -> None:
    chat = [
        {"role": "user", "content": "Hello"},
        {"role": "assistant", "content": "<think>\nA greeting.\n</think>\n\nHi!"},
        {"role": "user", "content": "How are you?"},
    ]
    rules = of_template(published_template("qwen3"))
    one_by_one, together = Conversation(rules, QWEN), Conversation(rules, QWEN)
    assert together.extend(chat) == [one_by_one.add(message) for message in chat][-1]


def test_of_messages_added_together_those_before_the_wrong_one_stay() -> None:
    growing = Conversation(rules_of(model()), QWEN)
    growing.add({"role": "user", "content": "Hello"})
    with pytest.raises(InvalidRequestError, match=r"messages\[2\]\.role: 'robot'"):
        growing.extend([{"role": "user", "content": "x"}, {"role": "robot", "content": "y"}])
    assert len(growing) == 2


def test_a_long_conversation_is_trimmed_in_time_that_grows_with_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """By Qwen 3's template, too, whose counts are of the whole: 5,000 messages took minutes."""
    counted: list[int] = []
    parts = MessageCounter.parts

    def watched(counter: MessageCounter, *positional: Any, **more: Any) -> Any:
        counted.append(len(positional))
        return parts(counter, *positional, **more)

    copied: list[int] = []

    def copy(conversation: Conversation) -> tuple[Message, ...]:
        copied.append(len(conversation))
        return tuple(conversation._messages)

    monkeypatch.setattr(MessageCounter, "parts", watched)
    monkeypatch.setattr(Conversation, "messages", property(copy))
    roles = ("user", "assistant")
    chat = [{"role": roles[i % 2], "content": f"message {i}"} for i in range(501)]
    assert 0 < len(tf.trim(chat, 1_000).messages) < 501
    assert len(counted) < 12 * 501
    assert len(copied) < 20


@settings(max_examples=100, deadline=None)
@given(chats=st.lists(st.lists(messages, min_size=1, max_size=5), max_size=6), rules=rules)
@example(chats=[[{"role": "user", "content": "Hello"}]], rules=JOINED)
def test_many_chats_count_as_each_of_them(chats: list[Any], rules: Rules) -> None:
    each = [count_request(parse(chat), rules, QWEN).total for chat in chats]
    assert count_chats(chats, rules, QWEN) == each


def test_many_chats_may_be_texts_and_the_broken_one_is_named() -> None:
    rules = rules_of(model())
    assert count_chats(["Hello", "Hello"], rules, QWEN) == [Count.exactly(1 + 5 + 3)] * 2
    with pytest.raises(InvalidRequestError, match=r"chats\[1\]: messages\[0\]\.role: 'robot'"):
        count_chats(["Hello", [{"role": "robot", "content": "x"}]], rules, QWEN)
    with pytest.raises(InvalidRequestError, match=r"chats\[0\]: messages\[0\]\.role: \['user'\]"):
        count_chats([[{"role": ["user"], "content": "x"}]], rules, QWEN)


def test_a_conversation_takes_the_keywords_of_a_count() -> None:
    chat = [{"role": "user", "content": "Hello"}]
    keywords: dict[str, Any] = {"tools": [TOOL], "parameters": {"parallel_tool_calls": True}}
    growing = tf.conversation(model="qwen-max", **keywords)
    growing.add(chat[0])
    assert growing.total == tf.count_messages(chat, model="qwen-max", **keywords).total
    assert growing.total != tf.count_messages(chat, model="qwen-max").total
    with pytest.raises(
        InvalidRequestError, match="parameters: a dict of the call's other parameters"
    ):
        tf.conversation(model="qwen-max", parameters=["tools"])  # type: ignore[arg-type]  # the mistake
    assert tf.trim(chat, 4_000, model="qwen-max", **keywords).count == growing.total

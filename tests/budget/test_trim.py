"""Shortening conversations: what stays, what goes, and what it costs to ask again."""

from __future__ import annotations

import itertools
from datetime import date
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import tokenfare
from models import model
from tokenfare import CannotTrim, TrimPolicy
from tokenfare.budget import Conversation, RequestCount, count_request, rules_of, trim
from tokenfare.errors import InvalidRequestError
from tokenfare.messages import parse
from tokenfare.tokenizers import Count, get_tokenizer

RULES = rules_of(model("made-up"))
QWEN = get_tokenizer("qwen")

some = settings(
    max_examples=200,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)


def said(role: str, content: str, **more: Any) -> dict[str, Any]:
    return {"role": role, "content": content, **more}


def call(*ids: str) -> dict[str, Any]:
    calls = [
        {"id": i, "type": "function", "function": {"name": "look", "arguments": "{}"}} for i in ids
    ]
    return {"role": "assistant", "content": None, "tool_calls": calls}


def result(of: str, content: str = "found") -> dict[str, Any]:
    return said("tool", content, tool_call_id=of)


def conversation(messages: list[dict[str, Any]]) -> Conversation:
    made = Conversation(RULES, QWEN)
    for message in messages:
        made.add(message)
    return made


def size(messages: Any) -> int:
    """Count anew, by the function that knows nothing of trimming."""
    return count_request(parse(list(messages)), RULES, QWEN).total.high


CHAT = [
    said("system", "Be brief."),
    said("user", "What is the capital of France?"),
    said("assistant", "Paris."),
    said("user", "And of Italy?"),
    said("assistant", "Rome."),
    said("user", "And of Spain?"),
]


def test_what_fits_is_left_alone():
    found = trim(conversation(CHAT), size(CHAT), TrimPolicy())
    assert list(found.messages) == CHAT
    assert (found.dropped, found.shortened) == ((), None)
    assert found.count == Count.exactly(size(CHAT))


def test_the_oldest_turn_goes_first_and_whole():
    found = trim(conversation(CHAT), size(CHAT) - 1, TrimPolicy())
    assert list(found.messages) == [CHAT[0], *CHAT[3:]]
    assert [(d.index, d.message, d.why) for d in found.dropped] == [
        (1, CHAT[1], "oldest first"),
        (2, CHAT[2], "oldest first"),
    ]
    # "What is the capital of France?" is 7 tokens, "Paris." 2, and 5 stand around each.
    assert [d.tokens.high for d in found.dropped] == [7 + 5, 2 + 5]
    assert found.count.high == size(CHAT) - 7 - 2 - 2 * 5


def test_the_system_message_and_the_last_question_stay_to_the_end():
    least = [CHAT[0], CHAT[-1]]
    found = trim(conversation(CHAT), size(least), TrimPolicy())
    assert list(found.messages) == least
    with pytest.raises(CannotTrim, match=r"\(1 too many\): messages\[0\] \(system\)") as caught:
        trim(conversation(CHAT), size(least) - 1, TrimPolicy())
    assert (caught.value.tokens, caught.value.limit) == (size(least), size(least) - 1)


def test_a_policy_may_let_the_system_message_go():
    found = trim(conversation(CHAT), size(CHAT) - 1, TrimPolicy(keep_system=False))
    assert list(found.messages) == CHAT[1:]


def test_a_call_goes_with_all_its_results():
    chat = [
        said("user", "Compare the two."),
        call("a", "b"),
        result("a", "first " * 30),
        result("b", "second " * 30),
        call("c"),
        result("c", "third"),
    ]
    found = trim(conversation(chat), size(chat) - 1, TrimPolicy())
    assert list(found.messages) == [chat[0], *chat[4:]]
    assert [d.index for d in found.dropped] == [1, 2, 3]


def test_a_result_without_its_call_is_dropped_and_said():
    chat = [said("user", "Well?"), result("lost"), said("user", "So?")]
    found = trim(conversation(chat), 10_000, TrimPolicy())
    assert list(found.messages) == [chat[0], chat[2]]
    assert [(d.index, d.why) for d in found.dropped] == [(1, "a result without its call")]


def test_a_result_whose_id_is_no_text_has_no_call():
    odd = result("a") | {"tool_call_id": [["a"]]}
    chat = [said("user", "Well?"), call("a"), odd, said("user", "So?")]
    found = trim(conversation(chat), 10_000, TrimPolicy())
    assert [(d.index, d.why) for d in found.dropped] == [(2, "a result without its call")]


def test_results_that_name_no_call_belong_to_the_calls_before_them():
    old = {
        "role": "assistant",
        "content": None,
        "function_call": {"name": "look", "arguments": "{}"},
    }
    chat = [
        said("user", "Look."),
        old,
        said("function", "seen " * 50, name="look"),
        said("assistant", "Done."),
        said("user", "Thanks. Now rest."),
    ]
    found = trim(conversation(chat), size([chat[-1]]), TrimPolicy())
    assert list(found.messages) == [chat[-1]]


@pytest.mark.parametrize(
    ("cut", "stays"),
    [("start", "start"), ("end", "end"), ("ends", "both")],
)
def test_the_last_question_may_be_cut_where_nothing_else_is_left(cut, stays):
    chat = [said("system", "Be brief."), said("user", "First " + "middle " * 500 + "last.")]
    found = trim(conversation(chat), 100, TrimPolicy(cut=cut))
    text = found.messages[1]["content"]
    assert found.messages[0] == chat[0]
    assert size(found.messages) == found.count.high
    assert 97 <= found.count.high <= 100
    assert text.startswith("First ") == (stays in {"start", "both"})
    assert text.endswith("last.") == (stays in {"end", "both"})
    assert found.shortened is not None
    assert found.shortened.message == chat[1]
    assert found.shortened.characters == len(chat[1]["content"]) - len(text)


def test_a_text_part_is_cut_and_the_other_parts_stay():
    parts = [{"type": "text", "text": "short"}, {"type": "text", "text": "long " * 300}]
    found = trim(conversation([said("user", parts)]), 60, TrimPolicy(cut="start"))
    first, second = found.messages[0]["content"]
    assert first == parts[0]
    assert parts[1]["text"].startswith(second["text"])
    assert size(found.messages) <= 60


def test_an_answer_to_be_continued_stays():
    chat = [*CHAT, said("assistant", "The capital is", partial=True)]
    found = trim(conversation(chat), size([CHAT[0], CHAT[-1], chat[-1]]), TrimPolicy())
    assert list(found.messages) == [CHAT[0], CHAT[-1], chat[-1]]


texts = st.sampled_from(["", "word", "some longer text here", "\n\nbreaks", "你好", "x " * 40])
turns = st.one_of(
    st.tuples(st.sampled_from(["user", "assistant", "system"]), texts),
    st.tuples(st.just("call"), st.lists(st.sampled_from("abc"), min_size=1, max_size=2)),
    st.tuples(st.just("result"), st.sampled_from("abc")),
)


def written(turn: tuple[str, Any]) -> dict[str, Any]:
    kind, what = turn
    if kind == "call":
        return call(*what)
    return result(what) if kind == "result" else said(kind, what)


@some
@given(
    chat=st.lists(turns.map(written), min_size=1, max_size=14),
    share=st.floats(0, 1),
    keep_system=st.booleans(),
    keep_last_turn=st.booleans(),
)
def test_the_laws(chat, share, keep_system, keep_last_turn):
    limit = max(1, int(size(chat) * share))
    policy = TrimPolicy(keep_system=keep_system, keep_last_turn=keep_last_turn)
    try:
        found = trim(conversation(chat), limit, policy)
    except CannotTrim as error:
        assert error.tokens > error.limit  # noqa: PT017 - no error is as good
        return
    except InvalidRequestError as error:
        assert "result" in str(error)  # noqa: PT017 - nothing but results without calls
        return
    kept = list(found.messages)
    assert size(kept) == found.count.high <= limit
    gone = {d.index for d in found.dropped}
    assert kept == [message for i, message in enumerate(chat) if i not in gone]
    assert [d.message for d in found.dropped] == [chat[i] for i in sorted(gone)]
    if keep_system:
        assert [m for m in kept if m["role"] == "system"] == [
            m for m in chat if m["role"] == "system"
        ]
    asked = [m for m in chat if m["role"] == "user"]
    if keep_last_turn and asked:
        assert asked[-1] in kept
    known: set[str] = set()
    for message in kept:
        if message["role"] == "tool":
            assert message["tool_call_id"] in known, "a result stands without its call"
        known |= {c["id"] for c in message.get("tool_calls", ())}


@some
@given(questions=st.lists(texts, min_size=1, max_size=8), data=st.data())
def test_no_turn_is_dropped_that_could_have_stayed(questions, data):
    """The naive twin: drop the oldest turn, count, and again."""
    pairs = [[said("user", q), said("assistant", "An answer.")] for q in questions[:-1]]
    last = [said("user", questions[-1])]
    everything = [*itertools.chain(*pairs), *last]
    limit = data.draw(st.integers(size(last), size(everything) + 1))
    for dropped in range(len(pairs) + 1):
        naive = [*itertools.chain(*pairs[dropped:]), *last]
        if size(naive) <= limit:
            break
    assert list(trim(conversation(everything), limit, TrimPolicy()).messages) == naive


class Spy:
    """A measurer that keeps what it was asked to count."""

    name = "spy"

    def __init__(self) -> None:
        self.asked: list[str] = []

    def measure(self, text: str) -> Count:
        self.asked.append(text)
        return QWEN.measure(text)


def test_adding_a_message_and_asking_again_counts_that_message_only():
    spy = Spy()
    chat = Conversation(RULES, spy)
    for i in range(200):
        chat.add(said("user", f"question {i}"))
        chat.add(said("assistant", f"answer {i}"))
    chat.add(said("user", "the last"))
    trim(chat, 500, TrimPolicy())
    spy.asked.clear()
    chat.add(said("user", "one more"))
    found = trim(chat, 500, TrimPolicy())
    assert found.messages[-1]["content"] == "one more"
    assert set(spy.asked) <= {"one more", "the last"}


def with_reasoning(calls: int) -> list[dict[str, Any]]:
    """A question and a long chain of calls, each reasoned before: the template keeps all of it."""
    chat = [said("user", "Go on until it is done.")]
    for i in range(calls):
        chat.append({**call(f"c{i}"), "reasoning_content": f"thought {i} " * 40})
        chat.append(result(f"c{i}"))
    return chat


def test_reasoning_that_stays_is_counted_with_its_message():
    chat = with_reasoning(20)
    total = tokenfare.count_messages(chat, template="qwen3").total.value
    found = tokenfare.trim(chat, total // 2, template="qwen3")
    assert found.dropped
    # What was dropped and what was kept are the whole, where counts add up.
    assert sum(d.tokens.value for d in found.dropped) == total - found.count.value
    growing = tokenfare.conversation(template="qwen3")
    growing.extend(chat)
    of_messages = tokenfare.count_messages(chat, template="qwen3").messages
    assert tuple(growing.tokens_of(i) for i in range(len(chat))) == of_messages


def test_a_chain_of_calls_with_reasoning_is_counted_few_times(monkeypatch):
    """Each count is of the whole request there, so counting for each call would be quadratic."""
    counted = []

    def spy(*arguments: Any) -> RequestCount:
        counted.append(1)
        return count_request(*arguments)

    monkeypatch.setattr("tokenfare.budget.conversation.count_request", spy)
    chat = with_reasoning(100)
    total = tokenfare.count_messages(chat, template="qwen3").total.value
    for limit in (total // 2, total - 1, 200):
        counted.clear()
        found = tokenfare.trim(chat, limit, template="qwen3")
        assert total > limit >= found.count.value
        assert 0 < len(counted) < 12
    growing = tokenfare.conversation(template="qwen3")
    growing.extend(chat)
    counted.clear()
    assert [growing.tokens_of(i) for i in range(len(chat))] == growing.sizes()
    assert len(counted) == 1


def test_the_first_page_knows_models_templates_and_conversations():
    long = [*CHAT[:1], *(said("user", "word " * 3_000) for _ in range(20)), CHAT[-1]]
    found = tokenfare.trim(long, model="qwen-max", max_output_tokens=2_000)
    assert found.limit == 30_720
    assert tokenfare.fits(found.messages, model="qwen-max", max_output_tokens=2_000)
    tighter = tokenfare.trim(long, 10_000, model="qwen-max")
    assert tighter.count.high <= 10_000
    assert len(tighter.messages) < len(found.messages)
    by_template = tokenfare.trim(long, 10_000)
    assert (
        by_template.count == tokenfare.count_messages(by_template.messages, template="qwen3").total
    )
    growing = tokenfare.conversation(model="qwen-max")
    for message in long:
        growing.add(message)
    assert tokenfare.trim(growing, 10_000).messages == tighter.messages


def test_a_model_without_vocabulary_is_trimmed_by_its_bound():
    chat = [said("user", "word " * 100), said("assistant", "yes"), said("user", "and " * 500)]
    found = tokenfare.trim(chat, 400, model="qwen3.5-plus", policy=TrimPolicy(cut="end"))
    assert found.count.high <= 400
    assert found.messages[0]["content"].endswith("and ")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"max_tokens": 0}, "max_tokens is 0; a limit is at least 1 token"),
        ({"max_tokens": -5}, "max_tokens is -5"),
        ({"max_tokens": "5"}, "max_tokens is a whole number, not '5'"),
        ({"max_tokens": 5.5, "model": "qwen-max"}, "max_tokens is a whole number, not 5.5"),
        ({}, "give max_tokens, a model, or both"),
        ({"model": "qwen-max", "max_output_tokens": 40_000}, "leaves no room for a request"),
        ({"max_tokens": 100, "parameters": 5}, "parameters: a dict of the call's other parameters"),
        ({"model": "qwen-max", "template": "qwen3"}, "give either a model or a template.*both are"),
    ],
)
def test_what_cannot_be_meant_is_refused(arguments, says):
    with pytest.raises(InvalidRequestError, match=says):
        tokenfare.trim(CHAT, **arguments)


def test_a_policy_says_which_part_may_stay():
    with pytest.raises(InvalidRequestError, match="cut is 'middle'; it is one of start, end, ends"):
        TrimPolicy(cut="middle")


def test_a_character_that_does_not_fit_cannot_be_cut():
    chat = [said("user", "👩\u200d👩\u200d👧" * 5)]
    with pytest.raises(CannotTrim):
        trim(conversation(chat), 5 + 3 + 2, TrimPolicy(cut="start"))


def test_a_conversation_is_trimmed_to_the_limits_of_how_it_is_asked() -> None:
    """A thinking qwen-turbo takes an eighth of what it takes else, whichever way it is asked."""
    asked: dict[str, Any] = {"parameters": {"enable_thinking": True}}
    chat = [{"role": "user", "content": "Why is the sky blue?"}]
    day = tokenfare.Catalog.load().as_of(date(2026, 5, 1))
    growing = tokenfare.conversation(model="qwen-turbo", catalog=day, **asked)
    growing.extend(chat)
    listed = tokenfare.trim(chat, model="qwen-turbo", catalog=day, **asked)
    grown = tokenfare.trim(growing, model="qwen-turbo", catalog=day)
    assert (grown.limit, grown.count) == (listed.limit, listed.count)
    assert grown.limit < tokenfare.trim(chat, model="qwen-turbo", catalog=day).limit


@pytest.mark.parametrize(
    "extra", [{"tools": []}, {"template": "qwen2.5"}, {"parameters": {"enable_thinking": True}}]
)
def test_what_a_conversation_has_is_not_given_a_second_time(extra: dict[str, Any]) -> None:
    growing = tokenfare.conversation(model="qwen-max")
    growing.add({"role": "user", "content": "Hello"})
    with pytest.raises(InvalidRequestError, match=f"has {next(iter(extra))} of its own"):
        tokenfare.trim(growing, 100, **extra)

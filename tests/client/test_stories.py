"""Whole calls: what was chosen, sent, tried again, billed, and that the prediction held."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import anyio
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tokenfare import AsyncClient, Catalog, Client, Document, NoModelFits, Reply
from tokenfare.emulator import Drop, Emulator, Refuse, scripted, throttled
from tokenfare.errors import AuthenticationError, BadRequestError, ProviderError, RateLimitError

EXAMPLE = "通义千问具有强大的能力。"  # 8 tokens, the provider's own example

Emulate = Callable[..., tuple[Emulator, str]]
Chat = Callable[..., Reply]


def test_the_bill_is_the_prediction(emulate: Emulate, chat: Chat) -> None:
    _, url = emulate()
    reply = chat(url, EXAMPLE)
    assert reply.model == "qwen-turbo"
    assert reply.usage.input_tokens == int(reply.predicted.total) == 8 + 5 + 3
    assert reply.fare is not None
    assert reply.decision.fare.low <= reply.fare <= reply.decision.fare.high


LETTERS = "ab Z9.\n\r\t\u3000\u0301é中文한ㅏ🇨🇳👩\u200d<|im_end|>'s-_=\x00\u2028"
AWKWARD = st.text(st.sampled_from(LETTERS), min_size=1, max_size=30)
ROLES = st.sampled_from(["user", "assistant"])


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    first=st.none() | AWKWARD,
    turns=st.lists(st.tuples(ROLES, AWKWARD), max_size=4),
    last=AWKWARD,
)
def test_any_conversation_is_billed_as_predicted(
    emulate: Emulate, catalog: Catalog, first: str | None, turns: list[tuple[str, str]], last: str
) -> None:
    """The emulator renders the chat and counts it with tiktoken: two ways to one number."""
    _, url = emulate()
    messages = [{"role": "system", "content": first}] if first else []
    messages += [{"role": role, "content": content} for role, content in turns]
    messages.append({"role": "user", "content": last})
    with Client(api_key="sk-any", base_url=url, catalog=catalog) as client:
        reply = client.chat(messages)
    assert int(reply.predicted.total) == reply.usage.input_tokens


def test_a_throttled_call_is_sent_again_and_billed_once(emulate: Emulate, chat: Chat) -> None:
    emulator, url = emulate(faults=scripted(throttled(0.001)))
    reply = chat(url, "hello")
    assert [a.outcome for a in reply.attempts] == ["throttled", "answered"]
    assert sum(call.usage is not None for call in emulator.calls) == 1


def test_a_broken_connection_is_tried_again(emulate: Emulate, chat: Chat) -> None:
    _, url = emulate(faults=scripted(Drop()))
    assert [a.outcome for a in chat(url, "hello").attempts] == ["broken", "answered"]


def test_the_next_model_of_the_ranking_answers_when_the_first_cannot(
    emulate: Emulate, chat: Chat
) -> None:
    busy = Refuse(503, "ModelServingError")
    _, url = emulate(faults=scripted(busy, busy))  # both attempts of the first model
    reply = chat(url, "hello", allow=["qwen-turbo", "qwen-plus"])
    assert reply.decision.model.id == "qwen-turbo"
    assert reply.model == "qwen-plus"
    assert [(a.model, a.outcome) for a in reply.attempts] == [
        ("qwen-turbo", "fault"),
        ("qwen-turbo", "fault"),
        ("qwen-plus", "answered"),
    ]


def test_without_escalation_the_first_failure_stands(emulate: Emulate, chat: Chat) -> None:
    _, url = emulate(faults=scripted(throttled(0.001), throttled(0.001)))
    with pytest.raises(RateLimitError):
        chat(url, "hello", client={"escalate": False})


def test_when_every_model_fails_the_last_error_carries_all_attempts(
    emulate: Emulate, chat: Chat
) -> None:
    _, url = emulate(faults=lambda _: Refuse(503, "ModelServingError"))
    with pytest.raises(ProviderError) as caught:
        chat(url, "hello", allow=["qwen-turbo", "qwen-plus"])
    tried = [getattr(a, "model", None) for a in caught.value.attempts]
    assert tried == ["qwen-turbo", "qwen-turbo", "qwen-plus", "qwen-plus"]
    assert "(2 attempts in " in str(caught.value)
    assert str(caught.value).endswith("(the last of 2 models, 4 attempts with all of them)")


def test_a_wrong_key_is_not_tried_on_other_models(emulate: Emulate, chat: Chat) -> None:
    emulator, url = emulate(keys=["sk-right"])
    with pytest.raises(AuthenticationError):
        chat(url, "hello")
    assert len(emulator.calls) == 1


def test_a_long_text_is_uploaded_and_billed_as_predicted(emulate: Emulate, chat: Chat) -> None:
    emulator, url = emulate()
    text = f"{EXAMPLE}\n" * 130_000  # 8 tokens a line: the full stop and the line's end are one
    reply = chat(url, text)
    assert reply.model == "qwen-long"
    assert reply.usage.input_tokens == int(reply.predicted.total) > 130_000 * 8
    assert any(call.path.endswith("/files") for call in emulator.calls)


def test_documents_go_inline_where_a_model_takes_no_files(emulate: Emulate, chat: Chat) -> None:
    emulator, url = emulate()
    document = Document("a.txt", EXAMPLE)
    reply = chat(url, "hello", documents=[document], allow=["qwen-turbo"])
    assert reply.usage.input_tokens == int(reply.predicted.total)
    assert not any(call.path.endswith("/files") for call in emulator.calls)


def test_documents_are_uploaded_where_a_model_takes_files(emulate: Emulate, chat: Chat) -> None:
    emulator, url = emulate()
    document = Document("a.txt", EXAMPLE)
    reply = chat(url, "hello", documents=[document], allow=["qwen-long"])
    # A role, the document, the question: 5 for each, 3 for the answer, and "hello" is one token.
    role = (
        len(["You", "are", "a", "helpful", "assistant."]) + 1
    )  # a token a word, and the full stop
    assert reply.usage.input_tokens == int(reply.predicted.total) == 3 * 5 + 3 + role + 8 + 1
    assert any(call.path.endswith("/files") for call in emulator.calls)


@pytest.mark.parametrize(
    ("name", "sent"),
    [("/home/me/secret/notes.md", "notes.md"), ("code.py", "code.py.txt"), ("-", "-.txt")],
)
def test_an_uploaded_document_keeps_its_folder_to_itself(
    emulate: Emulate, chat: Chat, name: str, sent: str
) -> None:
    emulator, url = emulate()
    chat(url, "hello", documents=[Document(name, EXAMPLE)], allow=["qwen-long"])
    (file,) = emulator.files.page()[0]
    assert file.name == sent


def test_what_fits_nowhere_is_not_sent(emulate: Emulate, chat: Chat) -> None:
    emulator, url = emulate()
    with pytest.raises(NoModelFits):
        chat(url, "hello", max_output_tokens=1_000_000)
    assert not emulator.calls


def test_extra_parameters_reach_the_provider(emulate: Emulate, chat: Chat) -> None:
    _, url = emulate()
    with pytest.raises(BadRequestError):
        chat(url, "hello", parameters={"temperature": "hot"}, client={"escalate": False})


def test_a_call_with_tools_is_billed_within_its_prediction(emulate: Emulate, chat: Chat) -> None:
    _, url = emulate()
    parameters = {"type": "object", "properties": {"city": {"type": "string"}}}
    tool = {"type": "function", "function": {"name": "weather", "parameters": parameters}}
    reply = chat(url, "hello", tools=[tool])
    predicted = reply.predicted.total
    assert predicted.low <= reply.usage.input_tokens <= predicted.high
    assert not predicted.exact


def test_json_mode_and_a_seed_go_along_and_are_billed_as_predicted(
    emulate: Emulate, chat: Chat
) -> None:
    _, url = emulate()
    extra = {"response_format": {"type": "json_object"}, "seed": 7}
    reply = chat(url, "Say hello in JSON.", parameters=extra)
    assert json.loads(reply.text)["answer"].startswith("qwen-turbo read")
    predicted = reply.predicted.total
    assert predicted.low <= reply.usage.input_tokens <= predicted.high


def test_the_room_for_the_answer_is_kept(emulate: Emulate, chat: Chat) -> None:
    _, url = emulate(replies=["one two three four five six"])
    reply = chat(url, "hello", max_output_tokens=3)
    assert (reply.text, reply.usage.output_tokens) == ("one two three", 3)
    assert reply.answer.finish_reason == "length"


def test_a_stream_gives_the_pieces_of_the_whole_answer(emulate: Emulate, catalog: Catalog) -> None:
    _, url = emulate()
    with (
        Client(api_key="sk-any", base_url=url, catalog=catalog) as client,
        client.streaming(EXAMPLE) as pieces,
    ):
        text = "".join(piece.text for piece in pieces)
        assert pieces.reply is not None
        assert pieces.reply.text == text
        assert pieces.reply.usage.input_tokens == 8 + 5 + 3


def test_a_stream_to_await_gives_the_same(emulate: Emulate, catalog: Catalog) -> None:
    _, url = emulate()

    async def ask() -> tuple[str, Any]:
        async with (
            AsyncClient(api_key="sk-any", base_url=url, catalog=catalog) as client,
            client.streaming(EXAMPLE) as pieces,
        ):
            text = "".join([piece.text async for piece in pieces])
            return text, pieces.reply

    text, reply = anyio.run(ask)
    assert reply.text == text
    assert reply.usage.input_tokens == 8 + 5 + 3


def test_the_key_is_in_no_representation(emulate: Emulate, catalog: Catalog) -> None:
    _, url = emulate()
    client = Client(api_key="sk-secret-1234", base_url=url, catalog=catalog)
    assert "secret" not in repr(client) + repr(vars(client))

"""What a caller may ask of the model beside its name, and another model after the one named."""

from __future__ import annotations

from typing import Any

import pytest

from tokenfare import Catalog, NoModelFits, route
from tokenfare.emulator import named, scripted
from tokenfare.gateway.chat_body import chat_of
from tokenfare.gateway.narrowing import narrowed, words_of
from tokenfare.money import Money
from tokenfare.router import Requirements, requirements_from

from .conftest import HELLO, Stand, Start


def answered_by(stand: Stand, words: dict[str, Any], **fields: Any) -> str:
    answer = stand.chat(tokenfare=words, **fields)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["model"])


def test_words_narrow_the_choice(start: Start) -> None:
    stand = start()
    assert answered_by(stand, {}) == "qwen-turbo"
    assert answered_by(stand, {"deny": ["qwen-turbo*"]}) != "qwen-turbo"
    assert answered_by(stand, {"allow": ["qwen-max", "qwen-plus"]}) == "qwen-plus"
    assert "coder" in answered_by(stand, {"purpose": "code"})
    assert answered_by(stand, {"kinds": ["snapshot"]}).startswith("qwen")


def test_a_gateway_that_expects_long_answers_takes_a_request_for_a_short_one(start: Start) -> None:
    stand = start(
        gateway={"requirements": Requirements(max_output_tokens=900, expected_output_tokens=800)}
    )
    assert stand.chat(max_tokens=100).status_code == 200
    assert answered_by(stand, {"expected_output_tokens": 50}, max_tokens=100) == "qwen-turbo"


def test_the_field_stays_here_and_what_is_unknown_goes_on() -> None:
    chat = chat_of(
        {"model": "auto", "messages": HELLO, "tokenfare": {"deny": []}, "top_k": 5, "max_tokens": 9}
    )
    assert chat.parameters == {"top_k": 5}
    assert (chat.room, chat.words) == (9, {"deny": []})


def test_a_ceiling_on_one_call(start: Start) -> None:
    """9 tokens at 0.0003 yuan a thousand and 100 at 0.0006 are 0.0000627 yuan."""
    stand = start()
    assert answered_by(stand, {"max_fare": "0.0000627 CNY"}, max_tokens=100) == "qwen-turbo"
    answer = stand.chat(tokenfare={"max_fare": "0.0000626 CNY"}, max_tokens=100)
    assert (answer.status_code, answer.json()["error"]["code"]) == (402, "max_fare_exceeded")


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (1, 400, "tokenfare: an object, not int"),
        ({"alow": ["qwen-*"]}, 400, "tokenfare.alow: no such key; nearest: allow"),
        ({"allow": "qwen-*"}, 400, "tokenfare.allow: "),
        ({"allow": ["qwne-plus"]}, 400, "nearest: qwen-plus"),
        ({"max_fare": "cheap"}, 400, "tokenfare.max_fare: "),
        ({"max_output_tokens": 5}, 400, "say max_tokens beside it"),
        ({"region": "singapore"}, 400, "tokenfare.region: that is the gateway's to say"),
        ({"access": ["trial"]}, 400, "tokenfare.access: that is the gateway's to say"),
        ({"providers": ["dashscope"]}, 400, "that is the gateway's to say"),
        ({"batch": True}, 400, "that is the gateway's to say"),
        ({"unstated_limits": True}, 400, "that is the gateway's to say"),
        ({"answers": 3}, 400, "tokenfare.answers: say n beside it"),
        ({"escalate": "yes"}, 400, "tokenfare.escalate: "),
        ({"expected_output_tokens": 9_999}, 400, "at most the room"),
        # Python needed seconds for each of these, in which no other caller was answered.
        ({"allow": ["[!" * 101]}, 400, "allow: at most 200 characters in a word, not 202"),
        ({"families": ["a" * 201]}, 400, "at most 200 characters in a word, not 201"),
        ({"deny": ["qwen-max"] * 251}, 400, "tokenfare.deny: at most 250 words, not 251"),
        ({"purpose": "general"}, 400, "this gateway asks for code already"),
        ({"allow": ["qwen-max"]}, 403, "this gateway allows none of qwen-max"),
    ],
)
def test_what_they_may_not_say(start: Start, words: Any, status: int, said: str) -> None:
    own = Requirements(purpose="code", allow=("*coder*",))
    stand = start(gateway={"requirements": own})
    answer = stand.chat(tokenfare=words)
    error = answer.json()["error"]
    assert (answer.status_code, error["param"]) == (status, "tokenfare"), error
    assert said in error["message"]
    assert len(stand.emulator.calls) == 0


@pytest.mark.parametrize(
    ("own", "words"),
    [
        ({"allow": ["qwen-*"]}, {"allow": ["*max*"]}),
        ({"deny": ["qwen-max*"]}, {"allow": ["qwen-max", "qwen-plus"]}),
        ({"deny": ["qwen-max*"]}, {"deny": ["qwen-plus*"]}),
        ({"max_fare": "0.01 CNY"}, {"max_fare": "1 CNY"}),
        ({"max_fare": "1 CNY"}, {"max_fare": "0.01 CNY"}),
        ({"kinds": ["stable"]}, {}),
        ({}, {"kinds": ["latest"], "min_headroom": 30_000}),
        ({"min_headroom": 30_000}, {"min_headroom": 1}),
        ({"needs": ["image"]}, {"needs": ["text"]}),
        ({"thinking": False}, {"thinking": True}),
    ],
)
def test_words_never_let_a_model_in_that_the_gateway_keeps_out(
    catalog: Catalog, own: Any, words: dict[str, Any]
) -> None:
    """By routing with each alone: what both together rank, each of them ranks."""

    def ranked(requirements: Requirements) -> set[str]:
        try:
            found = route(input_tokens=9, profile=requirements, catalog=catalog)
        except NoModelFits:
            return set()
        return {entry.model.id for entry in found.ranked}

    base = requirements_from(own, Requirements(max_output_tokens=500))
    alone = requirements_from(words_of(words).given, Requirements(max_output_tokens=500))
    together = ranked(narrowed(base, words_of(words), 500, catalog))
    assert together == ranked(base) & ranked(alone)


def test_a_ceiling_in_another_currency_is_not_compared(catalog: Catalog) -> None:
    base = Requirements(max_fare=Money.parse("1", "CNY"))
    with pytest.raises(Exception, match="give yours in CNY"):
        narrowed(base, words_of({"max_fare": "1 USD"}), 500, catalog)


def test_another_model_answers_after_the_one_named_if_asked_for(start: Start) -> None:
    stand = start(faults=scripted(named("no-access"), None, named("no-access")))
    answer = stand.chat(model="qwen-max", tokenfare={"escalate": True})
    assert answer.headers["x-tokenfare-decided"] == "qwen-max"
    assert answer.headers["x-tokenfare-model"] == "qwen-turbo"
    assert [call.model for call in stand.emulator.calls] == ["qwen-max", "qwen-turbo"]
    assert stand.chat(model="qwen-max").status_code == 403


@pytest.mark.parametrize("stream", [False, True])
def test_another_model_answers_where_the_one_named_is_too_small(start: Start, stream: bool) -> None:
    stand = start()
    long = [{"role": "user", "content": "word " * 31_000}]
    options: dict[str, Any] = {"model": "qwen-max", "messages": long, "stream": stream}
    assert stand.chat(**options).status_code == 400
    answer = stand.chat(**options, tokenfare={"escalate": True})
    assert answer.status_code == 200
    assert [call.model for call in stand.emulator.calls] == ["qwen-turbo"]
    body = {**options, "tokenfare": {"escalate": True}}
    told = stand.http.post("/tokenfare/route", json=body).json()
    assert told["model"] == "qwen-turbo"


def test_what_is_denied_stays_so_beyond_the_model_that_was_named(start: Start) -> None:
    stand = start(
        gateway={"requirements": Requirements(deny=("qwen-turbo*",))},
        faults=scripted(named("no-access")),
    )
    answer = stand.chat(model="qwen-max", tokenfare={"escalate": True, "deny": ["qwen-plus*"]})
    assert answer.status_code == 200
    second = stand.emulator.calls[1].model
    assert second is not None
    assert not second.startswith(("qwen-turbo", "qwen-plus"))


def test_no_other_model_answers_for_auto_if_that_is_not_wanted(start: Start) -> None:
    stand = start(faults=scripted(named("no-access"), named("no-access")))
    assert stand.chat(tokenfare={"escalate": False}).status_code == 403
    assert stand.chat().status_code == 200

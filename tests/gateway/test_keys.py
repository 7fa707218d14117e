"""Who is let in, whose key is used, and that no secret is seen anywhere."""

from __future__ import annotations

import hmac
import logging
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tokenfare import AsyncClient
from tokenfare.dispatch import Secret
from tokenfare.emulator import named
from tokenfare.errors import InputError, InvalidRequestError
from tokenfare.gateway import Gateway, Token, serve, tokens_in, tokens_of
from tokenfare.gateway.error_responses import Refusal
from tokenfare.gateway.keys import Authenticator
from tokenfare.ledger import Ledger, spent

from .conftest import HELLO, KEY, Start

TOKEN = "gw-token-0123456789abcdef"  # noqa: S105 - of these tests alone
OTHER = "gw-other-0123456789abcdef"
CALLERS = "sk-of-a-caller-0123456789"


def token(text: str = TOKEN, project: str | None = None) -> Token:
    return Token(Secret(text), project)


def bearer(text: str) -> dict[str, str]:
    return {"authorization": f"Bearer {text}"}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        (bearer(TOKEN[:-1]), 401),
        (bearer(TOKEN + "x"), 401),
        (bearer("tökén-0123456789abcdef"), 401),
        ({"authorization": TOKEN}, 401),
        ({"authorization": f"Basic {TOKEN}"}, 401),
        ({"x-tokenfare-token": TOKEN}, 401),
        (bearer(TOKEN), 200),
        ({"authorization": f"bearer   {TOKEN}"}, 200),
        (bearer(OTHER), 200),
    ],
)
def test_only_who_shows_a_token_is_let_in(
    start: Start, headers: dict[str, str], status: int
) -> None:
    stand = start(gateway={"tokens": [token(), token(OTHER)]})
    raw = {name: value.encode() for name, value in headers.items()}
    for path, method in (
        ("/chat/completions", "POST"),
        ("/tokenfare/route", "POST"),
        ("/models", "GET"),
        ("/models/qwen-plus", "GET"),
    ):
        body: Any = {"model": "auto", "messages": HELLO} if method == "POST" else None
        answer = stand.http.request(method, path, json=body, headers=raw)
        assert answer.status_code == status, (path, answer.text)
        if status == 401:
            assert answer.json()["error"]["code"] == "invalid_api_key"
            assert TOKEN[:-1] not in answer.text
    assert len(stand.emulator.calls) == (1 if status == 200 else 0)
    root = stand.url.removesuffix("/v1")
    assert stand.http.get(f"{root}/health").status_code == 200


def test_the_gateways_token_does_not_travel_on(start: Start) -> None:
    """The emulator knows the gateway's key alone, so it was that which arrived."""
    stand = start(gateway={"tokens": [token()]}, keys={KEY})
    assert stand.chat(headers=bearer(TOKEN)).status_code == 200


def test_callers_may_bring_their_own_key(start: Start) -> None:
    stand = start(gateway={"caller_keys": True}, keys={CALLERS})
    assert stand.chat(headers=bearer(CALLERS)).status_code == 200
    answer = stand.chat(headers=bearer("sk-of-nobody-0123456789"))
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "invalid_api_key")
    assert "sk-of-nobody" not in answer.text
    answer = stand.chat()
    assert (answer.status_code, answer.json()["error"]["type"]) == (401, "authentication_error")
    assert len([call for call in stand.emulator.calls if call.status == 200]) == 1


def test_with_keys_of_callers_the_token_has_a_header_of_its_own(start: Start) -> None:
    stand = start(gateway={"caller_keys": True, "tokens": [token()]}, keys={CALLERS})
    assert stand.chat(headers=bearer(CALLERS)).status_code == 401
    both = {**bearer(CALLERS), "x-tokenfare-token": TOKEN}
    assert stand.chat(headers=both).status_code == 200
    assert stand.chat(headers=both, stream=True).text.endswith("data: [DONE]\n\n")


def test_a_refused_gateway_key_is_nothing_to_the_caller(start: Start) -> None:
    stand = start(keys={"sk-another-0123456789"})
    answer = stand.chat()
    assert (answer.status_code, answer.json()["error"]["code"]) == (502, "upstream_key_refused")
    assert KEY not in answer.text


def test_no_secret_is_in_an_answer_or_a_log(
    start: Start, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    quoting = named("refused", {"status": 400, "code": "odd", "message": f"{KEY} {CALLERS}"})
    told: list[str] = []
    for caller_keys in (False, True):
        stand = start(
            gateway={"tokens": [token()], "caller_keys": caller_keys},
            faults=lambda attempt: quoting if attempt.number % 2 else None,
        )
        headers = {**bearer(CALLERS if caller_keys else TOKEN), "x-tokenfare-token": TOKEN}
        for fields in ({}, {"model": "qwen-plus"}, {"stream": True}, {"model": "no-such"}):
            answer = stand.chat(headers=headers, **fields)
            told.append(answer.text + repr(answer.headers))
        told += [repr(stand.gateway), repr(stand.gateway.authenticator), repr(stand.gateway.client)]
        # What is quoted of a key is taken out where that key was used; the other is none there.
        mine = CALLERS if caller_keys else KEY
        assert not [text for text in told[-7:] if mine in text]
    seen = "".join(told) + caplog.text + "".join(capfd.readouterr())
    assert TOKEN not in seen
    assert "tokenfare" in seen


def test_the_ledger_holds_no_secret(start: Start) -> None:
    stand = start(gateway={"tokens": [token()]})
    stand.chat(headers=bearer(TOKEN))
    for file in stand.ledger.parent.glob("ledger.sqlite3*"):
        content = file.read_bytes()
        assert KEY.encode() not in content
        assert TOKEN.encode() not in content


def projects(ledger: Path) -> dict[str, int]:
    with Ledger(ledger) as books:
        return {row.key[0]: row.calls for row in spent(books, by=["project"])}


def test_a_call_is_of_the_project_of_its_token_or_that_which_it_names(start: Start) -> None:
    stand = start(
        client={"project": "house"},
        gateway={"tokens": [token(), token(OTHER, "night")], "name_projects": True},
    )
    named_one = {"x-tokenfare-project": "day"}
    assert stand.chat(headers=bearer(TOKEN)).status_code == 200
    assert stand.chat(headers={**bearer(TOKEN), **named_one}, stream=True).status_code == 200
    assert stand.chat(headers=bearer(OTHER)).status_code == 200
    answer = stand.chat(headers={**bearer(OTHER), **named_one})
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "project_not_allowed")
    long = {**bearer(TOKEN), "x-tokenfare-project": "x" * 101}
    assert stand.chat(headers=long).status_code == 403
    assert projects(stand.ledger) == {"house": 1, "day": 1, "night": 1}


def test_a_project_is_not_named_unless_that_is_allowed(start: Start) -> None:
    stand = start()
    answer = stand.chat(headers={"x-tokenfare-project": "day"})
    assert (answer.status_code, answer.json()["error"]["param"]) == (403, "x-tokenfare-project")
    assert len(stand.emulator.calls) == 0


def test_a_ceiling_of_a_project_stops_that_project(start: Start) -> None:
    stand = start(client={"ceilings": ["day: 100 tokens"]}, gateway={"name_projects": True})
    day = {"x-tokenfare-project": "day"}
    answer = stand.chat(headers=day)  # 9 tokens, and room for 8,192
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["type"]) == (
        402,
        "ceiling_reached",
        "insufficient_quota",
    )
    assert answer.headers["x-should-retry"] == "false"
    assert 0 < int(answer.headers["retry-after"]) <= 24 * 60 * 60
    assert error["tokenfare"]["asked"] == str(9 + 8_192)
    assert stand.chat(headers=day, max_tokens=50).status_code == 200
    assert stand.chat().status_code == 200


def test_a_ceiling_for_each_project_stops_the_one_that_reached_it(start: Start) -> None:
    """Each call of 9 tokens with room for 50 answers with some 15, so the second may go above."""
    stand = start(client={"ceilings": ["*: 70 tokens"]}, gateway={"name_projects": True})

    def ask(project: str) -> int:
        headers = {"x-tokenfare-project": project}
        return int(stand.chat(headers=headers, max_tokens=50).status_code)

    assert [ask("ada"), ask("ada"), ask("bob"), ask("bob")] == [200, 402, 200, 402]


def test_every_token_is_compared_whole_whatever_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """How long it takes says neither which token was nearest nor how near."""
    compared: list[tuple[int, int]] = []
    real = hmac.compare_digest

    def compare(one: bytes, other: bytes) -> bool:
        compared.append((len(one), len(other)))
        return real(one, other)

    monkeypatch.setattr(hmac, "compare_digest", compare)
    authenticator = Authenticator((token(), token(OTHER), token("x" * 99)))
    for shown in (TOKEN, OTHER, TOKEN[:-1], "x" * 99, "y"):
        compared.clear()
        with suppress(Refusal):
            authenticator.admit(bearer(shown))
        assert compared == [(32, 32)] * 3, shown


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("short", "line 1: an access token has at least 16 characters"),
        ("# none\n\n", "no access token is in it"),
        (f"{TOKEN}\ntökén-0123456789abcdef\n", "line 2: the key holds characters"),
    ],
)
def test_a_file_of_tokens_that_is_none(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "tokens"
    file.write_text(text)
    with pytest.raises(InputError, match=words) as caught:
        tokens_of(file)
    assert "tökén" not in str(caught.value)
    with pytest.raises(InputError, match="no such file"):
        tokens_of(tmp_path / "none")


def test_tokens_in_a_file_and_in_a_variable(tmp_path: Path) -> None:
    file = tmp_path / "tokens"
    file.write_text(f"# of the house\n{TOKEN}\n\n{OTHER}\tnight shift\n")
    assert tokens_of(file) == (token(), token(OTHER, "night shift"))
    assert tokens_in(f" {TOKEN}\n{OTHER} ") == (token(), token(OTHER))
    with pytest.raises(InvalidRequestError, match="at least 16"):
        tokens_in("short")


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1"])  # noqa: S104 - to be refused
def test_strangers_are_not_let_in_without_tokens(host: str) -> None:
    gateway = Gateway(AsyncClient(api_key=KEY, ledger=False))
    with pytest.raises(InvalidRequestError, match="can be reached from other machines"):
        serve(gateway, host)


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost:80", 200),
        ("127.0.0.1", 200),
        ("[::1]:8643", 200),
        ("evil.example", 421),
        ("127.0.0.1.evil.example:8643", 421),
        ("", 421),
        ("[", 421),
    ],
)
def test_a_web_page_that_passes_for_this_machine_is_not_answered(
    start: Start, host: str, status: int
) -> None:
    stand = start()
    assert stand.chat(headers={"host": host}).status_code == status
    guarded = start(gateway={"tokens": [token()]})
    answer = guarded.chat(headers={"host": "gateway.example", **bearer(TOKEN)})
    assert answer.status_code == 200

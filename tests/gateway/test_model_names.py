"""What the word in `model` means, and what is listed."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from tokenfare import Catalog
from tokenfare.cli.main import tokenfare as command_line
from tokenfare.errors import InvalidRequestError
from tokenfare.router import Requirements

from .conftest import HELLO, Stand, Start

openai = pytest.importorskip("openai", reason="openai is not installed (extra `clients`)")

CODER = Requirements(purpose="code")


@pytest.fixture
def stand(start: Start) -> Stand:
    return start(gateway={"profiles": {"coder": CODER}})


def listed(stand: Stand) -> list[str]:
    return [model["id"] for model in stand.http.get("/models").json()["data"]]


def test_a_profile_chooses_among_its_own(stand: Stand) -> None:
    model = stand.chat(model="auto:coder").json()["model"]
    assert "coder" in model
    assert stand.chat(model="auto").json()["model"] == "qwen-turbo"


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("qwen-plsu", "qwen-plus"),
        ("auto:codr", "auto:coder"),
        ("auot", "auto"),
        ("qwen-plus-1127x", "qwen-plus-2024-11-27"),
    ],
)
def test_an_unknown_name_is_not_found_and_the_nearest_are_named(
    stand: Stand, name: str, nearest: str
) -> None:
    answer = stand.chat(model=name)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["param"]) == (404, "model_not_found", "model")
    near = error["message"].partition("nearest: ")[2].partition(";")[0]
    assert nearest in near.split(", ")
    assert stand.http.get(f"/models/{name}").status_code == 404
    assert len(stand.emulator.calls) == 0


@pytest.mark.parametrize("name", ["qwen-plus-1127", "dashscope/qwen-plus-2024-11-27"])
def test_other_spellings_of_a_model_are_that_model(stand: Stand, name: str) -> None:
    assert stand.chat(model=name).json()["tokenfare"]["decided"] == "qwen-plus-2024-11-27"


def test_what_is_listed_can_be_called_and_the_rest_cannot(stand: Stand) -> None:
    names = listed(stand)
    assert names[:2] == ["auto", "auto:coder"]
    assert "qwen-plus" in names
    everything = {model.id for model in stand.gateway.client.catalog.models(all=True)}
    for name in everything - set(names):
        answer = stand.chat(model=name, max_tokens=1)
        assert answer.status_code in {400, 404}, (name, answer.text)
        assert stand.http.get(f"/models/{name}").status_code == 404
    assert len(stand.emulator.calls) == 0
    for name in names:
        answer = stand.chat(model=name, max_tokens=1)
        assert answer.status_code == 200, (name, answer.text)


def test_an_alias_stands_for_a_model_or_a_choice(start: Start) -> None:
    """For applications that hold a name which no model here has."""
    aliases = {"gpt-4o": "qwen-max", "gpt-*": "auto", "coder": "auto:coder"}
    stand = start(gateway={"profiles": {"coder": CODER}, "aliases": aliases})

    def model(word: str) -> str:
        return str(stand.chat(model=word).json()["model"])

    assert (model("gpt-4o"), model("gpt-4o-mini")) == ("qwen-max", "qwen-turbo")
    assert "coder" in model("coder")
    assert stand.chat(model="o3").status_code == 404
    names = listed(stand)
    assert names[:4] == ["auto", "auto:coder", "gpt-4o", "coder"]
    assert not [name for name in names if "*" in name]
    assert stand.http.get("/models/gpt-4o").json()["id"] == "gpt-4o"
    with pytest.raises(InvalidRequestError, match="alias gpt-5: no model is called 'qwen-mxa'"):
        start(gateway={"aliases": {"gpt-5": "qwen-mxa"}})


def test_the_sdk_reads_the_list(stand: Stand) -> None:
    with openai.OpenAI(api_key="any", base_url=stand.url, max_retries=0) as client:
        assert [model.id for model in client.models.list()] == listed(stand)
        assert client.models.retrieve("qwen-max").owned_by == "dashscope"
        assert client.models.retrieve("auto:coder").owned_by == "tokenfare"


def test_what_the_gateway_denies_is_not_called_and_not_listed(start: Start) -> None:
    stand = start(gateway={"requirements": Requirements(deny=("qwen-max*",), allow=("qwen-*",))})
    answer = stand.chat(model="qwen-max")
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "model_not_allowed")
    assert "'qwen-max*'" in answer.json()["error"]["message"]
    assert stand.chat(model="llama3.3-70b-instruct").status_code in {403, 404}
    assert stand.chat(model="qwen-plus").status_code == 200
    assert not [name for name in listed(stand) if name.startswith("qwen-max")]


def test_what_the_gateway_asks_holds_for_a_named_model_too(start: Start) -> None:
    stand = start(gateway={"requirements": Requirements(purpose="code")})
    answer = stand.chat(model="qwen-plus")
    assert answer.status_code == 400
    assert "made for" in answer.json()["error"]["message"]


def test_a_retired_model_is_not_found_with_its_day(start: Start) -> None:
    stand = start(catalog=Catalog.load(day=date(2026, 11, 29)))
    error = stand.chat(model="qwen-turbo-2024-02-06").json()["error"]
    assert error["code"] == "model_not_found"
    assert "retired on" in error["message"]


@pytest.mark.parametrize("fields", [{"model": "auto"}, {"model": "qwen-max", "max_tokens": 50}])
def test_the_way_of_a_request_is_told_as_on_the_command_line(
    stand: Stand,
    fields: dict[str, Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = tmp_path / "messages.json"
    file.write_text(json.dumps(HELLO))
    options = ["--max-output", str(fields.get("max_tokens", 8_192)), "--as-of", "2024-12-18"]
    if fields["model"] != "auto":
        options += ["--allow", fields["model"]]
    monkeypatch.setenv("TOKENFARE_LIMITER", "off")
    command_line(
        ["send", str(file), "--messages", "--dry-run", "--json", *options], standalone_mode=False
    )
    told = json.loads(capsys.readouterr().out)
    answer = stand.http.post("/tokenfare/route", json={"messages": HELLO, **fields})
    assert answer.json() == told
    assert len(stand.emulator.calls) == 0


def test_the_way_of_a_request_that_no_model_takes_is_told_too(stand: Stand) -> None:
    body = {"model": "qwen-max", "messages": HELLO, "max_tokens": 9_000}
    answer = stand.http.post("/tokenfare/route", json=body)
    assert answer.status_code == 200
    assert answer.json()["model"] is None
    refusal = next(r for r in answer.json()["rejected"] if r["model"] == "qwen-max")
    assert (refusal["reason"], refusal["over"]) == ("max_output", 9_000 - 8_192)


def test_the_way_of_a_request_without_room_has_what_the_model_has(stand: Stand) -> None:
    long = [{"role": "user", "content": "word " * 26_000}]
    body = {"model": "qwen-max", "messages": long}
    told = stand.http.post("/tokenfare/route", json=body).json()
    assert (told["model"], told["max_output_tokens"]) == ("qwen-max", 32_768 - 26_009)


def test_health_asks_nobody(stand: Stand) -> None:
    root = stand.url.removesuffix("/v1")
    assert stand.http.get(f"{root}/health").json() == {"status": "ok"}
    assert len(stand.emulator.calls) == 0

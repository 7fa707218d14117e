"""A model that the endpoint calls by another name than its id is served under that name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tokenfare import Catalog
from tokenfare.emulator import Emulator

Start = Callable[..., tuple[Emulator, httpx.Client]]

OURS = """
from = 2024-12-01
source = "contract"
provider = "dashscope"
family = "own"
[sources.contract]
title = "Our contract"
where = "here"
as_of = 2024-12-01
[shared]
access = [{ kind = "paid" }]
modalities = [{ takes = ["text"] }]
purposes = [{ made_for = ["general"] }]
regions = [{ served_in = ["cn-beijing"] }]
tokenizer = [{ name = "qwen" }]
chat = [{ per_message = 5, per_reply = 3 }]
[[model]]
id = "ours/small"
sent_as = "small"
kind = "stable"
limits = [{ context = 64 }]
prices = [{ currency = "CNY", per = 1_000_000, input = "0.001", output = "0.001" }]
[[model]]
id = "ours/old-twin"
sent_as = "small"
kind = "stable"
retired = { on = 2024-12-10 }
limits = [{ context = 32 }]
[[model]]
id = "ours/turbo"
sent_as = "qwen-turbo"
kind = "stable"
limits = [{ context = 32 }]
[[model]]
id = "ours/gone"
sent_as = "gone"
kind = "stable"
retired = { on = 2024-12-10 }
limits = [{ context = 64 }]
"""


@pytest.fixture
def http(start: Start, catalog: Catalog, tmp_path: Path) -> httpx.Client:
    path = tmp_path / "ours.toml"
    path.write_text(OURS, encoding="utf-8")
    return start(catalog=catalog.overlay(path))[1]


def asked(http: httpx.Client, model: str, text: str = "hello") -> httpx.Response:
    messages = [{"role": "user", "content": text}]
    return http.post("/chat/completions", json={"model": model, "messages": messages})


def test_it_answers_under_the_name_on_the_wire_by_the_limits_of_its_own(http: httpx.Client) -> None:
    """Of two of this name the one that is served; 64 tokens are room for a word and not for 60."""
    answer = asked(http, "small")
    assert (answer.status_code, answer.json()["model"]) == (200, "small")
    assert asked(http, "small", "word " * 60).status_code == 400


def test_the_endpoint_does_not_know_it_by_its_id(http: httpx.Client) -> None:
    assert asked(http, "ours/small").status_code == 404


def test_a_name_that_is_an_id_stays_that_models(http: httpx.Client) -> None:
    """64 words are too many for ours/turbo, which is called qwen-turbo elsewhere."""
    assert asked(http, "qwen-turbo", "word " * 64).status_code == 200


def test_a_retired_one_is_refused_as_retired(http: httpx.Client) -> None:
    answer = asked(http, "gone")
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "Endpoint.AccessDenied")


def test_lists_have_the_name_on_the_wire(http: httpx.Client) -> None:
    ids = {each["id"] for each in http.get("/models").json()["data"]}
    assert "small" in ids
    assert not ids & {"ours/small", "gone"}
    assert http.get("/models/small").json()["id"] == "small"
    assert http.get("/models/ours%2Fsmall").status_code == 404

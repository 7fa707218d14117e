"""A provider of the user's own: its address, its key, its name for the model, and no other's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tokenfare import Catalog, Client, NoModelFits
from tokenfare.emulator import Emulator
from tokenfare.errors import InvalidRequestError, MissingKey

Emulate = Callable[..., tuple[Emulator, str]]

OURS = """
from = 2024-12-01
source = "contract"
provider = "ours"
family = "own"
[sources.contract]
title = "Our contract"
where = "here"
as_of = 2024-12-01
[[providers]]
id = "ours"
name = "Our own servers"
default_region = "here"
key = {{ variable = "OUR_KEY" }}
base_urls = [{{ region = "here", url = "{url}" }}]
[[providers]]
id = "nowhere"
name = "Nowhere"
default_region = "global"
[shared]
access = [{{ kind = "paid" }}]
modalities = [{{ takes = ["text"] }}]
purposes = [{{ made_for = ["general"] }}]
regions = [{{ served_in = ["here"] }}]
tokenizer = [{{ name = "qwen" }}]
chat = [{{ per_message = 5, per_reply = 3 }}]
[[model]]
id = "ours/small"
sent_as = "qwen-turbo"
kind = "stable"
limits = [{{ context = 32_768 }}]
prices = [{{ currency = "CNY", per = 1_000_000, input = "0.001", output = "0.001" }}]
"""


@pytest.fixture
def ours(emulate: Emulate, catalog: Catalog, tmp_path: Path) -> tuple[Emulator, Catalog]:
    """A server that knows the model as qwen-turbo, and a catalogue that knows the server."""
    emulator, url = emulate()
    path = tmp_path / "ours.toml"
    path.write_text(OURS.format(url=url))
    return emulator, catalog.overlay(path)


def test_a_call_goes_to_the_providers_own_address_under_the_models_own_name(
    ours: tuple[Emulator, Catalog],
) -> None:
    emulator, catalog = ours
    environment = {"OUR_KEY": "sk-any", "DASHSCOPE_COMPATIBLE_BASE_URL": "http://127.0.0.1:9/v1"}
    with Client(catalog=catalog, provider="ours", environment=environment) as client:
        reply = client.chat("hello", max_output_tokens=5)
    assert reply.decision.model.id == "ours/small"
    assert [call.model for call in emulator.calls] == ["qwen-turbo"]
    assert {refusal.reason for refusal in reply.decision.rejected} >= {"provider"}


def test_no_provider_is_called_for_anothers_model(
    ours: tuple[Emulator, Catalog], emulate: Emulate
) -> None:
    """ours/small is the cheapest of all, and DashScope's address is not where it is."""
    _, catalog = ours
    _, url = emulate()
    with Client(catalog=catalog, api_key="sk-any", base_url=url) as client:
        assert client.chat("hello", max_output_tokens=5).decision.model.id == "qwen-turbo"
        with pytest.raises(NoModelFits):
            client.chat("hello", allow=["ours/*"])
        with pytest.raises(InvalidRequestError, match="this client calls dashscope, not ours"):
            client.chat("hello", providers=["ours"])


def test_its_key_comes_from_its_own_variable(ours: tuple[Emulator, Catalog]) -> None:
    _, catalog = ours
    with pytest.raises(MissingKey, match="OUR_KEY is not set"):
        Client(catalog=catalog, provider="ours", environment={"DASHSCOPE_API_KEY": "sk-other"})


def test_a_provider_without_an_address_needs_one(ours: tuple[Emulator, Catalog]) -> None:
    _, catalog = ours
    with pytest.raises(MissingKey, match="no variable is known for the key of Nowhere"):
        Client(catalog=catalog, provider="nowhere", environment={})
    with pytest.raises(InvalidRequestError, match="no address of Nowhere is known; give a base"):
        Client(catalog=catalog, provider="nowhere", api_key="sk-any", environment={})

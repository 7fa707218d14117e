"""What `docs/gateway.md` and the first page say about the gateway, done as it stands there."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tokenfare import Catalog
from tokenfare.cli.serve import command
from tokenfare.errors import MissingExtra
from tokenfare.gateway import Gateway, serve
from tokenfare.gateway.error_responses import ROWS

from .conftest import KEY, Stand, Start

pytest.importorskip("openai", reason="openai is not installed (extra `clients`)")

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "gateway.md").read_text(encoding="utf-8")
FIRST = (ROOT / "README.md").read_text(encoding="utf-8")
TODAY = date(2026, 11, 29)


@pytest.fixture
def stand(start: Start, monkeypatch: pytest.MonkeyPatch) -> Stand:
    stand = start(catalog=Catalog.load(day=TODAY))
    monkeypatch.setenv("DASHSCOPE_API_KEY", KEY)
    monkeypatch.setenv("TOKENFARE_BASE_URL", stand.emulator.base_url)
    return stand


def blocks(page: str, kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```", page, re.DOTALL | re.MULTILINE)


def curls(page: str) -> list[tuple[str, dict[str, Any]]]:
    """The path and the body of each call by curl."""
    found = re.findall(r"curl -s http://127.0.0.1:8643(\S+) .*?-d '(.*?)'", page, re.DOTALL)
    return [(path, json.loads(body)) for path, body in found]


def test_the_first_use_with_the_openai_package(stand: Stand) -> None:
    names: dict[str, Any] = {}
    code = blocks(PAGE, "python")[0]
    assert "http://127.0.0.1:8643/v1" in code
    exec(code.replace("http://127.0.0.1:8643/v1", stand.url), names)  # noqa: S102 - our own text
    said = re.search(r'answer\.tokenfare\["billed"\] +# (.*)$', code, re.MULTILINE)
    assert said is not None
    reply = names["answer"]
    names["client"].close()
    # The page shows the bill of the emulator's own words: 9 tokens in, 12 out.
    assert (reply.usage.prompt_tokens, reply.usage.completion_tokens) == (9, 12)
    assert str(reply.tokenfare["billed"]) == said[1]


def test_an_application_of_ones_own(stand: Stand, tmp_path: Path) -> None:
    names: dict[str, Any] = {}
    code = blocks(PAGE, "python")[1]
    exec(code, names)  # noqa: S102
    assert isinstance(names["app"], Gateway)
    assert KEY not in repr(names["app"])


@pytest.mark.parametrize("page", [PAGE, FIRST], ids=["gateway.md", "README.md"])
def test_the_calls_by_curl(stand: Stand, page: str) -> None:
    found = curls(page)
    assert found
    for path, body in found:
        answer = stand.http.post(stand.url.removesuffix("/v1") + path, json=body)
        assert answer.status_code == 200, answer.text
        assert answer.json()["model"] == "qwen-flash"
        if path.endswith("completions"):
            assert answer.json()["tokenfare"]["billed"]["amount"] == "0.00001935"


def test_the_field_that_it_shows_is_the_one_there_is(stand: Stand) -> None:
    shown = next(block for block in blocks(PAGE, "json") if block.startswith('"tokenfare"'))
    told = stand.chat(messages=[{"role": "user", "content": "Hello"}]).json()["tokenfare"]
    page = json.loads("{" + shown + "}")["tokenfare"]
    assert page | {"upstream_request_id": None} == told | {"upstream_request_id": None}


def test_every_code_of_an_error_is_on_the_page() -> None:
    codes = {row.code for row in ROWS}
    source = ROOT / "src" / "tokenfare" / "gateway"
    for file in source.glob("*.py"):
        codes |= set(re.findall(r'code="(\w+)"', file.read_text(encoding="utf-8")))
    assert "gateway_stopped" in codes
    missing = {code for code in codes if f"`{code}`" not in PAGE}
    assert missing == set()


def test_every_option_of_the_command_that_the_page_names_is_there() -> None:
    told = CliRunner().invoke(command, ["--help"]).output
    named = set(re.findall(r"--[a-z][a-z-]+", PAGE)) - {"--dry-run", "--json"}
    assert len(named) > 8
    assert {option for option in named if option not in told} == set()


def test_importing_the_gateway_loads_no_server() -> None:
    servers = "[m for m in ('starlette', 'uvicorn', 'httpx') if m in sys.modules]"
    code = f"import sys, tokenfare.gateway; print({servers})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_what_is_missing_is_named_with_the_way_to_get_it(
    stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "starlette", None)
    with pytest.raises(MissingExtra, match=r"pip install 'tokenfare\[gateway\]'"):
        serve(Gateway(stand.gateway.client))

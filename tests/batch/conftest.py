"""A plan of a few requests, and the provider's emulator on a real loopback socket."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from batch_plans import DAY, ROOM, hello
from tokenfare import Catalog, batch
from tokenfare.batch.runs import job_identity
from tokenfare.dispatch import RetryPolicy
from tokenfare.emulator import Emulator, TiktokenTokenizer, running
from tokenfare.tokenizers.ranks import QWEN_PATTERN, qwen_ranks

HASTE = RetryPolicy(attempts=4, first_wait=0.001, first_wait_throttled=0.001)


@pytest.fixture(scope="session")
def tokenizer() -> TiktokenTokenizer:
    return TiktokenTokenizer(qwen_ranks(), QWEN_PATTERN)


@pytest.fixture(scope="session")
def catalog() -> Catalog:
    return Catalog.load(day=DAY)


@pytest.fixture(autouse=True)
def _nobody_else_submits(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is submitted once needs no wait for others; the tests of two machines have theirs."""
    monkeypatch.setattr(job_identity, "SETTLE_SECONDS", 0.0)


@pytest.fixture
def emulate(
    catalog: Catalog, tokenizer: TiktokenTokenizer
) -> Iterator[Callable[..., tuple[Emulator, dict[str, Any]]]]:
    """Start an emulator; gives it, and what `submit` and the others need to call it."""
    with ExitStack() as stack:

        def start(**options: Any) -> tuple[Emulator, dict[str, Any]]:
            emulator = Emulator(catalog, tokenizer, replies=lambda _: "no", **options)
            url = stack.enter_context(running(emulator))
            given = {"base_url": url, "api_key": "sk-any", "retry_policy": HASTE, "ledger": False}
            return emulator, given

        yield start


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Plan requests that say hello so often, for qwen-turbo or for other models."""
    monkeypatch.chdir(tmp_path)

    def make(*words: int, name: str = "plan", **options: Any):
        lines = [
            json.dumps({"custom_id": f"r-{i}", "prompt": hello(number)})
            for i, number in enumerate(words)
        ]
        Path("in.jsonl").write_text("\n".join(lines) + "\n")
        given = {"allow": ["qwen-turbo"]} | options
        batch.plan(["in.jsonl"], name, as_of=DAY, max_output_tokens=ROOM, **given)
        return tmp_path / name

    return make

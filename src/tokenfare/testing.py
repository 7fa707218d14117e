"""The emulator as a pytest fixture, for the tests of applications that call the provider.

    def test_my_application(tokenfare_emulator):
        tokenfare_emulator.faults = scripted(throttled(retry_after_seconds=0.01))
        answer = my_application(base_url=tokenfare_emulator.base_url, api_key="any")
        assert [call.status for call in tokenfare_emulator.calls] == [429, 200]

pytest finds the fixture once tokenfare is installed; nothing is loaded before a test uses it. It
needs `tokenfare[emulator]`. Without pytest, `emulated` starts an emulator as a context manager.

The emulator's bills are not real money, so a test with one of the fixtures has its own ledger
(unless TOKENFARE_LEDGER names one): the user's ledger and ceilings are not touched.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # this module is loaded in every run of pytest, so it imports little
    import pytest

    from tokenfare.emulator import Emulator, TiktokenTokenizer

try:
    from pytest import fixture  # noqa: PT013 - it may not be installed
except ImportError:  # pragma: no cover - pytest loads this module, or nobody needs its fixtures

    def fixture(function: Any) -> Any:  # type: ignore[no-redef]
        """Return the function unchanged."""
        return function


def independent_tokenizer() -> TiktokenTokenizer:
    """Build a tiktoken encoding from the shipped ranks and the published pattern; about a second.

    The emulator counts with it, so that it shares no counting code with what it checks.
    """
    from tokenfare.emulator import TiktokenTokenizer
    from tokenfare.tokenizers.ranks import QWEN_PATTERN, qwen_ranks

    return TiktokenTokenizer(qwen_ranks(), QWEN_PATTERN)


_tokenizer = lru_cache(maxsize=1)(independent_tokenizer)


@contextmanager
def emulated(*, as_of: date | None = None, **options: Any) -> Iterator[Emulator]:
    """Run an emulator on loopback for the duration of the block, with the facts of a day.

    Pass its `base_url` to clients. `options` are those of `tokenfare.emulator.Emulator`.
    """
    from tokenfare.api import default_catalog
    from tokenfare.emulator import Emulator, running

    catalog = options.pop("catalog", None) or default_catalog(as_of)
    emulator = Emulator(catalog, _tokenizer(), **options)
    with running(emulator):
        yield emulator


@fixture
def tokenfare_emulators(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., Emulator]]:
    """A function that starts emulators, with the options of `emulated`. They stop with the test."""
    if not os.environ.get("TOKENFARE_LEDGER"):
        folder = tmp_path_factory.mktemp("tokenfare")
        monkeypatch.setenv("TOKENFARE_LEDGER", str(folder / "ledger.sqlite3"))
    with ExitStack() as stack:

        def start(**options: Any) -> Emulator:
            return stack.enter_context(emulated(**options))

        yield start


@fixture
def tokenfare_emulator(tokenfare_emulators: Callable[..., Emulator]) -> Emulator:
    """One emulator on loopback, with today's facts and an empty call log."""
    return tokenfare_emulators()

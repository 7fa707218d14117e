"""What every test stands on: a ledger that is not the user's own."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import hypothesis
import pytest

# How long one example takes says which machine it is and what else that does, and nothing else.
# The examples are the same in every run, so that a run says what a change did and not what chance
# found; `make search` looks for new ones.
hypothesis.settings.register_profile("tokenfare", deadline=None, derandomize=True)
hypothesis.settings.register_profile("search", deadline=None, print_blob=True)
hypothesis.settings.load_profile("tokenfare")

# A job in the background of a shell has interrupts ignored, and so has all that it starts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


NAME = 300  # characters
PARAMETER = 100  # characters


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name a long text for its length, with every pytest; 9.0 and older spell it out."""
    if isinstance(val, str | bytes) and len(val) > PARAMETER:
        return f"{argname} of {len(val)}"
    return None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let no name of a test fill a screen: a parameter without `ids` is spelled out in it.

    No `pytest.UsageError`: of those that workers raise, pytest-xdist does not show the message.
    """
    for item in items:
        if len(item.nodeid) > NAME:
            name = item.nodeid[:NAME]
            raise ValueError(f"a name of {len(item.nodeid):,} characters: {name}…; give ids")


@pytest.fixture(scope="session", autouse=True)
def _ledger_of_the_tests(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Calls of tests are written down, like everybody's, but not into the user's ledger.

    That lies in a state directory of the tests' own too, for clients with an `environment` of
    their own, in which the variable is missing.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        patch.setenv("TOKENFARE_LEDGER", str(tmp_path_factory.mktemp("ledger") / "ledger"))
        for name in list(os.environ):
            if name.removeprefix("TOKENFARE_") in {"CATALOG", "CEILINGS", "LIMITER", "PROJECT"}:
                patch.delenv(name)
        yield

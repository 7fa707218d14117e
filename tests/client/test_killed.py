"""A process that is killed amid its calls, a few times; `scripts/soak_killed.py` does it often."""

from __future__ import annotations

from pathlib import Path

import soak_killed


def test_the_ledger_is_right_after_being_killed_amid_calls(tmp_path: Path) -> None:
    outcome = soak_killed.run(3, tmp_path / "ledger")
    assert outcome.good, outcome
    assert outcome.told > 10, "hardly anything was asked, so this has shown nothing"
    assert outcome.abandoned > 0, "no call was under way at any of the kills"

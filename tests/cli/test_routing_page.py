"""docs/routing.md, run word for word: the profiles, their command, and replaying in Python."""

import json
import re
import shlex
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

import tokenfare as tf

PAGE = (Path(__file__).parents[2] / "docs" / "routing.md").read_text(encoding="utf-8")


def test_the_profiles_of_the_page_route_by_its_command(
    run: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (profiles,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    (command,) = re.findall(r"^\$ tokenfare (route .*--profiles .*)$", PAGE, re.MULTILINE)
    (tmp_path / "profiles.toml").write_text(profiles, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    ended = run(*shlex.split(command), "--as-of", "2026-11-24", "--json")
    assert ended.code == 0
    assert json.loads(ended.out)["requirements"]["max_fare"] == "0.05 CNY"


def test_a_decision_is_replayed_as_the_page_says() -> None:
    blocks = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    (example,) = (block for block in blocks if "tf.replay(" in block)
    decision = tf.route(input_tokens=20_000, as_of=date(2024, 12, 18))
    names: dict[str, Any] = {"decision": decision, "tf": tf}
    exec(example, names)  # noqa: S102 - the text is this repository's own
    replayed = names["replayed"]
    assert replayed.record.model == "qwen-turbo"
    assert not replayed.same  # it was retired on 2026-10-10

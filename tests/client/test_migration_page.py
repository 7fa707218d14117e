"""docs/coming-from-tiktoken.md, run word for word, the `openai` package beside ours."""

import re
from pathlib import Path
from typing import Any

import pytest

from tokenfare.testing import emulated

PAGE = (Path(__file__).parents[2] / "docs" / "coming-from-tiktoken.md").read_text(encoding="utf-8")
ADDRESS = "https://dashscope.aliyuncs.com/compatible-mode/v1"
TOOL = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}


def test_the_page_does_what_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    names: dict[str, Any] = {
        "text": "通义千问具有强大的能力。" * 500,
        "messages": [{"role": "user", "content": "Is it raining in Hangzhou?"}],
        "tools": [TOOL],
        "key": "any",
    }
    with emulated() as emulator:
        monkeypatch.setenv("TOKENFARE_BASE_URL", emulator.base_url)
        monkeypatch.setenv("TOKENFARE_LEDGER", "off")
        blocks = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
        assert [ADDRESS in block for block in blocks].count(True) == 1
        for block in blocks:
            exec(block.replace(ADDRESS, emulator.base_url), names)  # noqa: S102 - this repository's
        names["client"].close()
    theirs, ours = emulator.calls
    assert theirs.model == ours.model == names["decision"].model.id
    assert names["paid"] <= names["reply"].decision.fare.high
    assert names["tokens"] == 500 * 8
    assert names["about"].low < names["about"].value < names["about"].high
    assert len(names["pieces"]) > 4000 / 512
    assert names["kept"].dropped == ()


def test_ids_are_those_that_the_page_shows() -> None:
    import tokenfare as tf

    shown = re.findall(r"^(qwen\..*\)) +# (.*)$", PAGE, re.MULTILINE)
    assert len(shown) == 5
    for expression, value in shown:
        names = {"qwen": tf.get_tokenizer("qwen")}
        assert repr(eval(expression, names)) == value  # noqa: S307 - this repository's own


def test_the_table_names_what_there_is() -> None:
    import tokenfare as tf

    called = set(re.findall(r"\btf\.(\w+)", PAGE))
    assert called <= set(tf.__all__)
    pages = set(re.findall(r"\]\(([\w-]+\.md)", PAGE))
    assert pages
    assert all((Path(__file__).parents[2] / "docs" / page).exists() for page in pages)

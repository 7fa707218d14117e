"""docs/coming-from-litellm.md, run word for word; what it says of others, in their environment."""

import ast
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import tokenfare as tf
from tokenfare import errors

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "coming-from-litellm.md").read_text(encoding="utf-8")
TEXT = "It rained in Hangzhou. The lake was grey, and nobody walked around it. " * 200


def blocks(kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)


def values_shown(block: str) -> Iterator[tuple[str, str]]:
    """Expressions of a line of their own with the value that stands behind them."""
    for line in block.splitlines():
        expression, _, shown = line.partition("  # ")
        if re.match(r"(Count|Money|\(|\d)", shown.strip()):
            yield expression.strip(), shown.strip()


def test_the_page_does_what_it_says_and_shows_what_comes_out(
    capsys: pytest.CaptureFixture[str],
) -> None:
    names: dict[str, Any] = {"text": TEXT}
    checked = 0
    for block in blocks("python"):
        exec(block, names)  # noqa: S102 - the text is this repository's own
        for expression, shown in values_shown(block):
            if expression.startswith("print("):
                assert capsys.readouterr().out.strip() == shown
            else:
                assert repr(eval(expression, names)) == shown  # noqa: S307 - as above
            checked += 1
    assert checked == 5
    assert "".join(tf.split(TEXT, 512)) == TEXT
    assert [each["page_content"] for each in names["documents"]] == names["pieces"]
    assert len(names["pieces"]) > 4
    assert names["kept"].dropped == ()


def test_the_tables_name_what_there_is() -> None:
    assert set(re.findall(r"\btf\.(\w+)", PAGE)) <= set(tf.__all__)
    table = PAGE.partition("## Errors")[2]
    rows = re.findall(r"^\| `(.*)` \| (.*) \|$", table, re.MULTILINE)
    assert len(rows) == 6
    for theirs, ours in rows:
        same = ours.startswith("the same names")
        for name in re.findall(r"\w+Error|\w+", theirs if same else ours.strip("`")):
            assert issubclass(getattr(errors, name), tf.TokenfareError)


def theirs(*command: str) -> str:
    python = ROOT / ".venv-litellm" / "bin" / "python"
    if not python.exists():
        pytest.skip("no LiteLLM here; `make .venv-litellm` installs it")
    ran = subprocess.run(
        [python, *command],
        check=False,
        capture_output=True,
        text=True,
        timeout=300,
        env=os.environ | {"LITELLM_LOCAL_MODEL_COST_MAP": "True"},  # or it asks the network for it
    )
    assert ran.returncode == 0, ran.stderr[-2000:]
    return ran.stdout


def test_what_the_page_says_of_litellm_is_so() -> None:
    calls = [
        (ast.unparse(node.value), block)
        for block in blocks("py")
        for node in ast.parse(block).body
        if isinstance(node, ast.Expr) and "litellm." in block
    ]
    assert len(calls) == 2
    for call, block in calls:
        said = theirs("-c", f"import litellm\nprint({call})")
        assert f"# {said.strip()}" in block
    names = sorted(set(re.findall(r"\blitellm\.(\w+)", PAGE)) - {"utils", "exceptions"})
    mapped = re.findall(r"`(\w+)`", " ".join(re.findall(r"^\| (`[^|]*`) \|", PAGE, re.MULTILINE)))
    names += [name for name in mapped if name.endswith("Error") or name == "Timeout"]
    theirs("-c", f"import litellm\nfor name in {names}: getattr(litellm, name)")
    tokencost = sorted(set(re.findall(r"\btokencost\.(\w+)", PAGE)))
    theirs("-c", f"import tokencost\nfor name in {tokencost}: getattr(tokencost, name)")


def test_their_splitter_counts_by_ours() -> None:
    (block,) = (each for each in blocks("py") if "length_function" in each)
    check = "print(*map(tf.get_tokenizer('qwen').count, pieces))"
    said = theirs("-c", f"import tokenfare as tf\ntext = {TEXT!r}\n{block}\n{check}")
    tokens = [int(each) for each in said.split()]
    assert len(tokens) > 4
    assert 512 < max(tokens) < 520, "some tokens above its limit, as the page says"
    assert max(map(tf.get_tokenizer("qwen").count, tf.split(TEXT, 512, overlap=50))) <= 512

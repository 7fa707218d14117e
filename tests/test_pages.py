"""The pages that no other test runs: every block of Python on them does what stands there.

What a page takes for granted (`text`, `messages`, a file) is given here, and nothing else.
"""

import re
import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from tokenfare.emulator import Emulator
from tokenfare.testing import emulated

ROOT = Path(__file__).parents[1]
TEXT = "The quick brown fox jumps over the lazy dog. " * 200
MESSAGES = [{"role": "user", "content": "Is it raining in Hangzhou?"}]
TOOLS = [{"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}]
TABLE = pa.table({"text": ["Hello, world", "你好"]})
BATCHES = pa.table({"custom_id": ["a", "b"], "prompt": ["Hello", "你好"]}).to_batches()

GIVEN: dict[str, dict[str, Any]] = {
    "README.md": {},
    "docs/batches.md": {"table": pa.table({"prompt": ["Hello"]}), "batches": BATCHES},
    "docs/budgets.md": {"text": TEXT, "messages": MESSAGES, "message": MESSAGES[0]},
    "docs/catalog.md": {},
    "docs/counting.md": {"text": TEXT, "texts": [TEXT, ""], "table": TABLE, "pyarrow": pa},
    "docs/deadlines.md": {},
    "docs/emulator.md": {},
    "docs/errors.md": {},
    "docs/index.md": {},
    "docs/requests.md": {"messages": MESSAGES, "tools": TOOLS, "chats": [MESSAGES, MESSAGES]},
    "docs/routing.md": {},
    "docs/spending.md": {},
    "docs/start.md": {},
}
# Vocabularies that do not ship: tests/tokenizers loads others of their form.
NOT_HERE = ("Meta-Llama-3-8B/tokenizer.json", "Qwen3.5-4B/tokenizer.json")


def blocks(page: str, kind: str) -> list[str]:
    return re.findall(
        rf"^```{kind}\n(.*?)^```",
        (ROOT / page).read_text(encoding="utf-8"),
        re.DOTALL | re.MULTILINE,
    )


@pytest.fixture
def emulator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    """A folder with the files that pages name, and an emulator where calls go."""
    monkeypatch.chdir(tmp_path)
    lines = '{"prompt": "Hello"}\n{"prompt": "Hello"}\n'
    Path("requests.jsonl").write_text(lines, encoding="utf-8")
    Path("book.txt").write_text(TEXT, encoding="utf-8")
    Path("more.csv.gz").write_text("prompt\nHow are you?\n", encoding="utf-8")  # told by content
    (faults,) = blocks("docs/emulator.md", "toml")
    Path("faults.toml").write_text(faults, encoding="utf-8")
    (own,) = (block for block in blocks("docs/catalog.md", "toml") if "[[discounts]]" in block)
    Path("negotiated.toml").write_text(own, encoding="utf-8")
    (abroad,) = (block for block in blocks("docs/catalog.md", "toml") if "ap-southeast-1" in block)
    Path("international.toml").write_text(abroad, encoding="utf-8")
    with emulated() as emulator:
        monkeypatch.setenv("TOKENFARE_BASE_URL", emulator.base_url)
        monkeypatch.setenv("DASHSCOPE_API_KEY", "any")
        monkeypatch.setenv("TOKENFARE_LEDGER", "calls.sqlite3")
        yield emulator


@pytest.mark.parametrize("page", GIVEN)
@pytest.mark.usefixtures("emulator")
def test_every_block_of_python_runs(page: str) -> None:
    names: dict[str, Any] = {"day": date(2024, 12, 18), **GIVEN[page]}
    found = blocks(page, "python")
    assert found
    for block in found:
        here = [line for line in block.splitlines() if not any(file in line for file in NOT_HERE)]
        if "o200k_base.tiktoken" in block:
            continue
        shutil.rmtree("plan", ignore_errors=True)  # blocks of a page stand for themselves
        exec("\n".join(here), names)  # noqa: S102 - the text is this repository's own


def test_what_the_first_page_says_comes_out_is_what_comes_out(
    emulator: Emulator, capsys: pytest.CaptureFixture[str]
) -> None:
    names: dict[str, Any] = {}
    first, in_tests = blocks("README.md", "python")
    exec(first, names)  # noqa: S102
    assert "not yi-large: matches none of the allowed qwen-*" in capsys.readouterr().out
    said = re.findall(
        r"^(tf\..+?|decision\.\S+) +# (Count\(.*\)|\[.*\]|'.*')$", first, re.MULTILINE
    )
    assert len(said) == 4
    for expression, value in said:
        assert repr(eval(expression, names)) == value  # noqa: S307 - as above
    exec(in_tests, names)  # noqa: S102
    calls = len(emulator.calls)
    assert calls == 3
    with emulated() as fresh:
        names["test_it_waits_and_asks_again"](fresh)


def test_every_page_is_reached_from_the_first_and_every_link_of_the_pages_leads_somewhere() -> None:
    pages = {"README.md", *(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md"))}
    anchors = {page: set(headings(page)) for page in pages}
    broken = []
    for page in sorted(pages):
        for target, anchor in links(page):
            path = (ROOT / page).parent / target if target else ROOT / page
            name = path.resolve().relative_to(ROOT).as_posix()
            known = anchors.get(name)
            if not path.exists() or (anchor and known is not None and anchor not in known):
                broken.append(f"{page}: {target}#{anchor}")
    assert broken == []
    named = {target for target, _ in links("README.md")}
    assert pages - {"README.md"} <= named


def prose(page: str) -> str:
    text = (ROOT / page).read_text(encoding="utf-8")
    return re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)


def links(page: str) -> list[tuple[str, str]]:
    found = re.findall(r"\]\(([^)\s]+)\)", prose(page))
    return [
        (target, anchor)
        for target, _, anchor in (link.partition("#") for link in found)
        if "://" not in target
    ]


def headings(page: str) -> Iterator[str]:
    """What GitHub makes of a heading: lower case, no punctuation, hyphens for blanks."""
    for heading in re.findall(r"^#+ (.*)$", prose(page), re.MULTILINE):
        yield re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")

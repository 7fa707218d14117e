"""What the package shows to those who import it, and what importing costs them."""

import ast
import json
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest

import tokenfare

HEAVY = {
    "httpx",
    "opentelemetry",
    "pydantic",
    "transformers",
    "tiktoken",
    "rich",
    "click",
    "starlette",
    "numpy",
    "_hashlib",  # OpenSSL, 3.6 MB
}


def loaded_by(code: str) -> set[str]:
    """The top-level modules that a fresh interpreter has after running some code."""
    script = f"{code}\nimport sys, json; print(json.dumps(sorted(sys.modules)))"
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return {name.split(".")[0] for name in json.loads(done.stdout)}


@pytest.mark.parametrize(
    "code",
    [
        "import tokenfare",
        "import tokenfare; tokenfare.count('hello')",
        "import tokenfare; tokenfare.get_tokenizer('qwen').encode('hello')",
        "import tokenfare; tokenfare.count('hello', model='qwen-plus')",
    ],
)
def test_importing_and_counting_load_nothing_heavy(code: str) -> None:
    assert loaded_by(code) & HEAVY == set()


@pytest.mark.parametrize("name", tokenfare.__all__)
def test_every_public_name_is_there(name: str) -> None:
    assert getattr(tokenfare, name) is getattr(tokenfare, name)


def test_the_names_for_type_checkers_are_the_public_names() -> None:
    tree = ast.parse(Path(tokenfare.__file__).read_text(encoding="utf-8"))
    (checked,) = (node for node in tree.body if isinstance(node, ast.If))
    named = {
        alias.asname: node.module
        for node in checked.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert named == tokenfare._HOMES
    assert sorted(tokenfare.__all__) == sorted(named)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'cont'"):
        tokenfare.cont  # noqa: B018 - looking it up is the test


def test_every_name_in_the_changelog_is_there() -> None:
    text = (Path(__file__).parents[1] / "CHANGELOG.md").read_text(encoding="utf-8")
    names = set(re.findall(r"`(tokenfare(?:\.\w+)+)", text))
    assert len(names) > 50
    for name in names:
        pkgutil.resolve_name(name)


def test_no_file_is_longer_than_400_lines() -> None:
    root = Path(__file__).parent.parent
    files = [
        path
        for pattern in ("src/**/*.py", "src/**/*.pyi", "crates/**/*.rs", "tests/**/*.py", "*/*.py")
        for path in root.glob(pattern)
        if "target" not in path.parts
    ]
    assert files
    lengths = {str(p.relative_to(root)): len(p.read_bytes().splitlines()) for p in files}
    assert {name: lines for name, lines in lengths.items() if lines > 400} == {}

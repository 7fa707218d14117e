"""What the package shows to those who import it, and what importing costs them."""

import ast
import inspect
import pkgutil
import re
import subprocess
import sys
import tomllib
import typing
from importlib import metadata
from pathlib import Path

import pytest

import tokenfare
from tokenfare.tokenizers import StreamCounter

ROOT = Path(__file__).parents[1]
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
    """The modules that a fresh interpreter has after running some code."""
    command = [sys.executable, "-c", f"{code}\nimport sys; print(*sys.modules)"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return set(done.stdout.split())


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
    assert {name.split(".")[0] for name in loaded_by(code)} & HEAVY == set()


SLOW = {"dataclasses", "datetime", "inspect", "json", "pathlib", "re", "typing", "urllib"}


@pytest.mark.parametrize(
    "code",
    [
        "tokenfare.count('hello')",
        "tokenfare.count('hello', model='qwen-plus')",
        "tokenfare.get_tokenizer('qwen').count('hello')",
    ],
)
def test_a_first_count_loads_nothing_that_it_does_not_need(code: str) -> None:
    loaded = loaded_by(f"import tokenfare; {code}") - loaded_by("")
    others = ("bounds", "caches", "cutting", "estimates", "files", "known", "user_vocabularies")
    ours = {f"tokenfare.tokenizers.{name}" for name in others}
    assert loaded & (ours | SLOW) == set()


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


@pytest.mark.parametrize("made", [tokenfare.Client, tokenfare.AsyncClient, StreamCounter])
def test_annotations_can_be_read_where_all_that_they_name_is_loaded(made: type) -> None:
    """What puts an object together by its annotations, as FastAPI's `Depends`, needs them."""
    for name, member in inspect.getmembers(made, inspect.isfunction):
        if name[0] != "_" or name == "__init__":
            assert typing.get_type_hints(member), name


def test_the_version_is_that_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert tokenfare.__version__ == project["version"]
    assert "__version__" in dir(tokenfare)


def test_what_reads_the_version_is_loaded_when_somebody_asks_for_it() -> None:
    """It is slower than all of `import tokenfare`."""
    loaded = "'importlib.metadata' in sys.modules"
    code = f"import sys, tokenfare; print({loaded}, tokenfare.__version__ != '', {loaded})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "True", "True"]


def test_a_clone_that_is_only_on_the_path_has_no_version(monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", nowhere)
    with pytest.raises(AttributeError, match="not installed; pip install it"):
        tokenfare.__version__  # noqa: B018 - looking it up is the test
    assert not hasattr(tokenfare, "__version__")


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'cont'"):
        tokenfare.cont  # noqa: B018 - looking it up is the test


def test_every_name_in_the_changelog_is_there() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    names = set(re.findall(r"`(tokenfare(?:\.\w+)+)", text))
    assert len(names) > 50
    for name in names:
        pkgutil.resolve_name(name)


def test_no_file_is_longer_than_400_lines() -> None:
    files = [
        path
        for pattern in ("src/**/*.py", "src/**/*.pyi", "crates/**/*.rs", "tests/**/*.py", "*/*.py")
        for path in ROOT.glob(pattern)
        if "target" not in path.parts
    ]
    assert files
    lengths = {str(p.relative_to(ROOT)): len(p.read_bytes().splitlines()) for p in files}
    assert {name: lines for name, lines in lengths.items() if lines > 400} == {}

"""What `help()` says: every public name is explained, and the examples come out as they stand."""

import doctest
import inspect
from importlib import import_module
from pathlib import Path

import pytest

import tokenfare

PACKAGE = Path(tokenfare.__file__).parent
FUNCTIONS = [name for name in tokenfare.__all__ if inspect.isfunction(getattr(tokenfare, name))]
WITH_EXAMPLES = sorted(
    ".".join(("tokenfare", *path.relative_to(PACKAGE).with_suffix("").parts))
    for path in PACKAGE.rglob("*.py")
    if ">>> " in path.read_text(encoding="utf-8")
)


@pytest.mark.parametrize("name", WITH_EXAMPLES)
def test_the_examples_of_a_module_come_out(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    run = doctest.testmod(import_module(name), optionflags=doctest.ELLIPSIS)
    assert run.attempted > 0
    assert run.failed == 0


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_public_function_has_an_example(name: str) -> None:
    assert ">>> " in (inspect.getdoc(getattr(tokenfare, name)) or "")


@pytest.mark.parametrize("name", tokenfare.__all__)
def test_every_public_name_and_its_members_are_explained(name: str) -> None:
    thing = getattr(tokenfare, name)
    members = vars(thing) if inspect.isclass(thing) else {}
    public = {key: value for key, value in members.items() if not key.startswith("_")}
    told = {
        key: inspect.getdoc(value)
        for key, value in {"": thing, **public}.items()
        if key == "" or callable(value) or isinstance(value, property | classmethod)
    }
    assert [key for key, doc in told.items() if not doc] == []

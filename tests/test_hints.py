"""Annotations of the public names can be read while a program runs, and cost nothing until then."""

from __future__ import annotations

import importlib
import inspect
import subprocess
import sys
import typing
from collections.abc import Iterator
from pathlib import Path

import pydantic
import pytest

import tokenfare
from docs_site.names import MODULES

CALLED = ("__init__", "__call__", "__enter__", "__aenter__", "__exit__", "__iter__", "__add__")


def functions(module: typing.Any) -> Iterator[tuple[str, typing.Any]]:
    """The public functions and classes of a module, and the public methods of the classes."""
    for name in getattr(module, "__all__", None) or [n for n in vars(module) if n[0] != "_"]:
        thing = getattr(module, name)
        if not getattr(thing, "__module__", "").startswith(module.__name__):
            continue  # it is defined, and looked at, elsewhere
        if inspect.isclass(thing):
            yield name, thing
            for short, member in inspect.getmembers_static(thing):
                function = member.fget if isinstance(member, property) else member
                if isinstance(function, classmethod | staticmethod):
                    function = function.__func__
                if inspect.isfunction(function) and (short[0] != "_" or short in CALLED):
                    yield f"{name}.{short}", function
        elif inspect.isfunction(thing):
            yield name, thing


@pytest.mark.parametrize("module", ["", "api", "texts", *MODULES])
def test_all_annotations_can_be_read(module: str) -> None:
    loaded = importlib.import_module(f"tokenfare.{module}".rstrip("."))
    read = 0
    for name, thing in functions(loaded):
        if thing.__module__.startswith("tokenfare"):
            hints = typing.get_type_hints(thing)
            assert not any(isinstance(hint, str) for hint in hints.values()), name
            read += 1
    assert read or module == "gateway"


@pytest.mark.parametrize(
    ("function", "hint"),
    [
        ("Tokenizer.truncate", "'keep': typing.Literal['start', 'end', 'ends']"),
        ("Tokenizer.counter", "'return': <class 'tokenfare.tokenizers.stream.StreamCounter'>"),
        ("Tokenizer.decode", "numpy.ndarray"),
        ("trim", "'catalog': tokenfare.catalog.catalog.Catalog | None"),
        ("count", "'text': str | tokenfare.arrow_columns.ArrowStream"),
    ],
)
def test_a_new_process_finds_what_it_has_not_loaded(function: str, hint: str) -> None:
    code = f"import typing, tokenfare; print(typing.get_type_hints(tokenfare.{function}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert hint in done.stdout


def test_a_package_that_is_not_installed_counts_as_any() -> None:
    code = (
        "import sys, typing, tokenfare; sys.modules['numpy'] = None;"
        "print(typing.get_type_hints(tokenfare.Tokenizer.encode_to_numpy))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "'return': typing.Any" in done.stdout


def test_a_call_is_validated_by_pydantic() -> None:
    checked = pydantic.validate_call(
        tokenfare.truncate, config=pydantic.ConfigDict(arbitrary_types_allowed=True)
    )
    assert checked("Hello, world", 1) == "Hello"
    with pytest.raises(pydantic.ValidationError, match="keep"):
        checked("Hello, world", 1, keep="middle")


SOURCE = """from __future__ import annotations
from tokenfare.late_names import import_late
TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import date
def on(day: date) -> date | None: ...
import_late(globals())
"""
READ: dict[str, typing.Callable[[typing.Any], object]] = {
    "copied": dict,
    "in a loop": list,
    "by keys": lambda read: list(read.keys()),
    "by values": lambda read: list(read.values()),
    "by items": lambda read: list(read.items()),
    "one": lambda read: read["day"],
    "one that may be there": lambda read: read.get("day"),
    "copied by its method": lambda read: read.copy(),
    "merged": lambda read: {**read},
}


@pytest.mark.parametrize("read", READ.values(), ids=READ)
def test_however_annotations_are_read_the_names_are_there(
    read: typing.Callable[[typing.Any], object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "made_up.py").write_text(SOURCE)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "made_up", raising=False)
    module = vars(importlib.import_module("made_up"))
    plain = {"day": "date", "return": "date | None"}
    assert "date" not in module
    assert read(module["on"].__annotations__) == read(plain)
    assert module["date"].__name__ == "date"
    assert typing.get_type_hints(module["on"])["day"] is module["date"]

"""A late dataclass does what one of the standard library does, whatever it is asked first."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import pickle
import pprint
import subprocess
import sys
import threading
import typing
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import orjson
import pydantic
import pydantic.dataclasses
import pytest

from tokenfare import Count, late_dataclass

Decorator = Callable[..., Callable[[type], type]]


def made_by(decorator: Decorator) -> typing.Any:
    """A class that nobody has asked anything, and that pickle finds in this module."""

    class Size:
        """Two ends and a name."""

        low: int
        high: int
        how: str

        def __post_init__(self) -> None:
            if self.low > self.high:
                raise ValueError(f"{self.low} is above {self.high}")

        def __eq__(self, other: object) -> bool:
            return self.middle == other.middle if type(other) is type(self) else NotImplemented

        def __hash__(self) -> int:
            return hash(self.middle)

        @property
        def middle(self) -> float:
            return (self.low + self.high) / 2

    Size.__qualname__ = "Size"
    globals()["Size"] = made = decorator(frozen=True, slots=True)(Size)
    return made


def plain_child(size: typing.Any) -> typing.Any:
    class Child(size):
        def __getstate__(self):
            return super().__getstate__()

    return Child


def child(size: typing.Any, **options: bool) -> typing.Any:
    class Child(size):
        more: int = 7

    return dataclasses.dataclass(**options)(Child)


def model(size: typing.Any) -> typing.Any:
    return pydantic.create_model("Model", size=(size, ...), sizes=(list[size], []))


def matched(value: object, size: typing.Any) -> object:
    match value:
        case size(low, high, how="far"):
            return low, high
        case size(low=low):
            return low


def put(value: object, name: str, thing: object) -> None:
    setattr(value, name, thing)


MADE = {
    "with places": lambda size: size(1, 2, "far"),
    "with names": lambda size: size(how="far", high=2, low=1),
    "with too few": lambda size: size(1),
    "with too many": lambda size: size(1, 2, "far", 4),
    "with an unknown name": lambda size: size(1, 2, "far", more=4),
    "against its check": lambda size: size(3, 2, "far"),
    "of nothing": lambda size: size.__new__(size),
}
ASKED = {
    "whether it is one": dataclasses.is_dataclass,
    "whether a value is one": lambda size: dataclasses.is_dataclass(size(1, 2, "far")),
    "fields": lambda size: [str(field) for field in dataclasses.fields(size)],
    "parameters": lambda size: str(size.__dataclass_params__),
    "dict": lambda size: dataclasses.asdict(size(1, 2, "far")),
    "tuple": lambda size: dataclasses.astuple(size(1, 2, "far")),
    "replaced": lambda size: dataclasses.replace(size(1, 2, "far"), high=5),
    "wrongly replaced": lambda size: dataclasses.replace(size(1, 2, "far"), high=0),
    "changed copy": lambda size: size(1, 2, "far").__replace__(high=5),  # only Python 3.13 has it
    "shown": lambda size: (repr(size(1, 2, "far")), repr(plain_child(size)(1, 2, "far"))),
    "printed": lambda size: pprint.pformat([size(1, 2, "far" * 9)], width=30),
    "equal": lambda size: (size(1, 2, "far") == size(1, 2, "far"), size(1, 2, "far") == 1),
    "unequal": lambda size: size(1, 2, "far") == plain_child(size)(1, 2, "far"),
    "hash": lambda size: hash(size(1, 2, "far")),
    "matched": lambda size: [matched(size(1, 2, how), size) for how in ("far", "near")],
    "set": lambda size: put(size(1, 2, "far"), "low", 0),
    "deleted": lambda size: delattr(size(1, 2, "far"), "how"),
    "set in a child": lambda size: put(plain_child(size)(1, 2, "far"), "low", 0),
    "copied": lambda size: copy.deepcopy([copy.copy(size(1, 2, "far"))]),
    "child copied": lambda size: copy.copy(plain_child(size)(1, 2, "far")),
    "state": lambda size: size(1, 2, "far").__getstate__(),
    "child": lambda size: repr(child(size, frozen=True)(1, 2, "far")),
    "child with slots": lambda size: repr(child(size, frozen=True, slots=True)(1, 2, "far", 4)),
    "child that is not frozen": child,
    "decorated again": dataclasses.dataclass(frozen=True),
    "signature": lambda size: str(inspect.signature(size)),
    "hints": lambda size: (typing.get_type_hints(size), typing.get_type_hints(size.__init__)),
    "documentation": lambda size: (size.__doc__, size.__name__, size.__module__, size.__slots__),
    "attributes": lambda size: [dataclasses.is_dataclass(size), *sorted(vars(size))],
    "names": lambda size: (size.__init__.__qualname__, size.__repr__.__qualname__),
    "validated": lambda size: pydantic.TypeAdapter(size).validate_json(
        '{"low":1,"high":2,"how":""}'
    ),
    "schema": lambda size: pydantic.TypeAdapter(size).json_schema(),
    "dumped": lambda size: pydantic.TypeAdapter(object).dump_python(size(1, 2, "far"), mode="json"),
    "in a model": lambda size: repr(model(size)(size=size(1, 2, "far"))),
    "model": lambda size: model(size)(size={"low": 1, "high": 2, "how": "far"}).model_dump(),
    "pydantic's": lambda size: repr(pydantic.dataclasses.dataclass(frozen=True)(size)(1, 2, "far")),
    "pydantic's child": pydantic.dataclasses.dataclass,
    "orjson": lambda size: orjson.dumps([size(1, 2, "far")]),
    "orjson of a child": lambda size: orjson.dumps(plain_child(size)(1, 2, "far")),
}
PICKLED = {
    f"pickled by protocol {protocol}": lambda size, protocol=protocol: (
        pickle.dumps(size(1, 2, "far"), protocol),
        pickle.loads(pickle.dumps(size(1, 2, "far"), protocol)),  # noqa: S301
    )
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1)
}
QUESTIONS = MADE | ASKED | PICKLED


def answer(decorator: Decorator, question: Callable[[type], object]) -> str:
    try:
        return repr(question(made_by(decorator)))
    except Exception as error:  # noqa: BLE001 - what is raised is compared too
        return f"{type(error)}: {error}"


@pytest.mark.parametrize("question", QUESTIONS.values(), ids=QUESTIONS)
def test_the_first_answer_is_that_of_a_dataclass(question: Callable[[type], object]) -> None:
    assert answer(late_dataclass.dataclass, question) == answer(dataclasses.dataclass, question)


def test_what_is_no_field_is_not_assigned_and_is_in_a_class_below() -> None:
    """Until 2026, the standard library's own raised a `TypeError` here (python/cpython#105936)."""
    size = made_by(late_dataclass.dataclass)
    with pytest.raises(dataclasses.FrozenInstanceError, match="cannot assign to field 'other'"):
        size(1, 2, "far").other = 3
    with pytest.raises(dataclasses.FrozenInstanceError, match="cannot delete field 'other'"):
        del size(1, 2, "far").other
    value = plain_child(size)(1, 2, "far")
    value.other = 3
    assert value.other == 3


def test_threads_that_ask_at_once_get_the_same_fields(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of them is about to put its fields into the class before the first does."""
    size = made_by(late_dataclass.dataclass)
    all_there, fields = threading.Barrier(8), []

    def put_together(made: type, name: str, thing: object) -> None:
        if name == "__dataclass_fields__":
            fields.append(thing)
            all_there.wait(30)
        setattr(made, name, thing)

    monkeypatch.setattr(late_dataclass, "setattr", put_together, raising=False)
    with ThreadPoolExecutor(8) as pool:
        fields += pool.map(lambda _: size.__dataclass_fields__, range(8))
    assert len(fields) == 8 + 8
    assert {id(each) for each in fields} == {id(size.__dataclass_fields__)}


def test_what_was_put_into_the_class_before_the_first_question_stays() -> None:
    size = made_by(late_dataclass.dataclass)
    size.__repr__ = lambda _: "mine"
    assert dataclasses.asdict(size(1, 2, "far")) == {"low": 1, "high": 2, "how": "far"}
    assert repr(size(1, 2, "far")) == "mine"


def test_a_class_is_made_in_code_that_no_module_is_registered_for() -> None:
    """As `importlib` runs a file that is not put into `sys.modules`.

    The annotations are no strings: those, the standard library's own does not take in such code.
    """

    def shown(decorator: Decorator) -> str:
        class Size:
            low: int

            def __post_init__(self) -> None: ...

        Size.__module__, Size.__qualname__ = "not.registered", "Size"
        Size.__annotations__ = {"low": int}
        made: typing.Any = decorator(frozen=True, slots=True)(Size)
        return f"{made(1)!r} {dataclasses.replace(made(1), low=2)!r} {dataclasses.fields(made)}"

    assert shown(late_dataclass.dataclass) == shown(dataclasses.dataclass)


def test_a_count_is_made_and_shown_without_dataclasses_and_is_one() -> None:
    code = (
        "import sys, tokenfare; count = tokenfare.count('hello'); shown = repr(count);"
        "print('dataclasses' in sys.modules, shown);"
        "from dataclasses import asdict; print(asdict(count), repr(count) == shown)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [
        "False Count(value=1, low=1, high=1, how='exact')",
        "{'value': 1, 'low': 1, 'high': 1, 'how': 'exact'} True",
    ]
    assert [field.name for field in dataclasses.fields(Count)] == ["value", "low", "high", "how"]

"""Names that only annotations use, and that are imported when somebody asks for the annotations.

A module that is to load quickly imports them for type checkers alone, under `if TYPE_CHECKING`.
What reads annotations while a program runs (`typing.get_type_hints`, pydantic, FastAPI, typer)
looks them up in the module where the function was written, and would not find them. So the
annotations of its functions are put into a dictionary that is like any other, except that reading
it does those imports first.

It is not for the annotations of a class, which are read by other ways: import what those use.
Where there is no source to read (a program that was frozen), the names stay unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache

TYPE_CHECKING = False  # as in typing, which takes long to import
if TYPE_CHECKING:
    import ast
    from types import FunctionType
    from typing import Any, TypeGuard


def import_late(module: dict[str, Any]) -> None:
    """Let the annotations of a module's functions use what it imports for type checkers alone.

    `module` is its `globals()`, at its end. A package that is not installed counts as `typing.Any`,
    as it does for a type checker.
    """

    @cache
    def import_names() -> None:
        for statement in _for_type_checkers(module):
            _run(statement, module)

    for thing in tuple(module.values()):
        if getattr(thing, "__module__", None) == module["__name__"]:
            for function in _functions(thing):
                function.__annotations__ = _Annotations(function.__annotations__, import_names)


def _for_type_checkers(module: dict[str, Any]) -> Iterator[ast.Import | ast.ImportFrom]:
    """The imports under `if TYPE_CHECKING` of a module, from its source."""
    import ast
    import linecache

    source = "".join(linecache.getlines(module["__file__"], module))
    for block in ast.parse(source).body:
        if isinstance(block, ast.If) and ast.unparse(block.test) == "TYPE_CHECKING":
            for statement in block.body:
                if isinstance(statement, ast.Import | ast.ImportFrom):
                    yield statement


def _run(statement: ast.Import | ast.ImportFrom, module: dict[str, Any]) -> None:
    import ast

    try:
        exec(compile(ast.Module([statement], []), module["__file__"], "exec"), module)  # noqa: S102 - the module's own imports
    except ImportError:
        module.update(
            dict.fromkeys((each.asname or each.name for each in statement.names), _ABSENT)
        )


def _functions(thing: object) -> Iterator[FunctionType]:
    """A function, or those of a class: methods, also of classes, and what computes properties."""
    if _is_function(thing):
        yield thing
    elif isinstance(thing, type):
        for member in vars(thing).values():
            function = _behind(member)
            if _is_function(function):
                yield function


def _behind(member: object) -> object:
    if isinstance(member, property):
        return member.fget
    return member.__func__ if isinstance(member, (classmethod, staticmethod)) else member


def _is_function(thing: object) -> TypeGuard[FunctionType]:
    return isinstance(thing, type(_is_function))


class _Annotations(dict[str, object]):
    """The annotations of a function, whose names are imported when they are read."""

    def __init__(self, given: Mapping[str, object], import_names: Callable[[], None]) -> None:
        super().__init__(given)
        self._import_names = import_names

    # `dict(annotations)` asks for the keys if there is an `__iter__` other than that of `dict`.
    def __iter__(self) -> Iterator[str]:
        self._import_names()
        return super().__iter__()

    def __getitem__(self, name: str) -> object:
        self._import_names()
        return super().__getitem__(name)

    def get(self, name: str, default: object = None) -> object:
        self._import_names()
        return super().get(name, default)

    def keys(self) -> Any:
        self._import_names()
        return super().keys()

    def values(self) -> Any:
        self._import_names()
        return super().values()

    def items(self) -> Any:
        self._import_names()
        return super().items()

    def copy(self) -> dict[str, object]:
        return dict(self)


class _Absent:
    """Stands for what is not installed, however an annotation uses it."""

    def __getattr__(self, name: str) -> Any:
        from typing import Any

        return Any

    def __getitem__(self, of: object) -> Any:
        from typing import Any

        return Any

    __or__ = __ror__ = __getitem__


_ABSENT = _Absent()

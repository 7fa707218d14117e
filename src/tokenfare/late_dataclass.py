"""`@dataclass(frozen=True, slots=True)` for a class that is needed before its fields are asked for.

Importing `dataclasses` takes as long as all else that a first count needs. So this decorator gives
a class its slots, `__init__` and `__repr__`, and imports nothing. The first question that needs
more (for the fields, a copy or a pickle, or an assignment, which is refused) goes to the decorator
of the standard library: it decorates the same class, and all that it makes is put into the class in
use. From then on nothing is left of this one.

It is not for every dataclass: the class stands in no other and has no base, its fields have no
defaults, no method calls `super()`, and there are `__post_init__`, `__eq__` and `__hash__`. Type
checkers are to see the decorator of the standard library.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping

TYPE_CHECKING = False  # as in typing, which takes long to import
if TYPE_CHECKING:
    from typing import Any, Literal

_AT_ONCE = """
def __init__(self, {names}):
    {kept}
    self.__post_init__()

def __repr__(self):
    return f"{{self.__class__.__qualname__}}({shown})"
"""

_LATER = (
    "__dataclass_fields__",
    "__dataclass_params__",
    "__delattr__",
    "__getstate__",
    "__setattr__",
    "__setstate__",
    *(["__replace__"] if sys.version_info >= (3, 13) else []),
)


def dataclass(*, frozen: Literal[True], slots: Literal[True]) -> Callable[[type], type]:
    """Decorate a class as `dataclasses.dataclass` does."""

    def decorate(cls: type) -> type:
        body = {k: v for k, v in vars(cls).items() if k not in ("__dict__", "__weakref__")}
        once: dict[str, type] = {}

        def completed() -> Mapping[str, Any]:
            made = _made_for(late, body, frozen=frozen, slots=slots)
            made = once.setdefault("made", made)  # atomic: threads that ask at once get the same
            for name, stand_in in stand_ins.items():
                if vars(late).get(name) is stand_in:  # and nothing that somebody put there
                    setattr(late, name, vars(made)[name])
            return vars(late)

        names = dict.fromkeys(("__slots__", "__match_args__"), tuple(cls.__annotations__))
        stand_ins = _at_once(cls) | {name: _Later(name, completed) for name in _LATER}
        late = type(cls.__name__, (), body | names | stand_ins)
        return late

    return decorate


def _made_for(late: type, body: dict[str, Any], **options: Literal[True]) -> type:
    """What `dataclasses` makes of a class with this body, with `late` where it means that class."""
    from dataclasses import dataclass

    given = type(late.__name__, (), body)
    made: type = dataclass(**options)(given)
    for function in vars(made).values():
        for cell in getattr(function, "__closure__", None) or ():
            if cell.cell_contents in (given, made):
                cell.cell_contents = late
    return made


class _Later:
    """Stands in a class for what `dataclasses` makes, until the first question for any of it."""

    def __init__(self, name: str, completed: Callable[[], Mapping[str, Any]]) -> None:
        self._name = name
        self._completed = completed

    def __get__(self, instance: object, owner: type | None = None) -> Any:
        found = self._completed()[self._name]
        return found.__get__(instance, owner) if callable(found) else found

    def __getattr__(self, name: str) -> Any:
        """For pydantic, which takes the fields out of the `__dict__` of a base class."""
        return getattr(self.__get__(None), name)


def _at_once(cls: type) -> dict[str, Any]:
    fields = cls.__annotations__
    kept = "; ".join(f"object.__setattr__(self, {name!r}, {name})" for name in fields)
    shown = ", ".join(f"{name}={{self.{name}!r}}" for name in fields)
    source = _AT_ONCE.format(names=", ".join(fields), kept=kept, shown=shown)
    made: dict[str, Any] = {}
    module = sys.modules.get(cls.__module__)  # none, if its code is run without being registered
    exec(source, {} if module is None else vars(module), made)  # noqa: S102 - as dataclasses does
    made["__init__"].__annotations__ = {**fields, "return": None}
    for name, function in made.items():
        function.__qualname__ = f"{cls.__qualname__}.{name}"
    return made

"""The root of all errors, and how they are pickled."""

from __future__ import annotations

TYPE_CHECKING = False  # as in typing, which takes long to import
if TYPE_CHECKING:
    from typing import Any


class TokenfareError(Exception):
    """The base class of all errors that this library raises on purpose.

    Every error can be copied and pickled with its attributes: one that cannot would break the
    process pool it is raised in, not just its own task.
    """

    def __reduce__(self) -> tuple[Any, ...]:
        # By default an exception is rebuilt from its message alone, which is not what most of these
        # constructors take.
        return _rebuild, (type(self), self.args, self.__dict__.copy())


def _rebuild(kind: type[TokenfareError], args: tuple[object, ...], state: Any) -> TokenfareError:
    error = kind.__new__(kind, *args)
    built_in: Any = next(base for base in kind.__mro__ if base.__module__ == "builtins")
    built_in.__init__(error, *args)  # ImportError keeps its message by itself
    error.__dict__.update(state)
    return error

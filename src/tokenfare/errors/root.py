"""The root of every error, and how one of them travels to another process."""

from __future__ import annotations

from typing import Any


class TokenfareError(Exception):
    """The root of the errors: `except TokenfareError` catches everything raised here on purpose.

    Every error can be copied and pickled, with its attributes: one that cannot breaks the pool of
    processes that it is raised in, and not only its own task.
    """

    def __reduce__(self) -> tuple[Any, ...]:
        # By default an exception is made again from its message alone, which is not what most
        # of these are made from.
        return _made_again, (type(self), self.args, self.__dict__.copy())


def _made_again(kind: type[TokenfareError], args: tuple[object, ...], state: Any) -> TokenfareError:
    error = kind.__new__(kind, *args)
    built_in: Any = next(base for base in kind.__mro__ if base.__module__ == "builtins")
    built_in.__init__(error, *args)  # ImportError keeps its message by itself
    error.__dict__.update(state)
    return error

"""Imports optional packages, when the part of the library that needs them is used."""

from __future__ import annotations

import importlib

from tokenfare.errors import MissingExtra

TYPE_CHECKING = False  # as in typing, which takes long to import
if TYPE_CHECKING:
    from typing import Any


def required(module: str, what: str, extra: str = "") -> Any:
    """Import a module that `what` needs. Raises `MissingExtra`, which says how to install it.

    `extra` is the extra of tokenfare that installs it; without one, the package itself is named.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        # So C++ modules pass on Ctrl-C while they are initialized (pybind11).
        if isinstance(error.__cause__, KeyboardInterrupt):
            raise error.__cause__ from None
        raise MissingExtra(what, module.partition(".")[0], extra) from None

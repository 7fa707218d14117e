"""The packages of the extra `gateway`, with an error that says how to get them."""

from __future__ import annotations

import importlib
from typing import Any

from tokenfare.errors import MissingExtra


def required(name: str) -> Any:
    """Import a package of the extra, or say which command installs it."""
    try:
        return importlib.import_module(name)
    except ImportError:
        raise MissingExtra("the gateway", name, "gateway") from None

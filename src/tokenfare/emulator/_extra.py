"""The packages of the extra `emulator`, with an error that says how to get them."""

from __future__ import annotations

import importlib
from typing import Any


def required(name: str) -> Any:
    """Import a package of the extra, or say which command installs it."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise ImportError(
            f"the emulator needs {name.partition('.')[0]}, which is not installed: "
            'pip install "tokenfare[emulator]"',
            name=name,
        ) from error

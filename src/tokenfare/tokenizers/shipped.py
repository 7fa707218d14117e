"""The vocabularies that ship with the package, by name."""

from __future__ import annotations

import os.path
from collections.abc import Mapping
from types import MappingProxyType

# Paths are `str`, since importing pathlib takes about as long as loading a vocabulary.
_FOLDER = os.path.join(os.path.dirname(__file__), "data")  # noqa: PTH118, PTH120

SHIPPED: Mapping[str, str] = MappingProxyType(
    {"qwen": os.path.join(_FOLDER, "qwen.bpe")}  # noqa: PTH118
)

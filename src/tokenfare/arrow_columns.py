"""What an Arrow column looks like, whichever library made it: the Arrow PyCapsule interface.

These are types for annotations. The core reads the columns.
"""

from __future__ import annotations

from typing import Protocol


class ArrowStream(Protocol):
    """A column in chunks, by the Arrow PyCapsule interface."""

    def __arrow_c_stream__(self, requested_schema: object = None) -> object: ...


class ArrowArray(Protocol):
    """A column in one piece, by the Arrow PyCapsule interface."""

    def __arrow_c_array__(self, requested_schema: object = None) -> tuple[object, object]: ...

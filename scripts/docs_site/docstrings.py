"""An extension of the reader of docstrings: public names that they say become links.

The reader, griffe, reads files and imports nothing; which names are public is asked of the package.
"""

from typing import Any

from griffe import Extension, Object

from . import names


class Links(Extension):
    """Links every docstring once, when its object is made."""

    def __init__(self) -> None:
        """Ask for the names once."""
        super().__init__()
        self._known = names.paths()

    def on_instance(self, *, obj: Object, **_: Any) -> None:
        """Rewrite the docstring of what was read."""
        if obj.docstring is not None:
            obj.docstring.value = names.linked(obj.docstring.value, self._known)

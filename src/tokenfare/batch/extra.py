"""What the extra `batch` installs, imported when it is needed."""

from __future__ import annotations

from functools import partial

from tokenfare import extras

required = partial(extras.required, what="planning batches", extra="batch")
"""Import a module of the extra. Raises `MissingExtra` without it."""

"""Returns memory that allocators keep to the system, before other work needs as much.

Only commands do this, since they know what comes next; a library leaves it to its caller.
"""

from __future__ import annotations

import ctypes
import sys


def give_back() -> None:
    """Return the free pages of the C library and of Arrow to the system.

    After a job of a million requests these are some 70 MB, which drawing a report would not reuse.
    For the C library, this works only with glibc.
    """
    if "pyarrow" in sys.modules:
        sys.modules["pyarrow"].default_memory_pool().release_unused()
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)

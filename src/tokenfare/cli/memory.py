"""What allocators keep for later, given back before something else needs as much.

For the process of a command, which knows what comes next; a library leaves that to its caller.
"""

from __future__ import annotations

import ctypes
import sys


def give_back() -> None:
    """Give the free pages of the C library and of Arrow back to the system.

    After a job of a million requests these are some 70 MB, and what draws a report asks for more
    in pages of its own. Does nothing where the C library is another than glibc.
    """
    if "pyarrow" in sys.modules:
        sys.modules["pyarrow"].default_memory_pool().release_unused()
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)

import platform
from pathlib import Path

import pytest

from tokenfare.cli.memory import give_back

PIECES, BYTES = 1_000, 50_000


def resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4_096


@pytest.mark.skipif(
    platform.libc_ver()[0] != "glibc",
    reason="only glibc keeps pages that it can be told to give back",
)
def test_what_the_c_library_keeps_for_later_is_given_back():
    held = [bytearray(BYTES) for _ in range(PIECES)]
    kept = held[-1]  # or the C library gives all of it back by itself
    del held
    before = resident()
    give_back()
    assert resident() < before - PIECES * BYTES // 2
    assert len(kept) == BYTES

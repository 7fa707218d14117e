"""What a run keeps to, and the promise of a deadline depends on."""

from __future__ import annotations

DEFAULT_CONCURRENCY = 16

SEND_SECONDS = 0.01
"""What a request takes of this process at most: 5 to 7 ms were measured on two busy cores."""

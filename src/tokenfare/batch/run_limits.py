"""The limits of a direct run, on which the promise of a deadline depends."""

from __future__ import annotations

DEFAULT_CONCURRENCY = 16

SEND_SECONDS = 0.01
"""The most time that this process takes to send a request: 5 to 7 ms were measured."""

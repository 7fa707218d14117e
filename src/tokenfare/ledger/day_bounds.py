"""Days of a time zone as the ledger's times: milliseconds since 1970, UTC."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

_FIRST, _LAST = 0, 2**62


@dataclass(frozen=True, slots=True)
class Span:
    """Days of a time zone, from `since` to `until`, both included; `None` leaves an end open."""

    since: date | None = None
    until: date | None = None
    zone: tzinfo = UTC

    def milliseconds(self) -> tuple[int, int]:
        """Its beginning and end; the end is not in it."""
        return (
            _FIRST if self.since is None else _begins(self.since, self.zone),
            _LAST if self.until is None else _begins(self.until + timedelta(days=1), self.zone),
        )

    def day_of(self, milliseconds: int) -> str:
        """The day of a moment, as `2026-11-25`."""
        return datetime.fromtimestamp(milliseconds / 1_000, self.zone).date().isoformat()


ALWAYS = Span()


def day_around(seconds: float, zone: tzinfo) -> Span:
    """The one day in which a moment lies, given in seconds since 1970."""
    day = datetime.fromtimestamp(seconds, zone).date()
    return Span(day, day, zone)


def _begins(day: date, zone: tzinfo) -> int:
    return int(datetime.combine(day, time(), zone).timestamp() * 1_000)

"""Uploaded files that calls are using now, so that calls at once share one of each content.

Who takes a content first uploads it; who comes meanwhile waits for its bell and uploads nothing.
The last one to give it back deletes it, unless one of them was to keep it. Nothing here uploads,
deletes or waits.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from tokenfare.errors import ProviderError
from tokenfare.limiter import Bell

from .call import UploadedFile


@dataclass(slots=True, eq=False)
class Lent:
    """One content's file: on its way, there, or failed. The bell rings when it is not on its way.

    Without a file and without an error the upload was left: whoever waited does it again.
    """

    key: str
    bell: Bell = field(default_factory=Bell)
    over: bool = False
    file: UploadedFile | None = None
    error: ProviderError | None = None
    kept: bool = False
    users: int = 1


class Shelf:
    """The files that calls are using now. Safe in threads."""

    def __init__(self) -> None:
        """Empty."""
        self._lock = threading.Lock()
        self._lent: dict[str, Lent] = {}

    def take(self, key: str) -> tuple[Lent, bool]:
        """A content's file, and whether it is the taker's to upload: he is the first."""
        with self._lock:
            found = self._lent.get(key)
            if found is not None:
                found.users += 1
                return found, False
            lent = self._lent[key] = Lent(key)
            return lent, True

    def there(self, lent: Lent, file: UploadedFile, *, kept: bool = False) -> None:
        """It is uploaded; `kept` if it was before and is remembered."""
        with self._lock:
            lent.file, lent.kept, lent.over = file, kept, True
        lent.bell.ring()

    def keep(self, lent: Lent, *, kept: bool = True) -> None:
        """It is remembered and nobody's to delete; or it is not any more."""
        with self._lock:
            lent.kept = kept

    def failed(self, lent: Lent, error: ProviderError | None) -> None:
        """It could not be uploaded, for a reason that holds for all who wait, or was left."""
        with self._lock:
            self._forget(lent)
            lent.error, lent.over = error, True
        lent.bell.ring()

    def back(self, lent: Lent, *, keep: bool) -> bool:
        """Give a file back. Whether it is to be deleted: nobody uses it, and nobody keeps it."""
        with self._lock:
            lent.users -= 1
            lent.kept = lent.kept or keep
            if lent.users:
                return False
            self._forget(lent)
            return lent.file is not None and not lent.kept

    def _forget(self, lent: Lent) -> None:
        if self._lent.get(lent.key) is lent:
            del self._lent[lent.key]

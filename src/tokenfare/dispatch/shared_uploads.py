"""Uploaded files that calls are using now, so that calls at once share one of each content.

Who takes a content first uploads it; who comes meanwhile waits for its signal and uploads nothing.
The last one to give it back deletes it, unless one of them was to keep it. Nothing here uploads,
deletes or waits.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from tokenfare.errors import ProviderError
from tokenfare.limiter import Signal

from .call import UploadedFile


@dataclass(slots=True, eq=False)
class SharedUpload:
    """One content's file: on its way, there, or failed. The signal is set when that is known.

    Without a file and without an error the upload was left: whoever waited does it again.
    """

    key: str
    signal: Signal = field(default_factory=Signal)
    over: bool = False
    file: UploadedFile | None = None
    error: ProviderError | None = None
    kept: bool = False
    users: int = 1


class SharedUploads:
    """The files that calls are using now. Safe in threads."""

    def __init__(self) -> None:
        """Empty."""
        self._lock = threading.Lock()
        self._uploads: dict[str, SharedUpload] = {}

    def take(self, key: str) -> tuple[SharedUpload, bool]:
        """A content's file, and whether it is the taker's to upload: he is the first."""
        with self._lock:
            found = self._uploads.get(key)
            if found is not None:
                found.users += 1
                return found, False
            upload = self._uploads[key] = SharedUpload(key)
            return upload, True

    def there(self, upload: SharedUpload, file: UploadedFile, *, kept: bool = False) -> None:
        """It is uploaded; `kept` if it was before and is remembered."""
        with self._lock:
            upload.file, upload.kept, upload.over = file, kept, True
        upload.signal.set()

    def keep(self, upload: SharedUpload, *, kept: bool = True) -> None:
        """It is remembered and nobody's to delete; or it is not any more."""
        with self._lock:
            upload.kept = kept

    def failed(self, upload: SharedUpload, error: ProviderError | None) -> None:
        """It could not be uploaded, for a reason that holds for all who wait, or was left."""
        with self._lock:
            self._forget(upload)
            upload.error, upload.over = error, True
        upload.signal.set()

    def back(self, upload: SharedUpload, *, keep: bool) -> bool:
        """Give a file back. Whether it is to be deleted: nobody uses it, and nobody keeps it."""
        with self._lock:
            upload.users -= 1
            upload.kept = upload.kept or keep
            if upload.users:
                return False
            self._forget(upload)
            return upload.file is not None and not upload.kept

    def _forget(self, upload: SharedUpload) -> None:
        if self._uploads.get(upload.key) is upload:
            del self._uploads[upload.key]

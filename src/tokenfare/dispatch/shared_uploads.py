"""The uploaded files in use by calls of this process, so that concurrent calls share them.

The first call to take a content uploads it; others wait for its signal. The last one to give it
back deletes it, unless any of them wants to keep it. Nothing here uploads, deletes or waits.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from tokenfare.errors import ProviderError
from tokenfare.limiter import Signal

from .call import UploadedFile


@dataclass(slots=True, eq=False)
class SharedUpload:
    """The upload of one content. The signal is set when it has a file, an error, or neither.

    With neither, the upload was abandoned, and a call that waited for it has to do it again.
    """

    key: str
    signal: Signal = field(default_factory=Signal)
    over: bool = False
    file: UploadedFile | None = None
    error: ProviderError | None = None
    kept: bool = False
    users: int = 1


class SharedUploads:
    """The uploads in use. Thread-safe."""

    def __init__(self) -> None:
        """Start empty."""
        self._lock = threading.Lock()
        self._uploads: dict[str, SharedUpload] = {}

    def take(self, key: str) -> tuple[SharedUpload, bool]:
        """The upload of a content, and whether the caller is the first, who has to do it."""
        with self._lock:
            found = self._uploads.get(key)
            if found is not None:
                found.users += 1
                return found, False
            upload = self._uploads[key] = SharedUpload(key)
            return upload, True

    def there(self, upload: SharedUpload, file: UploadedFile, *, kept: bool = False) -> None:
        """Set the file. `kept`: it was uploaded before, and is remembered."""
        with self._lock:
            upload.file, upload.kept, upload.over = file, kept, True
        upload.signal.set()

    def keep(self, upload: SharedUpload, *, kept: bool = True) -> None:
        """Set whether the file is remembered, and so not to be deleted."""
        with self._lock:
            upload.kept = kept

    def failed(self, upload: SharedUpload, error: ProviderError | None) -> None:
        """Set an error that applies to all who wait; or `None` if the upload was abandoned."""
        with self._lock:
            self._forget(upload)
            upload.error, upload.over = error, True
        upload.signal.set()

    def back(self, upload: SharedUpload, *, keep: bool) -> bool:
        """Give a file back. Returns whether to delete it: nobody uses it or wants to keep it."""
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

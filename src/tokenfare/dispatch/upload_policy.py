"""How documents are uploaded, remembered and shared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from tokenfare.errors import InvalidRequestError

from .call import UploadedFile, UploadProgress
from .shared_uploads import SharedUploads


class FileMemory(Protocol):
    """Remembers which contents the provider has, by their digests.

    Flows call it by effects that may block on a disk.
    """

    def get(self, digest: str) -> UploadedFile | None:
        """The file that has this content."""

    def put(self, file: UploadedFile) -> None:
        """Remember a file that the provider keeps."""

    def forget(self, file: UploadedFile) -> None:
        """Forget a file that the provider does not keep any more."""


class Claims(Protocol):
    """Coordinates uploads between processes, so that one uploads for all.

    Flows call it by effects that may block on a disk.
    """

    def take(self, digest: str, claim: str, seconds: float) -> UploadedFile | bool:
        """The file of a content, if there is one; else whether a claim to upload it is granted.

        `claim` is a unique name. The claim ends after this many seconds, or with its process if
        that can be observed, or when the file is remembered.
        """

    def leave(self, claim: str) -> None:
        """Give up a claim. Does nothing if it has ended."""


@dataclass(frozen=True, slots=True)
class FileHandling:
    """How documents are uploaded.

    The provider reads a file before it can be used; its state is checked every `poll_seconds` until
    `deadline_seconds` have passed. Files stay at the provider (they cost nothing there) unless
    `keep_files` is false; after a failure the files of the call are deleted in any case. Content
    that `memory` knows is not uploaded again, and files that are kept are added to it. Simultaneous
    calls with the same `shared` share the upload of a content; after a failure the last of them
    deletes the file. With `claims`, calls of several processes share it too, if they keep files: a
    file is remembered as soon as it can be used, and stays even if its call fails afterwards,
    unless the document is the reason.
    """

    keep_files: bool = True
    poll_seconds: float = 5.0
    deadline_seconds: float = 600.0
    progress: Callable[[UploadProgress], None] | None = None
    memory: FileMemory | None = None
    claims: Claims | None = None
    shared: SharedUploads = field(default_factory=SharedUploads, compare=False, repr=False)

    def __post_init__(self) -> None:
        if not self.poll_seconds > 0:  # it would be asked without a pause
            raise InvalidRequestError(f"poll_seconds is above zero, not {self.poll_seconds}")

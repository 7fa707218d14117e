"""The file service: what was uploaded, in memory, until it is deleted or the emulator ends.

A file is parsed after the upload. Here that takes a number of queries, and time only if a fault
asks for it, so that tests need not wait. Like the provider, the emulator notices an unreadable file
when a chat refers to it. It reads TXT, MD, CSV and JSON in UTF-8; the provider's other formats,
such as PDF and DOCX, are refused as not supported.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import PurePath

from .faults import Parse
from .refusal import Refusal, invalid

FILES_PER_ACCOUNT = 10_000
READABLE = frozenset({".txt", ".md", ".csv", ".json"})
_LIST_LIMIT = 20
_UNREAD = frozenset({"batch", "batch_output"})  # purposes whose files no model reads


@dataclass(slots=True)
class StoredFile:
    """One uploaded file.

    `looks_left` is how many queries still report that it is being parsed, `ready_at` the time
    before which all do, and `fails` whether it then turns out to be unreadable.
    """

    id: str
    name: str
    purpose: str
    content: bytes
    created_at: int
    looks_left: int
    ready_at: float
    clock: Callable[[], float]
    fails: bool = False

    @property
    def status(self) -> str:
        """The status of parsing. The provider documents only `processed`."""
        if self.looks_left or self.clock() < self.ready_at:
            return "processing"
        return "error" if self.fails else "processed"

    def wire(self) -> dict[str, object]:
        """The file object of the interface."""
        return {
            "id": self.id,
            "object": "file",
            "bytes": len(self.content),
            "filename": self.name,
            "purpose": self.purpose,
            "status": self.status,
            "created_at": self.created_at,
            "status_details": None,
        }

    @property
    def tag(self) -> str:
        """The content's HTTP entity tag."""
        return f'"{sha256(self.content).hexdigest()[:32]}"'

    def text(self) -> str:
        """The text that a model reads."""
        if self.status == "processing":
            raise invalid("File parsing in progress, please try again later.")
        if self.fails or PurePath(self.name).suffix.lower() not in READABLE:
            raise invalid(f"File [id:{self.id}] format is not supported.")
        try:
            text = self.content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise invalid(f"File [id:{self.id}] format is not supported.") from error
        if not text.strip():
            raise invalid(f"File [id:{self.id}] content blank.")
        return text


class FileStore:
    """The files of one account."""

    def __init__(self, clock: Callable[[], float], looks_until_parsed: int) -> None:
        """Start empty."""
        self._clock = clock
        self._looks = looks_until_parsed
        self._numbers = itertools.count(1)
        self._files: dict[str, StoredFile] = {}

    def add(
        self, name: str, purpose: str, content: bytes, parse: Parse | None = None
    ) -> StoredFile:
        """Store a file and begin to parse it."""
        if len(self._files) >= FILES_PER_ACCOUNT:
            raise invalid(f"An account holds at most {FILES_PER_ACCOUNT} files.")
        read = purpose not in _UNREAD
        parsing = Parse(self._looks if read else 0) if parse is None else parse
        kind = "fe" if read else purpose
        file = StoredFile(
            id=f"file-{kind}-{next(self._numbers):024x}",
            name=name,
            purpose=purpose,
            content=content,
            created_at=int(self._clock()),
            looks_left=parsing.looks,
            ready_at=self._clock() + parsing.seconds,
            clock=self._clock,
            fails=parsing.fails,
        )
        self._files[file.id] = file
        return file

    def get(self, file_id: str) -> StoredFile:
        """A file by its id."""
        file = self._files.get(file_id)
        if file is None:
            raise Refusal(
                404,
                "invalid_request_error",
                f"No such File object: {file_id}",
                param="id",
            )
        return file

    def look(self, file_id: str) -> dict[str, object]:
        """Report a file, and advance its parsing by one step."""
        file = self.get(file_id)
        report = file.wire()
        file.looks_left = max(0, file.looks_left - 1)
        return report

    def delete(self, file_id: str) -> None:
        """Delete a file."""
        del self._files[self.get(file_id).id]

    def texts(self, file_ids: Iterable[str], purpose: str) -> str:
        """The texts of the files that a chat refers to, concatenated."""
        texts = []
        for file_id in file_ids:
            file = self._files.get(file_id)
            if file is None or file.purpose != purpose:
                raise invalid(f"Invalid file [id:{file_id}].")
            texts.append(file.text())
        return "".join(texts)

    def page(
        self,
        *,
        after: str | None = None,
        limit: int | None = None,
        purpose: str | None = None,
        since: str | None = None,
        until: str | None = None,
    ) -> tuple[list[StoredFile], bool]:
        """Files in the order of upload after one of them, and whether there are more.

        `since` and `until` are days as the interface writes them, `20241218`, both included.
        """
        ids = list(self._files)
        start = ids.index(self.get(after).id) + 1 if after else 0
        found = [
            file
            for file in (self._files[i] for i in ids[start:])
            if (purpose is None or file.purpose == purpose)
            and (since is None or _day(file) >= since)
            and (until is None or _day(file) <= until)
        ]
        size = _LIST_LIMIT if limit is None else limit
        return found[:size], len(found) > size


def _day(file: StoredFile) -> str:
    return datetime.fromtimestamp(file.created_at, UTC).strftime("%Y%m%d")

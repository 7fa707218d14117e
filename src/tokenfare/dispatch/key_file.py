"""A key in a file that may be exchanged while a process lives, as those of secret stores are."""

from __future__ import annotations

import os
from pathlib import Path

from tokenfare.errors import InputError, InvalidRequestError, MissingKey
from tokenfare.reading import text_of

from .secret import SHOWN, Secret


class KeyFile:
    """Gives the key that a file holds, and nothing else of it. It is read when it has changed.

    Where there is no key in it, as for the moment in which it is written, or no file, the last one
    stands. Neither the repr nor an error shows a key. For `Client(api_key=KeyFile(path))`.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Name the file; it is read when the key is asked for."""
        self._path = Path(path)
        self._seen: tuple[int, ...] | None = None
        self._key: Secret | None = None

    def __call__(self) -> str:
        """The key. Raises `MissingKey` if there never was one."""
        problem = "it holds no key"
        try:
            found = self._path.stat()
            seen = (found.st_mtime_ns, found.st_ino, found.st_size)
            if seen != self._seen:
                self._key = Secret(text_of(self._path))
                self._seen = seen
        except (OSError, InputError, InvalidRequestError) as error:
            problem = str(error)
        if self._key is None:
            raise MissingKey(f"{self._path}: {problem}; write the provider's key into it")
        return self._key.reveal()

    def __repr__(self) -> str:
        return f"KeyFile({str(self._path)!r}, key {SHOWN})"

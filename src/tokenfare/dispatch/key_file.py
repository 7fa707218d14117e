"""A key in a file that is replaced while the process runs, as secret stores do."""

from __future__ import annotations

import os
from pathlib import Path

from tokenfare.errors import InputError, InvalidRequestError, MissingKey
from tokenfare.reading import text_of

from .secret import SHOWN, Secret


class KeyFile:
    """A function that returns the key in a file, which is read again when it has changed.

    If the file is missing or empty, as while it is being replaced, the last key is kept. Neither
    the repr nor an error shows a key. For `Client(api_key=KeyFile(path))`.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """The file is read when the key is asked for."""
        self._path = Path(path)
        # A single value, so that a thread that has read an older file cannot store its key with the
        # state of a newer one, which would then never be read.
        self._held: tuple[tuple[int, ...], Secret] | None = None

    def __call__(self) -> str:
        """The key. Raises `MissingKey` if there never was one."""
        held, problem = self._held, "it holds no key"
        try:
            found = self._path.stat()
            seen = (found.st_mtime_ns, found.st_ino, found.st_size)
            if held is None or seen != held[0]:
                held = self._held = seen, Secret(text_of(self._path))
        except OSError as error:
            problem = error.strerror or str(error)
        except InputError as error:
            problem = str(error).removeprefix(f"{error.name}: ")
        except InvalidRequestError as error:
            problem = str(error)
        if held is None:
            raise MissingKey(f"{self._path}: {problem}; write the provider's key into it")
        return held[1].reveal()

    def __repr__(self) -> str:
        return f"KeyFile({str(self._path)!r}, key {SHOWN})"

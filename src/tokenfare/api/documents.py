"""Documents attached to a request: files to read, or texts."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import TypeAlias

from tokenfare import media
from tokenfare.errors import InvalidRequestError
from tokenfare.messages import Document
from tokenfare.reading import bytes_of

Documents: TypeAlias = Sequence[Document | str | os.PathLike[str]]
"""The documents attached to a request, or the paths of files that hold them."""


def read_document(path: str | os.PathLike[str]) -> Document:
    """Read a document from a file: UTF-8 text, a PDF or a DOCX.

    A PDF needs `pip install 'tokenfare[media]'`. A PDF or DOCX keeps its bytes as well as the text
    read from it: a model with a file service parses the file itself, so the count of such a
    document is an interval around that of the text.

    Raises:
        InputError: The file cannot be read, or is of another kind.

    Examples:
        >>> from pathlib import Path
        >>> import tokenfare as tf
        >>> _ = Path("notes.txt").write_text("Hangzhou is in Zhejiang.", encoding="utf-8")
        >>> tf.read_document("notes.txt").text
        'Hangzhou is in Zhejiang.'
    """
    if not isinstance(path, str | os.PathLike):
        raise InvalidRequestError(f"a document is named by its path, not {type(path).__name__}")
    return document_of(os.fspath(path), bytes_of(path))


def documents_of(given: Documents) -> tuple[Document, ...]:
    """The documents of `given`; paths are read.

    Raises `InputError` for a file that cannot be read, `InvalidRequestError` for anything else.
    """
    if given is None:
        raise InvalidRequestError("documents is a list of files, not None; leave it out for none")
    one = isinstance(given, str | bytes | os.PathLike | Document)
    if one or not isinstance(given, Iterable):
        raise InvalidRequestError(
            f"documents is a list of paths or tokenfare.Document, not one {type(given).__name__}; "
            "put it in a list"
        )
    return tuple(_document(each) for each in given)


def _document(given: Document | str | os.PathLike[str]) -> Document:
    if isinstance(given, Document):
        return given
    if isinstance(given, str | os.PathLike):
        return read_document(given)
    raise InvalidRequestError(
        "documents: each is the path of a file (str or os.PathLike) or a tokenfare.Document, "
        f"not {type(given).__name__}"
    )


def document_of(name: str, content: bytes) -> Document:
    """A document from the bytes of a file; see `read_document`."""
    read = media.read_document(name, content)
    return Document(name, read.text, None if read.exact else content, read.pages, read.blank_pages)

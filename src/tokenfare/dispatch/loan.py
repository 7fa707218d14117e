"""The uploaded files of one call, shared with other calls at the same moment.

This holds among calls that have a `Shelf` in common, in threads and in tasks; other processes know
nothing of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from copy import copy
from dataclasses import replace
from functools import partial

from tokenfare.catalog import Model
from tokenfare.errors import ProviderError

from .call import Document, UploadedFile
from .documents import Content, delete, distinct, marked, sent
from .effects import Flow, Hear, Work
from .exchange import Line
from .handling import FileHandling
from .shelf import Lent

_LONG_SECONDS = 3_600.0  # a bell rings at the end of every upload, so this never passes


class Loan:
    """The files that one call has borrowed, by the digests of their contents."""

    def __init__(self, handling: FileHandling, model: Model, line: Line) -> None:
        """None yet."""
        self._handling = handling
        self._shelf = handling.shelf
        self._model = model
        self._line = line
        self._held: dict[str, Lent] = {}

    def borrow(
        self, documents: Sequence[Document | UploadedFile]
    ) -> Flow[tuple[UploadedFile, ...]]:
        """The files of documents, in their order: uploaded here, or by another call meanwhile."""
        marks = yield from marked(documents, self._model)
        yield from self._borrow(distinct(documents, marks))
        files = []
        for document, mark in zip(documents, marks, strict=True):
            if isinstance(document, Document):
                lent = self._held[mark.digest]
                assert lent.file is not None  # noqa: S101 - or borrowing had failed
                files.append(replace(lent.file, name=document.name))
            else:
                files.append(document)
        return tuple(files)

    def give_back(self, *, keep: bool) -> Flow[tuple[str, ...]]:
        """Give all back and remember what is kept. Gives the ids that could not be deleted."""
        held, self._held = list(self._held.values()), {}
        try:
            if keep:
                yield from self._remember(lent for lent in held if not lent.kept)
        finally:
            unused = [lent.file for lent in held if self._shelf.back(lent, keep=keep)]
        return (yield from delete(filter(None, unused), self._model, self._line))

    def drop(self) -> None:
        """The flow is thrown away: nobody carries out what it would ask for."""
        for lent in self._held.values():
            self._shelf.back(lent, keep=False)

    def _borrow(self, contents: Sequence[Content]) -> Flow[None]:
        """Have the file of each content. Nobody waits before what is his to upload is there."""
        missing = list(contents)
        while missing:
            taken = [(content, *self._shelf.take(self._key(content))) for content in missing]
            self._held.update({content.mark.digest: lent for content, lent, _ in taken})
            yield from self._upload([content for content, _, first in taken if first])
            missing = []
            for content, lent, first in taken:
                if not first and not (yield from _arrived(lent)):
                    missing.append(content)
                    self._shelf.back(self._held.pop(content.mark.digest), keep=False)

    def _upload(self, contents: Sequence[Content]) -> Flow[None]:
        if not contents:
            return
        ours = [self._held[content.mark.digest] for content in contents]
        try:
            rest = yield from self._not_remembered(contents)
            files = yield from sent(rest, self._model, self._line, self._handling)
        except BaseException as error:
            # One of several may be good, and what is wrong with another is nothing to who waits.
            shared = error if isinstance(error, ProviderError) and len(ours) == 1 else None
            for lent in ours:
                if not lent.over:
                    self._shelf.failed(lent, shared)
            raise
        for digest, file in files.items():
            self._shelf.there(self._held[digest], file)

    def _not_remembered(self, contents: Sequence[Content]) -> Flow[list[Content]]:
        """Those that no call has put into the memory since it was looked at."""
        memory = self._handling.memory
        if memory is None:
            return list(contents)
        rest = []
        for content in contents:
            known = yield Work(partial(memory.get, content.mark.digest))
            if known is None:
                rest.append(content)
            else:
                self._shelf.there(self._held[content.mark.digest], known, kept=True)
        return rest

    def _remember(self, held: Iterable[Lent]) -> Flow[None]:
        memory = self._handling.memory
        for lent in held:
            if memory is not None and lent.file is not None:
                yield Work(partial(memory.put, lent.file))

    def _key(self, content: Content) -> str:
        return f"{self._line.endpoint.base_url} {self._model.id} {content.mark.digest}"


def _arrived(lent: Lent) -> Flow[bool]:
    """Wait for another call's upload. Whether it is there; raises what kept it away."""
    while not lent.over:
        yield Hear(lent.bell, _LONG_SECONDS)
    if lent.error is not None:
        raise copy(lent.error).with_traceback(None)
    return lent.file is not None

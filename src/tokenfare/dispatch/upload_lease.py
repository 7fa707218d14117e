"""The uploaded files of one call, shared with other calls at the same moment.

This holds among calls with `SharedUploads` in common, in threads and in tasks; with `Claims` also
among processes. Who has a claim waits for nobody before he has uploaded, so nobody waits for ever.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from copy import copy
from dataclasses import replace
from functools import partial
from uuid import uuid4

from tokenfare.catalog import Model
from tokenfare.errors import DatabaseError, ProviderError

from .call import Attachment, UploadedFile, UploadProgress
from .documents import Content, delete, distinct, marked, sent
from .effects import Flow, RunBlocking, Wait, WaitFor
from .exchange import Channel
from .shared_uploads import SharedUpload
from .upload_policy import Claims, FileHandling

# A signal is set at the end of every upload, so waiting for one never takes so long. A claim may:
# that of a process of which nothing can be said, or that has come to a stop.
_LONG_SECONDS = 3_600.0

# Other processes set no signal: their claims are looked at, after pauses that grow.
_FIRST_LOOK_SECONDS, _LONGEST_LOOK_SECONDS = 0.05, 1.0
# What a claim has beyond the longest that an upload may take.
_SPARE_SECONDS = 60.0


class Lease:
    """The files that one call uses, by the digests of their contents."""

    def __init__(self, handling: FileHandling, model: Model, channel: Channel) -> None:
        """None yet."""
        self._handling = handling
        self._shared = handling.shared
        self._model = model
        self._channel = channel
        self._held: dict[str, SharedUpload] = {}
        self._claims: dict[str, str] = {}
        self._told: set[str] = set()

    def borrow(
        self, documents: Sequence[Attachment | UploadedFile]
    ) -> Flow[tuple[UploadedFile, ...]]:
        """The files of documents, in their order: uploaded here, or by another call meanwhile."""
        marks = yield from marked(documents, self._model)
        yield from self._borrow(distinct(documents, marks))
        files = []
        for document, mark in zip(documents, marks, strict=True):
            if isinstance(document, Attachment):
                upload = self._held[mark.digest]
                assert upload.file is not None  # noqa: S101 - or borrowing had failed
                files.append(replace(upload.file, name=document.name))
            else:
                files.append(document)
        return tuple(files)

    def spoiled(self) -> Flow[None]:
        """The provider cannot answer about these files: what was remembered of them is not kept."""
        memory = self._handling.memory
        for digest in self._told:
            upload = self._held[digest]
            if memory is not None and upload.file is not None:
                yield RunBlocking(partial(memory.forget, upload.file))
                self._shared.keep(upload, kept=False)

    def give_back(self, *, keep: bool) -> Flow[tuple[str, ...]]:
        """Give all back and remember what is kept. Gives the ids that could not be deleted."""
        held, self._held = list(self._held.values()), {}
        try:
            if keep:
                yield from self._remember(upload for upload in held if not upload.kept)
        finally:
            unused = [upload.file for upload in held if self._shared.back(upload, keep=keep)]
        return (yield from delete(filter(None, unused), self._model, self._channel))

    def drop(self) -> None:
        """The flow is thrown away: nobody carries out what it would ask for."""
        for upload in self._held.values():
            self._shared.back(upload, keep=False)
        if (claims := self._handling.claims) is None:
            return
        for claim in self._claims.values():
            with suppress(DatabaseError):
                claims.leave(claim)

    def _borrow(self, contents: Sequence[Content]) -> Flow[None]:
        """Have the file of each content. Nobody waits before what is his to upload is there."""
        missing = list(contents)
        while missing:
            taken = [(content, *self._shared.take(self._key(content))) for content in missing]
            self._held.update({content.mark.digest: upload for content, upload, _ in taken})
            yield from self._upload([content for content, _, first in taken if first])
            missing = []
            for content, upload, first in taken:
                if not first and not (yield from _arrived(upload)):
                    missing.append(content)
                    self._shared.back(self._held.pop(content.mark.digest), keep=False)

    def _upload(self, contents: Sequence[Content]) -> Flow[None]:
        if not contents:
            return
        ours = [self._held[content.mark.digest] for content in contents]
        try:
            if self._handling.claims is None or not self._handling.keep_files:
                yield from self._sent((yield from self._not_remembered(contents)))
            else:
                yield from self._sent_or_awaited(contents, self._handling.claims)
        except BaseException as error:
            # One of several may be good, and what is wrong with another is nothing to who waits.
            shared = error if isinstance(error, ProviderError) and len(ours) == 1 else None
            for upload in ours:
                if not upload.over:
                    self._shared.failed(upload, shared)
            raise

    def _sent(self, contents: Sequence[Content]) -> Flow[None]:
        files = yield from sent(contents, self._model, self._channel, self._handling)
        for digest, file in files.items():
            self._shared.there(self._held[digest], file)

    def _sent_or_awaited(self, contents: Sequence[Content], claims: Claims) -> Flow[None]:
        """Upload what no other process does, then wait for those of the others."""
        rest, pause = list(contents), _FIRST_LOOK_SECONDS
        while rest:
            before = len(rest)
            rest = yield from self._sent_as_claimed(rest, claims)
            pause = _FIRST_LOOK_SECONDS if len(rest) < before else pause
            for content in rest:
                self._tell_waiting(content)
            if rest:
                yield Wait(pause)
                pause = min(pause * 1.5, _LONGEST_LOOK_SECONDS)

    def _sent_as_claimed(self, contents: Sequence[Content], claims: Claims) -> Flow[list[Content]]:
        """Upload those that can be claimed; gives the others."""
        rest = []
        seconds = min(_LONG_SECONDS, len(contents) * self._longest_seconds() + _SPARE_SECONDS)
        try:
            for content in contents:
                digest = content.mark.digest
                # Known before it is granted: a task that is cancelled meanwhile is not told.
                claim = self._claims[digest] = uuid4().hex
                found = yield RunBlocking(partial(claims.take, digest, claim, seconds))
                if found is not True:
                    del self._claims[digest]
                if isinstance(found, UploadedFile):
                    self._shared.there(self._held[digest], found, kept=True)
                elif not found:
                    rest.append(content)
            ours = [content for content in contents if content.mark.digest in self._claims]
            if ours:
                yield from self._sent(ours)
                yield from self._tell_memory(ours)
        except GeneratorExit:
            raise
        except BaseException:
            for claim in self._claims.values():
                yield RunBlocking(partial(claims.leave, claim))
            self._claims.clear()
            raise
        return rest

    def _tell_memory(self, contents: Sequence[Content]) -> Flow[None]:
        """Remember files at once: other processes wait for them."""
        memory = self._handling.memory
        for content in contents:
            digest = content.mark.digest
            upload = self._held[digest]
            if memory is not None and upload.file is not None:
                yield RunBlocking(partial(memory.put, upload.file))
                self._shared.keep(upload)
                self._told.add(digest)
            self._claims.pop(digest)

    def _longest_seconds(self) -> float:
        """How long one upload may take, until the provider has read it."""
        return self._channel.endpoint.timeouts.total + self._handling.deadline_seconds

    def _tell_waiting(self, content: Content) -> None:
        if self._handling.progress is not None:
            said = UploadProgress(content.document.name, "waiting", 0, content.mark.size)
            self._handling.progress(said)

    def _not_remembered(self, contents: Sequence[Content]) -> Flow[list[Content]]:
        """Those that no call has put into the memory since it was looked at."""
        memory = self._handling.memory
        if memory is None:
            return list(contents)
        rest = []
        for content in contents:
            known = yield RunBlocking(partial(memory.get, content.mark.digest))
            if known is None:
                rest.append(content)
            else:
                self._shared.there(self._held[content.mark.digest], known, kept=True)
        return rest

    def _remember(self, held: Iterable[SharedUpload]) -> Flow[None]:
        memory = self._handling.memory
        for upload in held:
            if memory is not None and upload.file is not None:
                yield RunBlocking(partial(memory.put, upload.file))

    def _key(self, content: Content) -> str:
        return f"{self._channel.endpoint.base_url} {self._model.id} {content.mark.digest}"


def _arrived(upload: SharedUpload) -> Flow[bool]:
    """Wait for another call's upload. Whether it is there; raises what kept it away."""
    while not upload.over:
        yield WaitFor(upload.signal, _LONG_SECONDS)
    if upload.error is not None:
        raise copy(upload.error).with_traceback(None)
    return upload.file is not None

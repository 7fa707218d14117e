"""The uploaded files of one call, shared with concurrent calls.

Calls share files through a common `SharedUploads`, in threads and tasks, and with `Claims` also
across processes. There is no deadlock: a call that holds a claim waits for nobody before it has
uploaded.
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

# The most time to wait for another upload. A signal is always set earlier; a claim may last that
# long if its process cannot be observed, or is suspended.
_LONG_SECONDS = 3_600.0

# Other processes cannot set a signal, so their claims are polled, at growing intervals.
_FIRST_LOOK_SECONDS, _LONGEST_LOOK_SECONDS = 0.05, 1.0
# How much longer a claim lasts than the longest upload.
_SPARE_SECONDS = 60.0


class Lease:
    """The files that one call uses, by the digests of their contents."""

    def __init__(self, handling: FileHandling, model: Model, channel: Channel) -> None:
        """Start without files."""
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
        """Forget these files: the provider cannot use them."""
        memory = self._handling.memory
        for digest in self._told:
            upload = self._held[digest]
            if memory is not None and upload.file is not None:
                yield RunBlocking(partial(memory.forget, upload.file))
                self._shared.keep(upload, kept=False)

    def give_back(self, *, keep: bool) -> Flow[tuple[str, ...]]:
        """Give all back, remember those kept. Returns the ids that could not be deleted."""
        held, self._held = list(self._held.values()), {}
        try:
            if keep:
                yield from self._remember(upload for upload in held if not upload.kept)
        finally:
            unused = [upload.file for upload in held if self._shared.back(upload, keep=keep)]
        return (yield from delete(filter(None, unused), self._model, self._channel))

    def drop(self) -> None:
        """End the lease of a flow that was discarded, whose effects are not run any more."""
        for upload in self._held.values():
            self._shared.back(upload, keep=False)
        if (claims := self._handling.claims) is None:
            return
        for claim in self._claims.values():
            with suppress(DatabaseError):
                claims.leave(claim)

    def _borrow(self, contents: Sequence[Content]) -> Flow[None]:
        """Get the file of each content: first upload what is to be done here, then wait."""
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
            # With several contents, the error may be about another one than others wait for.
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
        """Upload what no other process is uploading, then wait for the rest."""
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
        """Upload the contents that can be claimed. Returns the others."""
        rest = []
        seconds = min(_LONG_SECONDS, len(contents) * self._longest_seconds() + _SPARE_SECONDS)
        try:
            for content in contents:
                digest = content.mark.digest
                # Stored before it is granted, since a cancelled task does not get the reply.
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
        """Remember files immediately, since other processes wait for them."""
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
        """The most time that one upload may take, including parsing by the provider."""
        return self._channel.endpoint.timeouts.total + self._handling.deadline_seconds

    def _tell_waiting(self, content: Content) -> None:
        if self._handling.progress is not None:
            said = UploadProgress(content.document.name, "waiting", 0, content.mark.size)
            self._handling.progress(said)

    def _not_remembered(self, contents: Sequence[Content]) -> Flow[list[Content]]:
        """The contents that are still not remembered."""
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
    """Wait for another call's upload. Returns whether it has a file; raises its error."""
    while not upload.over:
        yield WaitFor(upload.signal, _LONG_SECONDS)
    if upload.error is not None:
        raise copy(upload.error).with_traceback(None)
    return upload.file is not None

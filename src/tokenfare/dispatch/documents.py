"""Documents that are too long for a message: uploaded, read by the provider, referred to by id.

DashScope reads the first system message as the role the model plays and further ones as documents,
so ids stand in a second one (`fileid://a,fileid://b`). A call without a role gets a neutral one,
and the answer's notes say so, because it is billed. How much plain text may stand beside files is
the router's business; how many files, and how large, is checked here, before anything is sent.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from urllib.parse import quote

from tokenfare.catalog import DocumentRules, Model
from tokenfare.errors import (
    DocumentError,
    InvalidRequestError,
    ProviderAnswerInvalid,
    ProviderError,
)
from tokenfare.messages import FILE_MARK, NEUTRAL_ROLE, Message, system

from .call import Attachment, Stage, UploadedFile, UploadProgress
from .effects import Fingerprint, Flow, Identify, RunBlocking, Wait
from .error_meaning import beginning, json_of, shortened
from .exchange import ActiveCall, Channel, HttpResponse, begin_call, exchange, log, with_retries
from .multipart_form import file_form
from .retry_policy import RetryPolicy
from .upload_policy import FileHandling, FileMemory

ROLE_NOTE = (
    f"the call had no system message, so {NEUTRAL_ROLE!r} was put first: the provider reads the "
    f"first one as the role, and files only after it"
)

# Only `processed` is documented. These mean in similar APIs that parsing has failed.
_HOPELESS = frozenset({"error", "failed", "deleted", "expired", "cancelled"})

# Cleaning up delays a result or an error that is already there, so there is only one quick retry.
_BRIEF = RetryPolicy(attempts=2, first_wait=0.5, first_wait_throttled=0.5)


@dataclass(frozen=True, slots=True)
class Content:
    """One content to upload, under the name of the first document that has it."""

    document: Attachment
    mark: Fingerprint


def upload(
    documents: Sequence[Attachment | UploadedFile],
    model: Model,
    channel: Channel,
    files: FileHandling | None = None,
) -> Flow[tuple[UploadedFile, ...]]:
    """Upload documents for a model and wait until all can be asked about.

    Returns a file for each document, in order; identical contents share one. Files that are already
    uploaded are left alone. If anything fails, the files uploaded here are deleted again. Raises
    `InvalidRequestError`, before anything is sent, if the model does not take these documents.
    """
    marks = yield from marked(documents, model)
    held = yield from sent(distinct(documents, marks), model, channel, files or FileHandling())
    pairs = zip(documents, marks, strict=True)
    return tuple(d if isinstance(d, UploadedFile) else held[mark.digest] for d, mark in pairs)


def marked(
    documents: Sequence[Attachment | UploadedFile], model: Model
) -> Flow[tuple[Fingerprint, ...]]:
    """Digest and size of each. Raises `InvalidRequestError` if the model does not take them."""
    rules = _rules(model, len(documents))
    marks: list[Fingerprint] = []
    for document in documents:
        mark = yield from _mark(document, model, rules)
        marks.append(mark)
    return tuple(marks)


def distinct(
    documents: Sequence[Attachment | UploadedFile], marks: Sequence[Fingerprint]
) -> tuple[Content, ...]:
    """Each content to upload, once."""
    contents: dict[str, Content] = {}
    for document, mark in zip(documents, marks, strict=True):
        if isinstance(document, Attachment):
            contents.setdefault(mark.digest, Content(document, mark))
    return tuple(contents.values())


def sent(
    contents: Sequence[Content], model: Model, channel: Channel, handling: FileHandling
) -> Flow[dict[str, UploadedFile]]:
    """Upload contents and wait until all are parsed. If anything fails, all are deleted."""
    rules = _rules(model, len(contents))
    held: dict[str, UploadedFile] = {}
    try:
        waiting = []
        for content in contents:
            file, ready = yield from _send(content, model, rules, channel, handling)
            held[file.digest] = file
            waiting += [] if ready else [file]
        for file in waiting:
            yield from _processed(file, model, channel, handling)
    except GeneratorExit:  # the flow is thrown away: nobody carries out what it would ask for
        raise
    except BaseException:
        yield from delete(held.values(), model, channel)
        raise
    return held


def recalled(
    documents: Sequence[Attachment | UploadedFile], memory: FileMemory | None
) -> Flow[tuple[Attachment | UploadedFile, ...]]:
    """The documents, with those that the provider already has replaced by their files."""
    if memory is None:
        return tuple(documents)
    found: list[Attachment | UploadedFile] = []
    for document in documents:
        known = None
        if isinstance(document, Attachment):
            mark = yield Identify(document.name, document.content)
            known = yield RunBlocking(partial(memory.get, mark.digest))
        found.append(document if known is None else replace(known, name=document.name))
    return tuple(found)


def delete(files: Iterable[UploadedFile], model: Model, channel: Channel) -> Flow[tuple[str, ...]]:
    """Delete files at the provider. Returns the ids that may still be there; never raises.

    A file that the provider does not know counts as deleted.
    """
    left = []
    for file in files:
        run = begin_call(replace(channel, retry_policy=_BRIEF), model.id)
        request = run.request("DELETE", _url(channel, file))
        try:
            yield from with_retries(run, partial(exchange, run, request))
        except ProviderError as error:
            if error.status != 404:
                log.warning("file %s could not be deleted (HTTP %s)", file.id, error.status)
                left.append(file.id)
    return tuple(left)


def referring(
    messages: tuple[Message, ...], files: Iterable[UploadedFile]
) -> tuple[tuple[Message, ...], tuple[str, ...]]:
    """The messages with a reference to the files after the role, and notes on what was added."""
    ids = dict.fromkeys(file.id for file in files)
    reference = system(",".join(f"{FILE_MARK}{id_}" for id_ in ids))
    first = messages[0]
    if first.role == "system" and not first.text.startswith(FILE_MARK):
        return (first, reference, *messages[1:]), ()
    return (system(NEUTRAL_ROLE), reference, *messages), (ROLE_NOTE,)


def _rules(model: Model, number: int) -> DocumentRules:
    rules = model.documents
    if rules is None:
        raise InvalidRequestError(f"{model.id} takes no uploaded documents; put the text inline")
    if number > rules.max_files:
        raise InvalidRequestError(
            f"{model.id}: {number} documents, {rules.max_files} accepted in one call"
        )
    return rules


def _mark(
    document: Attachment | UploadedFile, model: Model, rules: DocumentRules
) -> Flow[Fingerprint]:
    if isinstance(document, UploadedFile):
        return Fingerprint(document.digest, document.size)
    mark = yield Identify(document.name, document.content)
    assert isinstance(mark, Fingerprint)  # noqa: S101 - the result of Identify
    if mark.size == 0:
        raise InvalidRequestError(f"{document.name}: empty; a document needs some content")
    if mark.size > rules.max_file_bytes:
        raise InvalidRequestError(
            f"{document.name}: {mark.size:,} bytes, {model.id} accepts {rules.max_file_bytes:,} "
            f"({mark.size - rules.max_file_bytes:,} too many); split it"
        )
    return mark


def _send(
    content: Content, model: Model, rules: DocumentRules, channel: Channel, handling: FileHandling
) -> Flow[tuple[UploadedFile, bool]]:
    """Upload one content. Returns the file and whether it is already parsed."""
    run = begin_call(channel, model.id)
    url = channel.endpoint.url("files")
    name, mark = content.document.name, content.mark

    def sent(number: int) -> None:
        if handling.progress is not None:
            handling.progress(UploadProgress(name, "uploading", number, mark.size))

    form = file_form(name, content.document.content, mark, rules.purpose, sent)

    def once() -> Flow[tuple[str, str]]:
        reply = yield from exchange(
            run, run.request("POST", url, headers=form.headers, body=form.body)
        )
        return _id_and_status(reply, model, url)

    (id_, status), _ = yield from with_retries(run, once)
    file = UploadedFile(content.document.name, id_, content.mark.digest, content.mark.size)
    ready = status == "processed"
    _tell(handling, file, "ready" if ready else "processing")
    return file, ready


def _processed(
    file: UploadedFile, model: Model, channel: Channel, handling: FileHandling
) -> Flow[None]:
    """Wait until the provider has parsed a file."""
    url = _url(channel, file)
    clock = channel.runtime.clock
    until = clock() + handling.deadline_seconds
    status = "uploaded"
    while clock() + handling.poll_seconds <= until:
        yield Wait(handling.poll_seconds)
        run = begin_call(channel, model.id)
        status, _ = yield from with_retries(run, partial(_status, run, model, url))
        if status == "processed":
            _tell(handling, file, "ready")
            return
        if status in _HOPELESS:
            break
    raise _unread(file, status, model, handling)


def _status(run: ActiveCall, model: Model, url: str) -> Flow[str]:
    reply = yield from exchange(run, run.request("GET", url))
    _, status = _id_and_status(reply, model, url)
    return run.endpoint.key.redact(status)


def _unread(file: UploadedFile, status: str, model: Model, handling: FileHandling) -> DocumentError:
    hopeless = status in _HOPELESS
    problem = (
        "the provider could not read it; is it a whole file of a kind that it takes?"
        if hopeless
        else f"not read within {handling.deadline_seconds:g} s (deadline_seconds); "
        f"a long document may need more"
    )
    said = shortened(status)
    error = DocumentError(
        f"{file.name} ({file.id}): {problem} Its status is {said!r}.", code=said, model=model.id
    )
    error.transient = not hopeless
    return error


def _id_and_status(reply: HttpResponse, model: Model, url: str) -> tuple[str, str]:
    file = json_of(reply.body)
    if isinstance(file, Mapping):
        id_, status = file.get("id"), file.get("status", "uploaded")
        # The id is put into a URL and into a prompt, where a comma would separate two ids.
        if isinstance(id_, str) and id_ and quote(id_, safe="") == id_ and isinstance(status, str):
            return id_, status
    raise ProviderAnswerInvalid(
        f"{url} answers with something other than a file object: {beginning(reply.body)}",
        status=reply.status,
        model=model.id,
    )


def _tell(handling: FileHandling, file: UploadedFile, stage: Stage) -> None:
    if handling.progress is not None:
        handling.progress(UploadProgress(file.name, stage, file.size, file.size))


def _url(channel: Channel, file: UploadedFile) -> str:
    return channel.endpoint.url(f"files/{file.id}")

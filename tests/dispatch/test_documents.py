"""Documents: uploaded once, waited for, referred to in the right place, and tidied up."""

from __future__ import annotations

import hashlib
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from email import message_from_bytes
from pathlib import Path

import anyio
import httpx
import pytest

from dispatch.conftest import LONG, PLUS, Driver, Time, call
from dispatch.scripted import (
    HANG,
    Asked,
    Reply,
    Server,
    answer,
    chunk,
    completion,
    refusal,
    stream,
)
from tokenfare.dispatch import (
    NEUTRAL_ROLE,
    AsyncStream,
    Attachment,
    Channel,
    FileHandling,
    Stream,
    UploadedFile,
    UploadProgress,
    adrive,
    chat,
    chat_stream,
    drive,
    upload,
)
from tokenfare.errors import (
    DocumentError,
    InputError,
    InvalidRequestError,
    ProviderAnswerInvalid,
    ProviderFaultError,
)

A = Attachment("a.txt", b"first")
B = Attachment("b.txt", b"second")
BRIEF = FileHandling(keep_files=False)


def held(id_: str, status: str = "processed") -> Reply:
    """The provider's file object."""
    return answer({"id": id_, "object": "file", "bytes": 5, "status": status})


def gone(id_: str) -> Reply:
    return answer({"id": id_, "object": "file", "deleted": True})


def form(asked: Asked) -> dict[str, tuple[str | None, bytes]]:
    """The fields of a multipart form by name: file name and content, read by the email package."""
    kind = asked.headers["content-type"].encode()
    parsed = message_from_bytes(b"Content-Type: " + kind + b"\r\n\r\n" + asked.body)
    assert parsed.is_multipart()
    fields = {}
    for part in parsed.get_payload():
        name = part.get_param("name", header="content-disposition")
        fields[name] = (part.get_filename(), part.get_payload(decode=True))
    return fields


def test_a_document_is_uploaded_and_asked_about(
    run: Driver, server: Server, channel: Channel
) -> None:
    server.says(held("file-fe-1"), completion("It is about …", (58, 6)))
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "What?"}]
    got = run(chat(call(messages, model=LONG, documents=(A,)), channel))
    assert server.paths == ["POST /files", "POST /chat/completions"]
    assert form(server.asked[0]) == {
        "purpose": (None, b"file-extract"),
        "file": ("a.txt", b"first"),
    }
    assert server.asked[1].json["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "system", "content": "fileid://file-fe-1"},
        {"role": "user", "content": "What?"},
    ]
    digest = hashlib.sha256(b"first").hexdigest()
    assert got.files == (UploadedFile("a.txt", "file-fe-1", digest, 5),)
    assert (got.text, got.notes) == ("It is about …", ())


def test_without_a_role_a_neutral_one_stands_before_the_files(
    run: Driver, server: Server, channel: Channel
) -> None:
    """The provider would read the ids as the role."""
    server.says(held("f1"), completion("x"))
    got = run(chat(call("What?", model=LONG, documents=(A,)), channel))
    assert [m["content"] for m in server.asked[1].json["messages"]] == [
        NEUTRAL_ROLE,
        "fileid://f1",
        "What?",
    ]
    assert "no system message" in got.notes[0]


def test_identical_contents_are_uploaded_once(
    run: Driver, server: Server, channel: Channel, tmp_path: Path
) -> None:
    copy = tmp_path / "copy.txt"
    copy.write_bytes(b"first")
    server.says(held("f1"), held("f2"), completion("x"))
    documents = (A, B, Attachment("copy.txt", copy))
    got = run(chat(call(model=LONG, documents=documents), channel))
    assert server.paths == ["POST /files", "POST /files", "POST /chat/completions"]
    assert server.asked[2].json["messages"][1]["content"] == "fileid://f1,fileid://f2"
    assert [file.id for file in got.files] == ["f1", "f2", "f1"]


def test_what_is_uploaded_already_stays(run: Driver, server: Server, channel: Channel) -> None:
    there = UploadedFile("old.txt", "f0", "0" * 64, 10)
    server.says(held("f1"), completion("x"), gone("f1"))
    run(chat(call(model=LONG, documents=(there, A)), channel, BRIEF))
    assert server.asked[1].json["messages"][1]["content"] == "fileid://f0,fileid://f1"
    assert server.paths == ["POST /files", "POST /chat/completions", "DELETE /files/f1"]


def test_it_waits_until_the_provider_has_read_the_file(
    run: Driver, server: Server, channel: Channel, time: Time
) -> None:
    """An unknown status is not a failure: only one word is documented."""
    server.says(held("f1", "uploaded"), held("f1", "parsing"), held("f1"), completion("x"))
    run(chat(call(model=LONG, documents=(A,)), channel))
    assert server.paths[1:3] == ["GET /files/f1"] * 2
    assert time.slept == [5, 5]


def test_progress_is_told(run: Driver, server: Server, channel: Channel) -> None:
    told: list[UploadProgress] = []
    content = b"x" * 100_000  # two pieces of 64 KiB at most
    server.says(held("f1", "parsing"), held("f1"))
    files = FileHandling(progress=told.append)
    run(upload([Attachment("a.txt", content)], LONG, channel, files))
    assert told == [
        UploadProgress("a.txt", "uploading", 65_536, 100_000),
        UploadProgress("a.txt", "uploading", 100_000, 100_000),
        UploadProgress("a.txt", "processing", 100_000, 100_000),
        UploadProgress("a.txt", "ready", 100_000, 100_000),
    ]


def test_a_file_that_is_never_read_ends_the_call_and_is_deleted(
    run: Driver, server: Server, channel: Channel, time: Time
) -> None:
    """Every 5 seconds for 20 seconds: four looks."""
    server.says(*[held("f1", "parsing")] * 5, gone("f1"))
    files = FileHandling(deadline_seconds=20)
    with pytest.raises(DocumentError, match=r"a\.txt \(f1\): not read within 20 s") as failure:
        run(upload([A], LONG, channel, files))
    assert failure.value.transient
    assert server.paths == ["POST /files", *["GET /files/f1"] * 4, "DELETE /files/f1"]


def test_a_file_that_cannot_be_read_ends_the_call_at_once(
    run: Driver, server: Server, channel: Channel
) -> None:
    server.says(held("f1"), held("f2", "parsing"), held("f2", "error"), gone("f1"), gone("f2"))
    with pytest.raises(DocumentError, match=r"b\.txt \(f2\).*could not read") as failure:
        run(upload([A, B], LONG, channel))
    assert not failure.value.transient
    assert server.paths[-2:] == ["DELETE /files/f1", "DELETE /files/f2"]


def test_files_are_kept_by_default(run: Driver, server: Server, channel: Channel) -> None:
    server.says(held("f1"), completion("x"))
    run(chat(call(model=LONG, documents=(A,)), channel))
    assert server.paths == ["POST /files", "POST /chat/completions"]


def test_files_are_deleted_after_a_stream(run: Driver, server: Server, channel: Channel) -> None:
    server.says(held("f1"), stream(chunk("x"), billed=(58, 1)), gone("f1"))
    got = run(chat_stream(call(model=LONG, documents=(A,)), channel, BRIEF))
    assert server.paths[-1] == "DELETE /files/f1"
    assert (got.text, got.files[0].id) == ("x", "f1")


def test_a_file_that_cannot_be_deleted_is_noted_and_the_answer_stays(
    run: Driver, server: Server, channel: Channel
) -> None:
    server.says(held("f1"), completion("x"), *[refusal(500, "internal_error")] * 2)
    got = run(chat(call(model=LONG, documents=(A,)), channel, BRIEF))
    assert got.text == "x"
    assert "f1 could not be deleted" in got.notes[1]


def test_a_file_that_is_gone_counts_as_deleted(
    run: Driver, server: Server, channel: Channel
) -> None:
    server.says(held("f1"), completion("x"), refusal(404, "not_found"))
    assert len(run(chat(call(model=LONG, documents=(A,)), channel, BRIEF)).notes) == 1


def test_a_failed_question_deletes_the_files_whatever_was_asked(
    run: Driver, server: Server, channel: Channel
) -> None:
    server.says(held("f1"), refusal(400, "invalid_parameter_error", "no"), gone("f1"))
    with pytest.raises(Exception, match="no") as failure:
        run(chat(call(model=LONG, documents=(A,)), channel))
    assert server.paths[-1] == "DELETE /files/f1"
    assert failure.value.__context__ is None


def test_a_failed_upload_deletes_those_before(
    run: Driver, server: Server, channel: Channel
) -> None:
    server.says(held("f1"), *[refusal(500, "internal_error")] * 5, gone("f1"))
    with pytest.raises(ProviderFaultError):
        run(upload([A, B], LONG, channel))
    assert server.paths == [*["POST /files"] * 6, "DELETE /files/f1"]


def test_an_upload_is_sent_whole_again_after_a_failure(
    run: Driver, server: Server, channel: Channel, tmp_path: Path
) -> None:
    path = tmp_path / "book.txt"
    path.write_bytes(b"x" * 200_000)
    server.says(refusal(503, "ModelUnavailable"), held("f1"))
    run(upload([Attachment("book.txt", path)], LONG, channel))
    assert [form(asked)["file"][1] for asked in server.asked] == [b"x" * 200_000] * 2


def test_names_cannot_break_out_of_the_form(run: Driver, server: Server, channel: Channel) -> None:
    server.says(held("f1"))
    run(upload([Attachment('书"\r\nX-Evil: 1.txt', b"x")], LONG, channel))
    assert '书%22%0D%0AX-Evil: 1.txt"'.encode() in server.asked[0].body


@pytest.mark.parametrize(
    ("reply", "says"),
    [
        (Reply(200, b"<html>"), "other than a file object: <html>"),
        (answer({"status": "processed"}), "other than a file object"),
        (answer({"id": "../models", "status": "processed"}), "other than a file object"),
        (answer({"id": "a,fileid://b", "status": "processed"}), "other than a file object"),
    ],
)
def test_rubbish_instead_of_a_file_is_an_error(
    run: Driver, server: Server, channel: Channel, reply: Reply, says: str
) -> None:
    server.says(reply)
    with pytest.raises(ProviderAnswerInvalid, match=says):
        run(upload([A], LONG, channel))


@pytest.mark.parametrize(
    ("documents", "says"),
    [
        ([Attachment("a", b"")], "a: empty"),
        ([Attachment("a", b"x" * 1_000_001)], "1,000,001 bytes.*1,000,000 .1 too many"),
        ([A] * 4, "4 documents, 3 accepted"),
    ],
)
def test_documents_that_will_not_do_are_refused_before_anything_is_sent(
    run: Driver, server: Server, channel: Channel, documents: list[Attachment], says: str
) -> None:
    with pytest.raises(InvalidRequestError, match=says):
        run(upload(documents, LONG, channel))
    assert server.asked == []


def test_a_model_without_documents_takes_none(run: Driver, channel: Channel) -> None:
    with pytest.raises(InvalidRequestError, match="qwen-plus takes no uploaded documents"):
        run(upload([A], PLUS, channel))


def test_a_missing_file_is_named(
    run: Driver, server: Server, channel: Channel, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=r"book\.txt: cannot be read: No such file"):
        run(upload([Attachment("book.txt", tmp_path / "book.txt")], LONG, channel))
    assert server.asked == []


@pytest.mark.parametrize("then", [b"shorter", b"longer than it was"])
def test_a_file_that_changes_meanwhile_is_not_uploaded_by_halves(
    run: Driver, server: Server, channel: Channel, tmp_path: Path, then: bytes
) -> None:
    path = tmp_path / "growing.txt"
    path.write_bytes(b"nine now.")

    def meddled() -> object:
        flow, told = upload([Attachment("growing.txt", path)], LONG, channel), None
        while True:
            effect = flow.send(told)
            if type(effect).__name__ == "Send":
                path.write_bytes(then)
            try:
                told = yield effect
            except BaseException as error:  # noqa: BLE001
                effect = flow.throw(error)

    with pytest.raises(InputError, match=r"growing\.txt: .*it changed"):
        run(meddled())


@pytest.mark.parametrize("library", ["httpx", "httpx2"])
def test_an_upload_streams_from_the_disk(
    server: Server, channel: Channel, tmp_path: Path, library: str
) -> None:
    """30 MB go out and Python holds less than 2 of it at any moment."""
    http = pytest.importorskip(library)
    path = tmp_path / "book.txt"
    path.write_bytes(b"x" * 30_000_000)
    taken: list[int] = []

    class Counting(http.BaseTransport):  # type: ignore[name-defined]
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            taken.append(sum(len(piece) for piece in request.stream))  # type: ignore[union-attr]
            return http.Response(200, json={"id": "f1", "status": "processed"})

    rules = replace(LONG.documents, max_file_bytes=10**9)  # type: ignore[type-var]
    flow = upload([Attachment("book.txt", path)], replace(LONG, documents=rules), channel)
    with http.Client(transport=Counting()) as session:
        tracemalloc.start()
        try:
            drive(flow, session)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert taken[0] > 30_000_000
    assert peak < 2_000_000


def test_leaving_a_stream_early_deletes_the_files(server: Server, channel: Channel) -> None:
    server.says(held("f1"), stream(chunk("Hel"), HANG), gone("f1"))
    flow = chat_stream(call(model=LONG, documents=(A,)), channel)
    with httpx.Client() as session, Stream(flow, session) as pieces:
        assert next(pieces).text == "Hel"
    assert server.paths[-1] == "DELETE /files/f1"


@pytest.mark.parametrize("ask", [chat, chat_stream])
@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_cancelled_call_still_deletes_its_files(
    server: Server, channel: Channel, ask: Callable[..., object], backend: str
) -> None:
    if backend == "trio":
        pytest.importorskip("trio", reason="trio is not installed")
    server.says(held("f1"), Reply(body=HANG), gone("f1"))

    async def story() -> None:
        async with httpx.AsyncClient() as session, anyio.create_task_group() as group:
            flow = ask(call(model=LONG, documents=(A,)), channel)
            group.start_soon(adrive, flow, session)
            await anyio.to_thread.run_sync(server.hanging.wait, 10)
            group.cancel_scope.cancel()

    anyio.run(story, backend=backend)
    assert server.paths == ["POST /files", "POST /chat/completions", "DELETE /files/f1"]
    assert server.gone.wait(10)


def test_leaving_an_asynchronous_stream_early_deletes_the_files(
    server: Server, channel: Channel
) -> None:
    server.says(held("f1"), stream(chunk("Hel"), HANG), gone("f1"))

    async def story() -> None:
        flow = chat_stream(call(model=LONG, documents=(A,)), channel)
        async with httpx.AsyncClient() as session, AsyncStream(flow, session) as pieces:
            async for piece in pieces:
                assert piece.text == "Hel"
                break

    anyio.run(story)
    assert server.paths[-1] == "DELETE /files/f1"


def test_an_interrupt_deletes_the_files(server: Server, channel: Channel) -> None:
    """Control-C while it waits for the provider."""
    server.says(held("f1", "parsing"), gone("f1"))

    def interrupted(_: float) -> None:
        raise KeyboardInterrupt

    with httpx.Client() as session, pytest.raises(KeyboardInterrupt):
        drive(upload([A], LONG, channel), session, sleep=interrupted)
    assert server.paths[-1] == "DELETE /files/f1"


def test_a_flow_that_is_thrown_away_does_not_complain(channel: Channel) -> None:
    flow = chat(call(model=LONG, documents=(A,)), channel)
    next(flow)
    flow.close()

"""The provider's batch service: a file of requests in, a job, a file of answers out.

Creating must not happen twice, and a connection that breaks leaves open whether it happened. So
every attempt to upload or to create first looks whether an earlier one got through: a file is known
by its name, which carries a digest, and a job by its input file, or by the key in its metadata.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from tokenfare.errors import ProviderAnswerInvalid

from .call import Progress
from .effects import Fingerprint, Flow, Identify
from .exchange import Errand, Line, Reply, errand, exchange, persist
from .forms import file_form
from .meaning import beginning

PURPOSE = "batch"
CHATS = "/v1/chat/completions"
ENDED = frozenset({"completed", "failed", "expired", "cancelled"})
"""The statuses after which nothing comes any more."""

_PAGE = 100
_LONGEST_TRANSFER_SECONDS = 6 * 3_600.0
_MOST_PAGES = 1_000  # an account holds 10,000 files; a list that goes on and on is broken


@dataclass(frozen=True, slots=True)
class Job:
    """A batch at the provider, as it was when it was looked at. `problem`: what it says is wrong.

    `total` is 0 until the provider has checked the file.
    """

    id: str
    status: str
    input_file_id: str
    output_file_id: str | None = None
    error_file_id: str | None = None
    total: int = 0
    completed: int = 0
    failed: int = 0
    problem: str = ""

    @property
    def ended(self) -> bool:
        """Whether nothing comes any more."""
        return self.status in ENDED


@dataclass(frozen=True, slots=True)
class BatchFile:
    """A file of requests for one `model`: `key` is a digest that no other file has."""

    path: Path
    model: str
    key: str

    @property
    def name(self) -> str:
        """What it is called at the provider."""
        return f"{self.key}.jsonl"


def upload_batch(
    file: BatchFile, line: Line, *, since: str, progress: Callable[[Progress], None] | None = None
) -> Flow[str]:
    """Upload a file of requests unless the provider has it; gives its id.

    `since` is the day, `20241218`, before which nobody can have uploaded it.
    """
    mark: Fingerprint = yield Identify(str(file.path), file.path)
    run, url = errand(patient(line), file.model), line.endpoint.url("files")

    def sent(number: int) -> None:
        if progress is not None:
            progress(Progress(file.path.name, "uploading", number, mark.size))

    form = file_form(file.name, file.path, mark, PURPOSE, sent)

    def once() -> Flow[str]:
        query = {"purpose": PURPOSE, "create_after": since}
        for found in (yield from _listed(run, "files", query)):
            if found.get("filename") == file.name and found.get("bytes") == mark.size:
                return _id(found, run, url)
        request = run.request("POST", url, headers=form.headers, body=form.body)
        reply = yield from exchange(run, request)
        return _id(_object(reply, run, url), run, url)

    id_, _ = yield from persist(run, once)
    if progress is not None:
        progress(Progress(file.path.name, "ready", mark.size, mark.size))
    return id_


def create_job(file: BatchFile, file_id: str, line: Line, window_hours: int) -> Flow[Job]:
    """Create the job of an uploaded file unless there is one."""
    run, url = errand(line, file.model), line.endpoint.url("batches")
    fields = {
        "input_file_id": file_id,
        "endpoint": CHATS,
        "completion_window": f"{window_hours}h",
        "metadata": {"ds_name": file.key, "ds_description": f"tokenfare, {file.path.name}"},
    }
    body = json.dumps(fields).encode()

    def once() -> Flow[Job]:
        for found in (yield from _listed(run, "batches", {"input_file_ids": file_id})):
            if found.get("input_file_id") == file_id:
                return _job(found, run, url)
        headers = {"content-type": "application/json"}
        reply = yield from exchange(run, run.request("POST", url, headers=headers, body=body))
        return _job(_object(reply, run, url), run, url)

    job, _ = yield from persist(run, once)
    return job


def find_job(file: BatchFile, line: Line) -> Flow[Job | None]:
    """The job that was created with this file's key, if there is one."""
    run, url = errand(line, file.model), line.endpoint.url("batches")

    def once() -> Flow[Job | None]:
        for found in (yield from _listed(run, "batches", {"ds_name": file.key})):
            metadata = found.get("metadata")
            if isinstance(metadata, Mapping) and metadata.get("ds_name") == file.key:
                return _job(found, run, url)
        return None

    job, _ = yield from persist(run, once)
    return job


def look_at(job_id: str, model: str, line: Line) -> Flow[Job]:
    """A job as it is now."""
    return _asked("GET", f"batches/{quote(job_id, safe='')}", model, line)


def cancel_job(job_id: str, model: str, line: Line) -> Flow[Job]:
    """Ask the provider to stop; what is answered by then may be billed."""
    return _asked("POST", f"batches/{quote(job_id, safe='')}/cancel", model, line)


def patient(line: Line) -> Line:
    """The line with time for a large file: half a gigabyte takes hours where a chat takes minutes.

    Silence ends it as before.
    """
    times = line.endpoint.timeouts
    times = replace(times, total=max(times.total, _LONGEST_TRANSFER_SECONDS))
    return replace(line, endpoint=replace(line.endpoint, timeouts=times))


def _asked(method: str, path: str, model: str, line: Line) -> Flow[Job]:
    run, url = errand(line, model), line.endpoint.url(path)

    def once() -> Flow[Job]:
        reply = yield from exchange(run, run.request(method, url))
        return _job(_object(reply, run, url), run, url)

    job, _ = yield from persist(run, once)
    return job


def _listed(run: Errand, path: str, query: Mapping[str, str]) -> Flow[list[Mapping[str, Any]]]:
    """Everything that a list has on all its pages. A list with nothing in it has `data: null`."""
    found: list[Mapping[str, Any]] = []
    after: dict[str, str] = {}
    for _ in range(_MOST_PAGES):
        words = urlencode({**query, "limit": _PAGE, **after})
        url = run.endpoint.url(f"{path}?{words}")
        reply = yield from exchange(run, run.request("GET", url))
        page = _object(reply, run, url)
        data = [each for each in page.get("data") or () if isinstance(each, Mapping)]
        found += data
        if not page.get("has_more") or not data:
            break
        after = {"after": str(data[-1].get("id"))}
    return found


def _object(reply: Reply, run: Errand, url: str) -> Mapping[str, Any]:
    try:
        found = json.loads(reply.body)
    except (ValueError, RecursionError):
        found = None
    if isinstance(found, Mapping):
        return found
    raise ProviderAnswerInvalid(
        f"{url} answers with what is no JSON object: {beginning(reply.body)}",
        status=reply.status,
        model=run.model,
    )


def _id(found: Mapping[str, Any], run: Errand, url: str) -> str:
    id_ = found.get("id")
    if isinstance(id_, str) and id_:
        return id_
    raise ProviderAnswerInvalid(f"{url} answers with an object that has no id", model=run.model)


def _job(found: Mapping[str, Any], run: Errand, url: str) -> Job:
    status, counts = found.get("status"), found.get("request_counts")
    if not isinstance(status, str):
        raise ProviderAnswerInvalid(f"{url} answers with a job without status", model=run.model)
    numbers = counts if isinstance(counts, Mapping) else {}
    total, completed, failed = (int(numbers.get(n) or 0) for n in ("total", "completed", "failed"))
    return Job(
        _id(found, run, url),
        status,
        str(found.get("input_file_id") or ""),
        found.get("output_file_id") or None,
        found.get("error_file_id") or None,
        total,
        completed,
        failed,
        run.endpoint.key.redact("; ".join(_problems(found))),
    )


def _problems(found: Mapping[str, Any]) -> Iterator[str]:
    errors = found.get("errors")
    listed = errors.get("data") if isinstance(errors, Mapping) else None
    for each in (listed or ())[:3]:
        if isinstance(each, Mapping):
            where = f"line {each['line']}: " if each.get("line") else ""
            yield f"{where}{each.get('code')}: {each.get('message')}"

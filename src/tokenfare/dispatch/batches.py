"""The provider's batch service: a file of requests in, a job, a file of answers out.

A job must not be created twice, and after a broken connection it is not known whether it was
created. So each attempt to upload or create first checks whether an earlier one succeeded: a file
is recognized by its name, which has a digest, and a job by the key in its metadata or by its input
file.

The provider has no idempotency key, so two machines that check at the same moment may both create a
job. Of the jobs with one key the first counts, for everybody (`find_jobs`), and the others are
cancelled (`cancel_others`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from tokenfare.errors import ProviderAnswerInvalid, ProviderError

from .call import UploadProgress
from .effects import Fingerprint, Flow, Identify
from .error_meaning import beginning, json_of, shortened
from .exchange import ActiveCall, Channel, HttpResponse, begin_call, exchange, with_retries
from .multipart_form import file_form

PURPOSE = "batch"
CHATS = "/v1/chat/completions"
ENDED = frozenset({"completed", "failed", "expired", "cancelled"})
"""The final statuses of a job."""
_RAN = frozenset({"completed", "expired"})

_PAGE = 100
_LONGEST_TRANSFER_SECONDS = 6 * 3_600.0
_MOST_PAGES = 1_000  # more than the 10,000 files of an account need; an endless list is broken


@dataclass(frozen=True, slots=True)
class Job:
    """A batch at the provider, as it was when it was queried. `problem` is the provider's message.

    `total` is 0 until the provider has checked the file. `created_at` is in seconds since 1970 by
    the provider's clock; 0 if it is not given.
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
    created_at: int = 0

    @property
    def ended(self) -> bool:
        """Whether the status is final."""
        return self.status in ENDED


@dataclass(frozen=True, slots=True)
class BatchFile:
    """A file of requests for one `model`. `key` is a digest that identifies it."""

    path: Path
    model: str
    key: str

    @property
    def name(self) -> str:
        """Its name at the provider."""
        return f"{self.key}.jsonl"


def upload_batch(
    file: BatchFile,
    channel: Channel,
    *,
    since: str,
    progress: Callable[[UploadProgress], None] | None = None,
) -> Flow[str]:
    """Upload a file of requests, unless the provider has it. Returns its id.

    `since` is the day, `20241218`, before which nobody can have uploaded it.
    """
    mark: Fingerprint = yield Identify(str(file.path), file.path)
    run, url = begin_call(patient(channel), file.model), channel.endpoint.url("files")

    def sent(number: int) -> None:
        if progress is not None:
            progress(UploadProgress(file.path.name, "uploading", number, mark.size))

    form = file_form(file.name, file.path, mark, PURPOSE, sent)

    def once() -> Flow[str]:
        query = {"purpose": PURPOSE, "create_after": since}
        for found in (yield from _listed(run, "files", query)):
            if found.get("filename") == file.name and found.get("bytes") == mark.size:
                return _id(found, run, url)
        request = run.request("POST", url, headers=form.headers, body=form.body)
        reply = yield from exchange(run, request)
        return _id(_object(reply, run, url), run, url)

    id_, _ = yield from with_retries(run, once)
    if progress is not None:
        progress(UploadProgress(file.path.name, "ready", mark.size, mark.size))
    return id_


def create_job(file: BatchFile, file_id: str, channel: Channel, window_hours: int) -> Flow[Job]:
    """Create the job of an uploaded file unless there is one, of this file or with its key."""
    run, url = begin_call(channel, file.model), channel.endpoint.url("batches")
    fields = {
        "input_file_id": file_id,
        "endpoint": CHATS,
        "completion_window": f"{window_hours}h",
        "metadata": {"ds_name": file.key, "ds_description": f"tokenfare, {file.path.name}"},
    }
    body = json.dumps(fields).encode()

    def once() -> Flow[Job]:
        if there := (yield from _with_key(run, file.key)):
            return there[0]
        for found in (yield from _listed(run, "batches", {"input_file_ids": file_id})):
            if found.get("input_file_id") == file_id:
                return _job(found, run, url)
        headers = {"content-type": "application/json"}
        reply = yield from exchange(run, run.request("POST", url, headers=headers, body=body))
        return _job(_object(reply, run, url), run, url)

    job, _ = yield from with_retries(run, once)
    return job


def find_jobs(file: BatchFile, channel: Channel) -> Flow[tuple[Job, ...]]:
    """The jobs that were created with this file's key. The first of them is the one that counts.

    It is the oldest, and among those of one second the one whose id is the least; so it is settled
    when that second is over and the provider lists what was created in it.
    """
    run = begin_call(channel, file.model)
    jobs, _ = yield from with_retries(run, lambda: _with_key(run, file.key))
    return jobs


def cancel_others(jobs: Sequence[Job], model: str, channel: Channel) -> Flow[tuple[Job, ...]]:
    """Cancel every job but the first. Returns those that had already completed."""
    ran: tuple[Job, ...] = ()
    for job in jobs[1:]:
        stopped = yield from _stopped(job, model, channel)
        if stopped.status in _RAN:
            ran += (stopped,)
    return ran


def _stopped(job: Job, model: str, channel: Channel) -> Flow[Job]:
    if job.ended or job.status == "cancelling":
        return job
    try:
        return (yield from cancel_job(job.id, model, channel))
    except ProviderError:
        now = yield from get_job(job.id, model, channel)  # it may have completed meanwhile
        if not now.ended and now.status != "cancelling":
            raise
        return now


def _with_key(run: ActiveCall, key: str) -> Flow[tuple[Job, ...]]:
    url = run.endpoint.url("batches")
    found = yield from _listed(run, "batches", {"ds_name": key})
    jobs = [
        _job(each, run, url)
        for each in found
        if isinstance(named := each.get("metadata"), Mapping) and named.get("ds_name") == key
    ]
    return tuple(sorted(jobs, key=lambda job: (job.created_at, job.id)))


def get_job(job_id: str, model: str, channel: Channel) -> Flow[Job]:
    """A job as it is now."""
    return _job_request("GET", f"batches/{quote(job_id, safe='')}", model, channel)


def cancel_job(job_id: str, model: str, channel: Channel) -> Flow[Job]:
    """Ask the provider to stop; what is answered by then may be billed."""
    return _job_request("POST", f"batches/{quote(job_id, safe='')}/cancel", model, channel)


def patient(channel: Channel) -> Channel:
    """The channel with a longer total timeout: half a gigabyte may take hours.

    The timeouts for silence stay the same.
    """
    times = channel.endpoint.timeouts
    times = replace(times, total=max(times.total, _LONGEST_TRANSFER_SECONDS))
    return replace(channel, endpoint=replace(channel.endpoint, timeouts=times))


def _job_request(method: str, path: str, model: str, channel: Channel) -> Flow[Job]:
    run, url = begin_call(channel, model), channel.endpoint.url(path)

    def once() -> Flow[Job]:
        reply = yield from exchange(run, run.request(method, url))
        return _job(_object(reply, run, url), run, url)

    job, _ = yield from with_retries(run, once)
    return job


def _listed(run: ActiveCall, path: str, query: Mapping[str, str]) -> Flow[list[Mapping[str, Any]]]:
    """The entries of a list, from all pages. An empty list has `data: null`."""
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


def _object(reply: HttpResponse, run: ActiveCall, url: str) -> Mapping[str, Any]:
    found = json_of(reply.body)
    if isinstance(found, Mapping):
        return found
    raise ProviderAnswerInvalid(
        f"{url} answers with something other than a JSON object: {beginning(reply.body)}",
        status=reply.status,
        model=run.model,
    )


def _id(found: Mapping[str, Any], run: ActiveCall, url: str) -> str:
    id_ = found.get("id")
    if isinstance(id_, str) and id_:
        return id_
    raise ProviderAnswerInvalid(f"{url} answers with an object that has no id", model=run.model)


def _job(found: Mapping[str, Any], run: ActiveCall, url: str) -> Job:
    status, counts = found.get("status"), found.get("request_counts")
    if not isinstance(status, str):
        raise ProviderAnswerInvalid(f"{url} answers with a job without status", model=run.model)
    numbers = counts if isinstance(counts, Mapping) else {}
    created = found.get("created_at")
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
        "; ".join(shortened(run.endpoint.key.redact(each)) for each in _problems(found)),
        int(created) if isinstance(created, int | float) else 0,
    )


def _problems(found: Mapping[str, Any]) -> Iterator[str]:
    errors = found.get("errors")
    listed = errors.get("data") if isinstance(errors, Mapping) else None
    for each in (listed or ())[:3]:
        if isinstance(each, Mapping):
            where = f"line {each['line']}: " if each.get("line") else ""
            yield f"{where}{each.get('code')}: {each.get('message')}"

"""One batch: a file of chats, checked, answered line by line, and written into two files.

A batch advances when it is queried and not with time, so that tests need not wait. The first
queries (one by default) end the check, each further query answers some lines, and one more writes
the files. Statuses, checks and the form of the object are those of recordings of April 2026. What a
cancelled or expired batch leaves is not recorded; here it is the lines answered until then.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from tokenfare.catalog import BatchRules

CHATS = "/v1/chat/completions"
TRIAL = "/v1/chat/ds-test"
TRIAL_MODEL = "batch-test-model"

Status: TypeAlias = Literal[
    "validating",
    "in_progress",
    "finalizing",
    "completed",
    "failed",
    "expired",
    "cancelling",
    "cancelled",
]
_UNDER_WAY = frozenset({"validating", "in_progress", "finalizing"})
_TRIAL_LINES, _TRIAL_BYTES = 100, 1_000_000


@dataclass(frozen=True, slots=True)
class Line:
    """One valid line of the input."""

    custom_id: str
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Answered:
    """The result of a line: a status, and a body with a chat completion or an error."""

    custom_id: str
    status: int
    request_id: str
    body: Mapping[str, object]

    @property
    def good(self) -> bool:
        """Whether it goes into the output file."""
        return self.status == 200

    def wire(self) -> dict[str, object]:
        """The result as a line of one of the files."""
        said = self.body.get("error")
        return {
            "id": self.request_id,
            "custom_id": self.custom_id,
            "response": {
                "status_code": self.status,
                "request_id": self.request_id,
                "body": dict(self.body),
            },
            "error": None if self.good else said,
        }


Answer: TypeAlias = Callable[[Line, str], Answered]
Keep: TypeAlias = Callable[[str, bytes], str]


@dataclass(slots=True)
class Batch:
    """A batch and its progress."""

    id: str
    input_file_id: str
    endpoint: str
    window_hours: int
    metadata: Mapping[str, object] | None
    created_at: int
    content: bytes
    looks_left: int = 1
    status: Status = "validating"
    times: dict[str, int] = field(default_factory=dict)
    problems: list[dict[str, object]] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    answered: list[Answered] = field(default_factory=list)
    files: dict[str, str] = field(default_factory=dict)

    @property
    def expires_at(self) -> int:
        """When its completion window ends."""
        return self.created_at + self.window_hours * 3600

    def look(self, now: int, rules: BatchRules, answer: Answer, keep: Keep, at_once: int) -> None:
        """Advance by one step."""
        if self.status in _UNDER_WAY and now >= self.expires_at:
            self._end("expired", now, keep)
        elif self.status == "validating" and self.looks_left > 1:
            self.looks_left -= 1
        elif self.status == "validating":
            self.lines, self.problems = checked(self.content, self.endpoint, rules)
            self._become("failed" if self.problems else "in_progress", now)
        elif self.status == "in_progress":
            done = len(self.answered)
            self.answered += (answer(line, CHATS) for line in self.lines[done : done + at_once])
            if len(self.answered) == len(self.lines):
                self._become("finalizing", now)
        elif self.status == "finalizing":
            self._end("completed", now, keep)
        elif self.status == "cancelling":
            self._end("cancelled", now, keep)

    def cancel(self, now: int) -> bool:
        """Stop answering. Returns whether the batch was still in progress."""
        if self.status not in _UNDER_WAY:
            return False
        self._become("cancelling", now)
        return True

    def wire(self) -> dict[str, object]:
        """The batch object of the interface."""
        failed = sum(not each.good for each in self.answered)
        errors = {"object": "list", "data": self.problems} if self.problems else None
        return {
            "id": self.id,
            "object": "batch",
            "endpoint": self.endpoint,
            "errors": errors,
            "input_file_id": self.input_file_id,
            "completion_window": f"{self.window_hours}h",
            "status": self.status,
            "output_file_id": self.files.get("output"),
            "error_file_id": self.files.get("error"),
            "created_at": self.created_at,
            "in_progress_at": self.times.get("in_progress"),
            "expires_at": self.expires_at,
            "finalizing_at": self.times.get("finalizing"),
            "completed_at": self.times.get("completed"),
            "failed_at": self.times.get("failed"),
            "expired_at": self.times.get("expired"),
            "cancelling_at": self.times.get("cancelling"),
            "cancelled_at": self.times.get("cancelled"),
            "request_counts": {
                "total": len(self.lines),
                "completed": len(self.answered) - failed,
                "failed": failed,
            },
            "metadata": self.metadata,
        }

    def _become(self, status: Status, now: int) -> None:
        self.status = status
        self.times[status] = now

    def _end(self, status: Status, now: int, keep: Keep) -> None:
        for name, good in (("output", True), ("error", False)):
            written = [_json(each.wire()) for each in self.answered if each.good is good]
            if written:
                self.files[name] = keep(name, b"\n".join(written) + b"\n")
        self._become(status, now)


def checked(
    content: bytes, endpoint: str, rules: BatchRules
) -> tuple[list[Line], list[dict[str, object]]]:
    """The lines of an input file, or what is wrong with it."""
    raw = [line for line in content.split(b"\n") if line.strip()]
    if not raw:
        return [], [_problem("empty_file", "The input file has no lines.", None)]
    most, largest = rules.max_lines, rules.max_file_bytes
    if endpoint == TRIAL:
        most, largest = _TRIAL_LINES, _TRIAL_BYTES
    if len(raw) > most:
        return [], [_problem("too_many_lines", f"At most {most} lines are taken.", None)]
    if len(content) > largest:
        return [], [_problem("file_too_large", f"At most {largest} bytes are taken.", None)]
    lines: list[Line] = []
    problems: list[dict[str, object]] = []
    for number, text in enumerate(raw, start=1):
        line = _line(text, endpoint, rules)
        if isinstance(line, Line):
            lines.append(line)
        else:
            problems.append(_problem(*line, number))
    problems += _across(lines)
    return ([], problems) if problems else (lines, [])


def _line(text: bytes, endpoint: str, rules: BatchRules) -> Line | tuple[str, str]:
    if len(text) > rules.max_line_bytes:
        return "line_too_large", f"A line has at most {rules.max_line_bytes} bytes."
    found = _parsed(text)
    if not isinstance(found, Mapping) or not isinstance(found.get("body"), Mapping):
        return "invalid_json_line", "A line is an object with custom_id, method, url and body."
    custom_id, body = found.get("custom_id"), found["body"]
    if not isinstance(custom_id, str) or not custom_id:
        return "missing_required_parameter", "Missing required parameter: 'custom_id'."
    if found.get("url") != endpoint or found.get("method", "POST") != "POST":
        return "url_not_found", f"The url of a line must be the batch's endpoint, {endpoint}."
    if (endpoint == TRIAL) != (body.get("model") == TRIAL_MODEL):
        return "mismatched_test_url", f"{TRIAL} goes with the model {TRIAL_MODEL}, and no other."
    return Line(custom_id, body)


def _parsed(text: bytes) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _across(lines: Sequence[Line]) -> Iterator[dict[str, object]]:
    seen: set[str] = set()
    for number, line in enumerate(lines, start=1):
        if line.custom_id in seen:
            words = f"The custom_id {line.custom_id!r} is used twice."
            yield _problem("duplicate_custom_id", words, number)
        seen.add(line.custom_id)
        if line.body.get("model") != lines[0].body.get("model"):
            yield _problem("mismatched_model", "A file asks one model only.", number)


def _json(value: Mapping[str, object]) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")


def _problem(code: str, message: str, line: int | None) -> dict[str, object]:
    return {"code": code, "message": message, "param": None, "line": line}


def new_id() -> str:
    """A batch's id."""
    return f"batch_{uuid.uuid4()}"

"""A line of an input as it was read: its content, or why it cannot be read.

Nothing here knows what a record means.
"""

from __future__ import annotations

import codecs
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from tokenfare.errors import InvalidRequestError

from .json_lines import parsed


@dataclass(frozen=True, slots=True)
class Columns:
    """The names that the inputs have for the prompt, the messages and the id of a request."""

    prompt: str = "prompt"
    messages: str = "messages"
    custom_id: str = "custom_id"


ColumnNames: TypeAlias = Columns | Mapping[str, str] | None
"""`Columns`, or only the names that differ: `{"prompt": "question"}`."""


def columns_of(given: ColumnNames) -> Columns:
    """The columns that a caller has named. Raises `InvalidRequestError`."""
    if given is None:
        return Columns()
    if isinstance(given, Columns):
        return given
    if not isinstance(given, Mapping):
        raise InvalidRequestError(
            f"columns: {{'prompt': NAME}} names yours, not {type(given).__name__}"
        )
    names: Mapping[str, object] = given
    for what, name in names.items():
        if what not in Columns.__annotations__:
            known = ", ".join(Columns.__annotations__)
            raise InvalidRequestError(f"columns: {what!r} is not one of {known}")
        if not isinstance(name, str) or not name:
            raise InvalidRequestError(f"columns: {what}: the name of a column, not {name!r}")
    return Columns(**given)


@dataclass(frozen=True, slots=True)
class Record:
    """A line that could be read: its file, its number from 1, its content, and its text.

    `cells` says that it is a row of a table, which may have columns beside those of the request.
    """

    file: str
    line: int
    content: Mapping[str, object]
    text: str
    cells: bool = False


@dataclass(frozen=True, slots=True)
class SetAside:
    """A line that is not part of a plan, and the problem; `text` is what was read of it."""

    file: str
    line: int
    problem: str
    text: str = ""


_A_LIST = "; a list of requests goes one request a line (jq -c '.[]' writes it so)"


def record_of(line: bytes, file: str, number: int) -> Record | SetAside:
    """Parse a line of JSONL that is not empty."""
    try:
        text = line.decode()
    except UnicodeDecodeError as error:
        problem = f"not UTF-8: byte 0x{line[error.start]:02x} at offset {error.start}"
        if line.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            problem += "; it begins as UTF-16 does: save the file as UTF-8"
        text = line.decode(errors="backslashreplace")
        return SetAside(file, number, problem, text)
    try:
        content = parsed(line)
    except (ValueError, RecursionError) as error:
        whole = _A_LIST if text.strip() == "[" else ""
        return SetAside(file, number, f"not JSON: {error}{whole}", text)
    if not isinstance(content, dict):
        whole = _A_LIST if isinstance(content, list) and dict in map(type, content) else ""
        problem = f"an object is expected, not {type(content).__name__}{whole}"
        return SetAside(file, number, problem, text)
    return Record(file, number, content, text)

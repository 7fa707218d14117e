"""`tokenfare count`: counts the tokens of files, as texts or as whole requests."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import click

from tokenfare import api
from tokenfare.budget import RequestCount, count_document
from tokenfare.errors import InputError, InvalidRequestError
from tokenfare.media import is_text
from tokenfare.tokenizers import Count, Measurer, Tokenizer, measurer
from tokenfare.tokenizers.stream import count_parts, parts_of

from . import exit_codes, inputs, output, progress, request, stdout
from .fetching import fetch


@dataclass(frozen=True, slots=True)
class Counted:
    """One input, its bytes and its count; `request` has the parts of a whole request."""

    name: str
    size: int
    count: Count
    request: RequestCount | None = None
    roles: Sequence[str] = ()


@click.command
@click.argument("files", nargs=-1, metavar="[FILE]...")
@click.option("--model", metavar="ID", help="Count with this model's tokenizer.")
@click.option("--tokenizer", metavar="NAME", help="Count with this tokenizer (default: qwen).")
@click.option("--messages", is_flag=True, help="Each FILE is a JSON array of chat messages.")
@click.option(
    "--template",
    metavar="NAME",
    help=f"With --messages: qwen2, qwen2.5 or qwen3 (default: {api.DEFAULT_TEMPLATE}).",
)
@click.option("--explain", is_flag=True, help="With --messages: show the parts of the count.")
@request.beside_messages("With --messages: ")
@click.option(
    "--control-tokens", is_flag=True, help="Count control tokens spelled out in messages as such."
)
@click.option("--fetch", "fetching", is_flag=True, help="Fetch media that messages refer to.")
@click.option("--as-of", type=inputs.AsOf(), metavar="DATE", help="The day (default: today).")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(
    files: tuple[str, ...],
    model: str | None,
    tokenizer: str | None,
    messages: bool,
    explain: bool,
    as_json: bool,
    **asked: Any,
) -> int:
    """Count the tokens of FILEs, or of standard input.

    The number is that of the text alone: of a PDF or DOCX, what is read of it here, as an interval.
    With --messages it is that of the whole request: texts, media, tools and what the chat template
    adds. A dash is standard input. If one of several FILEs cannot be read, the others are counted,
    and the exit code is 2.
    """
    if model is not None and tokenizer is not None:
        raise click.UsageError("--model and --tokenizer exclude each other")
    named = files or (inputs.STANDARD_INPUT,)
    if named.count(inputs.STANDARD_INPUT) > 1:
        raise click.UsageError("standard input can be read once: give one dash")
    if messages:
        asked["template"] = _template(model, asked["template"], tokenizer)
        name, found = _requests(named, model, asked)
    else:
        _refuse_without_messages(asked, explain=explain)
        name, found = _texts(named, model, tokenizer)
    for one in found:
        for warning in one.request.warnings if one.request else ():
            click.echo(f"tokenfare: warning: {one.name}: {warning}", err=True)
    if not found:
        return exit_codes.WRONG_USE
    listed = len(named) > 1
    if as_json:
        _as_json(name, found, explain=explain)
    elif explain:
        _explained(found, listed=listed)
    else:
        _as_text(found, listed=listed)
    return exit_codes.DONE if len(found) == len(named) else exit_codes.WRONG_USE


def _each(files: Sequence[str], counted: Callable[[str], Counted]) -> list[Counted]:
    """Count each file; one of several that cannot be read is reported and left out, as by `wc`."""
    found = []
    for file in files:
        try:
            found.append(counted(file))
        except InputError as error:
            if len(files) == 1:
                raise
            stdout.tell(exit_codes.line_of(error))
    return found


def _texts(
    files: Sequence[str], model: str | None, tokenizer: str | None
) -> tuple[str, list[Counted]]:
    if model is not None:
        name = api.tokenizer_for(model)
    else:
        name = api.DEFAULT_TOKENIZER if tokenizer is None else tokenizer
    counter = measurer(name)
    with progress.counting(files) as told:
        return name, _each(files, lambda file: _text(file, counter, told))


def _text(file: str, counter: Measurer, told: Callable[[int], None]) -> Counted:
    """Count a file; a text that is counted exactly is read in parts, to save memory."""
    size = 0

    def noted(part: bytes) -> bytes:
        nonlocal size
        size += len(part)
        told(len(part))
        return part

    with inputs.opened(file) as opened:
        parts = map(noted, parts_of(opened))
        first = next(parts, b"")
        if isinstance(counter, Tokenizer) and is_text(first):
            try:
                count = Count.exactly(count_parts(counter, chain([first], parts)))
            except InvalidRequestError as error:
                raise InputError(file, f"{error}; and not a PDF or DOCX") from None
            return Counted(file, size, count)
        document = api.document_of(file, first + b"".join(parts))
    if document.parsed:
        note = "read here; a provider that parses the file itself may count otherwise"
        click.echo(f"tokenfare: {file}: {note}", err=True)
    return Counted(file, size, count_document(document, counter))


def _template(model: str | None, template: str | None, tokenizer: str | None) -> str | None:
    """The chat template to count by if no model is given; a default is reported on stderr."""
    if model is not None and template is not None:
        raise click.UsageError("give --model or --template, not both")
    if tokenizer not in {None, api.DEFAULT_TOKENIZER}:
        raise click.UsageError(
            f"the chat template that goes with {tokenizer!r} is not known; --messages takes "
            "--model or --template instead of --tokenizer"
        )
    if model is None and template is None:
        note = f"counted by the chat template {api.DEFAULT_TEMPLATE}; --model or --template name"
        click.echo(f"tokenfare: {note} another", err=True)
        return api.DEFAULT_TEMPLATE
    return template


def _requests(
    files: Sequence[str], model: str | None, asked: Mapping[str, Any]
) -> tuple[str, list[Counted]]:
    catalog = api.default_catalog(asked["as_of"]) if model is not None else None
    options: Any = {
        **request.read_options(asked["tools"], asked["parameters"]),
        "model": model,
        "template": asked["template"],
        "control_tokens": asked["control_tokens"],
        "fetch": fetch if asked["fetching"] else None,
        "catalog": catalog,
    }
    _, name = api.rules_for(model, asked["template"], catalog)
    return name, _each(files, lambda file: _request(file, options))


def _request(file: str, options: Mapping[str, Any]) -> Counted:
    source = inputs.read(file)
    prompt = inputs.parse_messages(source)
    try:
        counted = api.count_messages(prompt, **options)
    except InvalidRequestError as error:
        raise InputError(file, str(error)) from None
    roles = [str(message["role"]) for message in prompt if isinstance(message, Mapping)]
    return Counted(file, source.size, counted.total, counted, roles)


def _refuse_without_messages(asked: Mapping[str, Any], *, explain: bool) -> None:
    given = [key for key, value in asked.items() if request.is_set(value)]
    if given or explain:
        option = "explain" if explain else {"fetching": "fetch"}.get(given[0], given[0])
        raise click.UsageError(f"--{option.replace('_', '-')} needs --messages")


def _as_json(name: str, found: Sequence[Counted], *, explain: bool) -> None:
    total = _total(found)
    rows: list[dict[str, object]] = []
    for one in found:
        row = {"name": one.name, "bytes": one.size, **output.tokens(one.count)}
        if explain and one.request is not None:
            row |= {"parts": _parts(one.request), "warnings": _warnings(one.request)}
        rows.append(row)
    output.emit(
        {"tokenizer": name, "how": total.how, "total": output.tokens(total), "inputs": rows}
    )


def _parts(request: RequestCount) -> list[dict[str, object]]:
    return [
        {
            "kind": part.kind,
            "message": part.message,
            **output.tokens(part.count),
            "how": part.count.how,
            "note": part.note,
        }
        for part in request.parts
    ]


def _warnings(request: RequestCount) -> list[dict[str, object]]:
    return [
        {"token": found.token, "message": found.message, "offset": found.offset}
        for found in request.warnings
    ]


def _explained(found: Sequence[Counted], *, listed: bool) -> None:
    rows = [row for one in found for row in _explained_rows(one, named=listed)]
    if listed:
        total = _total(found)
        rows.append(("total", "", "", output.span(total), total.how, ""))
    output.table(("message", "role", "part", "tokens", "how", "note"), rows, frozenset({3}))


def _explained_rows(one: Counted, *, named: bool) -> list[tuple[str, ...]]:
    rows = []
    for part in one.request.parts if one.request else ():
        place = "-" if part.message is None else str(part.message)
        role = "" if part.message is None else one.roles[part.message]
        tokens = output.span(part.count)
        rows.append((place, role, part.kind, tokens, part.count.how, part.note))
    name = one.name if named else "total"
    return [*rows, (name, "", "", output.span(one.count), one.count.how, "")]


def _as_text(found: Sequence[Counted], *, listed: bool) -> None:
    """Print the bare number of one input, or a table like that of `wc` for several."""
    total = _total(found)
    if not listed:
        stdout.answer(output.span(total))
        return
    named = [*((one.count, one.name) for one in found), (total, "total")]
    width = max(len(output.span(count)) for count, _ in named)
    for count, name in named:
        stdout.answer(f"{output.span(count):>{width}} {exit_codes.printable(name)}")


def _total(found: Sequence[Counted]) -> Count:
    return sum((one.count for one in found), Count.exactly(0))

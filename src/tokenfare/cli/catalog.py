"""`tokenfare catalog`: checks, compares and imports files that are laid over the catalogue."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path

import click

from tokenfare import api
from tokenfare.catalog import Catalog
from tokenfare.catalog.catalog import today
from tokenfare.catalog.check import Finding, findings
from tokenfare.catalog.diff import Difference, against, between
from tokenfare.catalog.facts import Facts
from tokenfare.errors import CatalogError
from tokenfare.plurals import number_of
from tokenfare.tokenizers import tokenizer_names

from . import exit_codes, files_out, inputs, output, stdout

_FORMATS = ("litellm", "models-dev", "openrouter")
_SIDES = (
    "A side is a day (2024-12-18), a catalogue file that is laid over ours, or a list to be"
    f" compared, as FORMAT:FILE with one of the formats {', '.join(_FORMATS)}."
)
_REASONS_SHOWN = 20


@click.group
def command() -> None:
    """Check, compare and import catalogue files."""


@command.command
@click.argument("files", nargs=-1, metavar="[FILE…]")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def check(files: tuple[str, ...], as_json: bool) -> int:
    """Report all problems of files laid over the catalogue, in this order.

    Without files, checks those named in TOKENFARE_CATALOG and the shipped ones. Exits with 1 if
    there are any problems, with 2 if a file cannot be read, after checking the others.
    """
    import os

    from tokenfare.catalog.catalog import paths_in
    from tokenfare.catalog.load import overlaid_file, problems, shipped

    facts = shipped()
    found: list[Finding] = [] if files else list(findings(facts, facts.models))
    paths = [Path(file) for file in files or paths_in(os.environ)]
    unread = 0
    for path in paths:
        try:
            wrong = problems(facts, path)
        except CatalogError as error:
            click.echo(exit_codes.line_of(error), err=True)
            unread += 1
            continue
        if not wrong:
            facts = overlaid_file(facts, path)
            wrong = tuple(_unknown_tokenizers(facts, path))
        found += wrong
    if files and unread == len(files):
        return exit_codes.WRONG_USE
    if as_json:
        output.emit([{"file": f.path, "key": f.key, "problem": f.problem} for f in found])
    else:
        for line in _each_once(found):
            stdout.answer(line)
        models = number_of(len(facts.models), "model")
        click.echo(f"{models}, {number_of(len(found), 'problem')}", err=True)
    if unread:
        return exit_codes.WRONG_USE
    return exit_codes.ANSWER_IS_NO if found else exit_codes.DONE


def _each_once(found: Iterable[Finding]) -> Iterator[str]:
    """Each problem once, even if it has many findings, such as a source that is not described."""
    alike: dict[tuple[str, str], list[Finding]] = {}
    for finding in found:
        alike.setdefault((finding.path, finding.problem), []).append(finding)
    for first, *others in alike.values():
        yield f"{first} (and {len(others):,} more alike)" if others else str(first)


def _unknown_tokenizers(facts: Facts, path: Path) -> Iterator[Finding]:
    """Models of a file whose tokenizer is unknown, so that there are not even bounds.

    This is not a rule of the catalogue, since the known names depend on what was added on this
    machine.
    """
    known = tokenizer_names()
    for model_id, origin in facts.origins.items():
        if origin.path != str(path) or model_id not in facts.models:
            continue
        for fact in facts.models[model_id].tokenizer:
            if fact.name not in known:
                key = f"{origin.key or model_id}: tokenizer from {fact.since}"
                problem = f"no tokenizer is called {fact.name!r}; known: {', '.join(known)}"
                yield Finding(origin.path, key, problem)


@command.command(name="import")
@click.argument("format_", metavar="FORMAT", type=click.Choice(_FORMATS))
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--out", required=True, type=click.Path(path_type=Path), help="The file to write.")
@click.option("--as-of", type=inputs.Day(), metavar="DATE", help="The list's day (default: today).")
@click.option("--json", "as_json", is_flag=True, help="Print everything that was left out as JSON.")
def import_(format_: str, file: Path, out: Path, as_of: date | None, as_json: bool) -> int:
    """Convert a public price list to a catalogue file, and report what could not be converted.

    The list is LiteLLM's model_prices_and_context_window.json, the api.json or the folder of
    models.dev, or OpenRouter's answer to GET /api/v1/models. Name the file that is written in
    TOKENFARE_CATALOG to use it.
    """
    from tokenfare.catalog.imports import imported
    from tokenfare.catalog.load import shipped

    files_out.refuse_standard_output(out, "the catalogue, beside its summary,")
    if out.suffix != ".json":
        raise click.UsageError(f"{out}: what is written is JSON; name it {out.stem}.json")
    files_out.refuse_inputs("--out", out, [file])
    found = imported(format_, file, as_of or today(), shipped())
    files_out.write(out, found.written())
    if as_json:
        left = [{"model": e.model, "key": e.key, "why": e.why} for e in found.left_out]
        models, providers = sorted(found.models), sorted(found.providers)
        output.emit({"models": models, "providers": providers, "left_out": left})
        return exit_codes.DONE
    reasons = found.summary().most_common()
    rows = [(f"{often:,}", key, why) for (key, why), often in reasons[:_REASONS_SHOWN]]
    taken = number_of(len(found.models), "model")
    stdout.answer(f"{taken} of {number_of(len(found.providers), 'provider')} in {out}")
    stdout.answer(f"left out, {number_of(len(found.left_out), 'time')} in all:")
    output.table(("times", "key", "why"), rows, frozenset({0}))
    if len(reasons) > _REASONS_SHOWN:
        more = number_of(len(reasons) - _REASONS_SHOWN, "more reason")
        click.echo(f"and {more}; --json gives every entry", err=True)
    return exit_codes.DONE


@command.command(epilog=_SIDES)
@click.argument("first", metavar="SIDE")
@click.argument("second", metavar="SIDE")
@click.option("--as-of", type=inputs.AsOf(), metavar="DATE", help="The day (default: today).")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def diff(first: str, second: str, as_of: date | None, as_json: bool) -> int:
    """Compare two days, two files, or the catalogue and a public price list.

    Exits with 1 if anything differs. With a list, only models that both have are compared, and only
    facts that the list states.
    """
    found = _differences(first, second, as_of or today())
    if as_json:
        output.emit(
            [
                {"model": d.model, "fact": d.fact, "before": d.before, "after": d.after}
                for d in found
            ]
        )
    elif found:
        rows = [(d.model, d.fact, d.before or "-", d.after or "-") for d in found]
        output.table(("model", "fact", first, second), rows, frozenset())
    return exit_codes.ANSWER_IS_NO if found else exit_codes.DONE


def _differences(first: str, second: str, day: date) -> tuple[Difference, ...]:
    kind, colon, file = second.partition(":")
    if colon and kind in _FORMATS:
        return against(_side(first, day), _listed(kind, Path(file), day).models(all=True))
    before, after = _side(first, day), _side(second, day)
    return between(before.models(all=True), after.models(all=True))


def _side(text: str, day: date) -> Catalog:
    if text.partition(":")[0] in _FORMATS:
        raise click.UsageError("a list of others is the second side; ours is the first")
    try:
        seen_on = date.fromisoformat(text)
    except ValueError:
        return Catalog.load([text], day=day)
    return api.default_catalog(seen_on)


def _listed(kind: str, path: Path, day: date) -> Catalog:
    from tokenfare.catalog.facts import EMPTY, overlaid
    from tokenfare.catalog.imports import imported
    from tokenfare.catalog.load import shipped

    layer = imported(kind, path, day, shipped(), known_too=True).layer()
    return Catalog(overlaid(EMPTY, layer), day)

"""`tokenfare route`: finds the cheapest model that takes a request, and explains the choice."""

from __future__ import annotations

from typing import Any

import click

from tokenfare import api
from tokenfare.errors import InvalidRequestError, NoModelFits
from tokenfare.money import plain
from tokenfare.plurals import does
from tokenfare.router import Cut, Decision, headroom, to_record

from . import exit_codes, files_out, ladder_chart, ladder_svg, output, request, stdout


@click.command
@request.options
@click.option(
    "--tokens",
    "input_tokens",
    type=int,
    metavar="N",
    help="The size of the input in tokens, instead of FILE.",
)
@click.option("--batch", is_flag=True, help="Compare batch prices and limits.")
@click.option(
    "--explain", is_flag=True, help="List every other model, and where the choice changes."
)
@click.option(
    "--exact/--no-exact",
    default=True,
    help="Count the whole text, or only as far as needed.",
)
@click.option("--cut", type=int, metavar="N", help="Show what N fewer tokens would save.")
@click.option("--chart", is_flag=True, help="Draw the cheapest model by input length.")
@click.option("--svg", metavar="FILE", help="Draw the chart into a file, or - for standard output.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(
    input_tokens: int | None,
    explain: bool,
    exact: bool,
    cut: int | None,
    chart: bool,
    svg: str | None,
    as_json: bool,
    **options: Any,
) -> int:
    """Find the cheapest model that takes FILE (or standard input), and what it costs.

    --explain lists every other model with the reason why it was not chosen. --chart and --svg draw
    the cheapest model over the length of the input; they need no request.
    """
    given = request.Given.of(**options)
    has_text = given.file is not None or bool(given.messages or given.documents)
    beside = given.tools is not None or given.parameters is not None
    if input_tokens is not None and (has_text or beside):
        raise click.UsageError(
            "--tokens replaces FILE, --messages, --document, --tools and --parameters"
        )
    if chart or svg is not None:
        if as_json:
            raise click.UsageError("--json prints a decision, --chart and --svg draw: take one")
        return _draw(input_tokens, given, has_text=has_text, on_terminal=chart, svg=svg)
    try:
        decision = _decided(input_tokens, given, exact=exact)
    except NoModelFits as none:
        if not isinstance(none.decision, Decision):
            raise
        if as_json:
            output.emit(to_record(none.decision))
        else:
            stdout.answer(none.decision.explain() if explain else none.decision.brief())
        click.echo(exit_codes.line_of(none), err=True)
        return exit_codes.NO_MODEL_FITS
    saving = _saved(decision, cut) if cut is not None else None
    if as_json:
        output.emit(to_record(decision) | _as_data(saving))
        return exit_codes.DONE
    stdout.answer(decision.explain() if explain else decision.brief())
    if saving is not None:
        less = does(saving.tokens, "token less saves", "tokens less save")
        where = "" if saving.model is decision.model else f", on {saving.model.id}"
        stdout.answer(f"  {less} {saving.saved}{where}")
    return exit_codes.DONE


def _saved(decision: Decision, cut: int) -> Cut:
    try:
        return headroom(decision).cutting(cut)
    except InvalidRequestError as error:
        raise click.BadParameter(str(error), param_hint="'--cut'") from None


def _as_data(saving: Cut | None) -> dict[str, object]:
    if saving is None:
        return {}
    saved = plain(saving.saved.amount)
    return {"cut": {"tokens": saving.tokens, "model": saving.model.id, "saved": saved}}


def _draw(
    tokens: int | None,
    given: request.Given,
    *,
    has_text: bool,
    on_terminal: bool,
    svg: str | None,
) -> int:
    """Draw the cheapest model for every input length under these options, and mark the request."""
    aloud = svg == files_out.STANDARD_OUTPUT
    if aloud and on_terminal:
        raise click.UsageError("--chart and --svg - both go to standard output: take one")
    if svg is not None and not aloud:
        files_out.refuse_inputs("--svg", svg, given.files(with_text=has_text))
    table = api.routing_table(profile=given.based_on(), as_of=given.as_of, **given.requirements)
    if tokens is None and has_text:
        try:
            tokens = _decided(None, given, exact=True).size.high
        except NoModelFits as none:
            click.echo(exit_codes.line_of(none), err=True)
    if on_terminal:
        stdout.answer("\n".join(ladder_chart.drawn(table, tokens)))
    if svg is not None:
        drawing = ladder_svg.drawn(table, tokens)
        stdout.answer(drawing.rstrip("\n")) if aloud else files_out.write(svg, drawing.encode())
    return exit_codes.DONE


def _decided(tokens: int | None, given: request.Given, *, exact: bool) -> Decision:
    profile, day = given.based_on(), given.as_of
    if tokens is not None:
        return api.route(input_tokens=tokens, profile=profile, as_of=day, **given.requirements)
    return api.route(
        given.prompt(),
        documents=given.attached(),
        **given.options(),
        exact=exact,
        profile=profile,
        as_of=day,
        **given.requirements,
    )

"""`tokenfare send`: routes a request, sends it, and compares the bill with the prediction."""

from __future__ import annotations

import sys
from typing import Any

import click

from tokenfare import api
from tokenfare.client import Client, Reply
from tokenfare.client.settings import of_provider, provider_called
from tokenfare.dispatch import Attempt, UploadProgress
from tokenfare.money import data_of
from tokenfare.router import requirements_from, to_record

from . import exit_codes, inputs, output, request, stdout, warnings


@click.command
@request.options
@click.option(
    "--stream",
    is_flag=True,
    help="Print the answer as it arrives; with --json, stream it but print it whole.",
)
@click.option("--base-url", metavar="URL", help="An OpenAI-compatible endpoint, up to /v1.")
@click.option("-v", "--verbose", is_flag=True, help="Show each wait, and why.")
@click.option("--dry-run", is_flag=True, help="Decide, but send nothing.")
@click.option("--project", metavar="P", help="The project to book the call under.")
@inputs.ceilings_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(
    stream: bool,
    base_url: str | None,
    verbose: bool,
    dry_run: bool,
    project: str | None,
    ceilings: tuple[str, ...],
    as_json: bool,
    **options: Any,
) -> int:
    """Send FILE (or standard input) to the cheapest model that takes it.

    The key is read from DASHSCOPE_API_KEY; --provider NAME calls that provider of the catalogue
    with the key in its own variable. The answer goes to standard output, the bill and the
    prediction to standard error. The bill is entered in the ledger: see `spend`. On a terminal,
    each wait (for a retry, or for rate limits) is shown with its reason; elsewhere use -v, without
    which waits are shown from the second failed attempt on.
    """
    given = request.Given.of(**options)
    prompt, profile = given.prompt(), given.based_on()
    required = requirements_from(given.requirements, profile)
    provider = provider_called(required)
    beside: Any = {"documents": given.attached(), **given.options()}
    if dry_run:
        decision = api.route(
            prompt,
            **beside,
            exact=True,
            profile=of_provider(required, provider),
            as_of=given.as_of,
        )
        if as_json:
            output.emit(to_record(decision))
        else:
            stdout.answer(decision.brief())
        return exit_codes.DONE
    stdout.refuse_closed()
    every_wait = verbose or sys.stderr.isatty()
    with (
        warnings.on_stderr(),
        Client(
            provider=provider,
            base_url=base_url,
            as_of=given.as_of,
            region=given.requirements.get("region"),
            profile=profile,
            progress=_progress,
            on_wait=warnings.waits_on_stderr(all_of_them=every_wait),
            project=project,
            ceilings=ceilings or None,
        ) as client,
    ):
        if stream:
            reply = _streamed(client, prompt, aloud=not as_json, **beside, **given.requirements)
        else:
            reply = client.chat(prompt, **beside, **given.requirements)
            if not as_json:
                stdout.answer(reply.text)
    if as_json:
        output.emit(as_data(reply))
    else:
        for line in _bill(reply):
            click.echo(line, err=True)
    return exit_codes.DONE


def as_data(reply: Reply) -> dict[str, object]:
    """A reply as JSON."""
    return {
        "text": reply.text,
        "model": reply.model,
        "usage": {
            "input_tokens": reply.usage.input_tokens,
            "output_tokens": reply.usage.output_tokens,
            "total_tokens": reply.usage.total_tokens,
            "cached": reply.usage.cached,
            "reasoning": reply.usage.reasoning,
        },
        "fare": data_of(reply.fare),
        "predicted": output.tokens(reply.predicted.total),
        "attempts": [_attempt(attempt) for attempt in reply.attempts],
        "finish_reason": reply.answer.finish_reason,
        "request_id": reply.answer.request_id,
        "notes": list(reply.answer.notes),
    }


def _attempt(attempt: Attempt) -> dict[str, object]:
    return {
        "model": attempt.model,
        "status": attempt.status,
        "code": attempt.code,
        "waited_seconds": attempt.waited_seconds,
        "outcome": attempt.outcome,
    }


def _streamed(client: Client, prompt: Any, *, aloud: bool, **wanted: Any) -> Reply:
    with client.streaming(prompt, **wanted) as pieces:
        for piece in pieces:
            if aloud:
                stdout.say(piece.text, newline=False)
        if aloud:
            stdout.say("")
        if pieces.reply is None:
            raise RuntimeError("a stream that was read to its end has a reply")
        return pieces.reply


def _bill(reply: Reply) -> list[str]:
    usage, predicted = reply.usage, reply.predicted.total
    price = f", {reply.fare}" if reply.fare else ""
    lines = [
        f"{reply.model}: billed {usage.input_tokens:,} in + {usage.output_tokens:,} out{price}",
        f"predicted {output.span(predicted)} in; up to {reply.decision.fare.high} "
        f"on {reply.decision.model.id}",
    ]
    lines += [f"note: {note}" for note in reply.answer.notes]
    return lines


def _progress(step: UploadProgress) -> None:
    """Show the progress of an upload, on a terminal only: it is of no use in a log."""
    if sys.stderr.isatty():
        share = f"{100 * step.sent // max(step.total, 1)} %" if step.stage == "uploading" else ""
        sys.stderr.write(f"\r\x1b[K{step.name}: {step.stage} {share}")
        if step.stage == "ready":
            sys.stderr.write("\n")
        sys.stderr.flush()

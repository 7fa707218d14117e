"""`tokenfare demo`: count, route and send real documents, offline.

Counts, routes and sends each document to the emulator, as of December 2024 and as of today, and
compares the bill with the prediction. The emulator counts with tiktoken, so the two agree only if
both are right.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

import click

from tokenfare import api
from tokenfare.catalog import Catalog
from tokenfare.client import Client, Reply
from tokenfare.emulator import Emulator, TiktokenTokenizer, running
from tokenfare.money import Money
from tokenfare.plurals import number_of
from tokenfare.router import Decision
from tokenfare.testing import independent_tokenizer
from tokenfare.tokenizers import get_tokenizer

from . import exit_codes, inputs, output, stdout
from .corpus import Sample, samples

SEED_DAY = date(2024, 12, 18)
_ROOM = 1_000
_ANY_KEY = "sk-emulator-takes-any"
_HEADINGS = ("document", "bytes", "predicted", "billed", "model", "why", "paid", "at most")
_NUMBERS = frozenset({1, 2, 3, 6, 7})


@dataclass(frozen=True, slots=True)
class Sent:
    """A document and its result."""

    sample: Sample
    reply: Reply

    @property
    def agrees(self) -> bool:
        """Whether the bill is exactly the prediction."""
        predicted = self.reply.predicted.total
        return predicted.low == self.reply.usage.input_tokens == predicted.high


@click.command
@click.option(
    "--as-of",
    "days",
    type=inputs.AsOf(),
    multiple=True,
    metavar="DATE",
    help="A day to run on; may be repeated (default: 2024-12-18 and today).",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(days: tuple[date, ...], as_json: bool) -> int:
    """Count, route and send real documents to the emulator, and check the bill."""
    say("reading documents found on this machine")
    documents = list(samples(get_tokenizer("qwen")))
    say("building the emulator's own tokenizer (tiktoken, the same ranks)")
    tokenizer = independent_tokenizer()
    agreed = True
    found = []
    for day in days or (SEED_DAY, api.default_catalog().day):
        sent = _run(documents, api.default_catalog(day), tokenizer)
        agreed = agreed and all(entry.agrees for entry in sent)
        found.append(_as_data(day, sent))
        if not as_json:
            _show(day, sent)
    if as_json:
        output.emit(found)
    elif agreed:
        stdout.answer("every bill is what was predicted, token for token")
    else:
        click.echo("a bill differs from its prediction", err=True)
    return exit_codes.DONE if agreed else exit_codes.ANSWER_IS_NO


def say(line: str) -> None:
    """A line of progress, on standard error."""
    click.echo(line, err=True)


def _run(documents: Sequence[Sample], catalog: Catalog, tokenizer: TiktokenTokenizer) -> list[Sent]:
    sent = []
    with (
        running(Emulator(catalog, tokenizer)) as base_url,
        Client(
            api_key=_ANY_KEY,
            base_url=base_url,
            catalog=catalog,
            poll_seconds=0.05,
            ledger=False,  # nothing here costs anything
        ) as client,
    ):
        for sample in _with_progress(documents, f"sending, as of {catalog.day}"):
            reply = client.chat(sample.text, max_output_tokens=_ROOM)
            sent.append(Sent(sample, reply))
    return sent


def _with_progress(documents: Sequence[Sample], title: str) -> Iterable[Sample]:
    """The documents, with a progress bar on a terminal, or a line for each elsewhere."""
    if sys.stderr.isatty():
        from rich.console import Console
        from rich.progress import track

        return track(documents, description=title, console=Console(stderr=True), transient=True)
    return _with_lines(documents, title)


def _with_lines(documents: Sequence[Sample], title: str) -> Iterable[Sample]:
    for number, sample in enumerate(documents, start=1):
        began = time.monotonic()
        yield sample
        seconds = time.monotonic() - began
        say(f"{title}: {number} of {len(documents)}, {sample.name}, {seconds:.1f} s")


def _show(day: date, sent: Sequence[Sent]) -> None:
    stdout.answer(f"\nAs of {day}, with room for {_ROOM:,} tokens of answer:\n")
    output.table(_HEADINGS, [_row(entry) for entry in sent], _NUMBERS, spare=("bytes", "why"))
    stdout.answer(f"\nall of it: {_total(sent)}; {_single(sent)}\n")


def _row(entry: Sent) -> tuple[str, ...]:
    reply = entry.reply
    sign = "=" if entry.agrees else "!"
    return (
        entry.sample.name,
        f"{len(entry.sample.text.encode()):,}",
        f"{output.span(reply.predicted.total)} {sign}",
        str(reply.usage.input_tokens),
        reply.model,
        _why(reply.decision),
        str(reply.fare),
        str(reply.decision.fare.high),
    )


def _why(decision: Decision) -> str:
    """Why this model: one that costs no more is too small, or this is simply the cheapest."""
    fare = decision.fare.high
    for refusal in decision.rejected:
        price = refusal.model.price
        if refusal.over is None or price is None:
            continue
        would = price.cost(decision.size.high, decision.requirements.max_output_tokens)
        if would.currency == fare.currency and would <= fare:
            return f"{refusal.model.id} is {number_of(refusal.over, 'token')} too small"
    others = len(decision.ranked)
    return f"the cheapest of {others} that take it" if others > 1 else "no other takes it"


def _total(sent: Sequence[Sent]) -> Money:
    fares = [entry.reply.fare for entry in sent if entry.reply.fare is not None]
    return sum(fares[1:], fares[0])


def _single(sent: Sequence[Sent]) -> str:
    """What the same calls would have cost on a single model."""
    taking = [{e.model.id: e.model for e in entry.reply.decision.ranked} for entry in sent]
    everywhere = set.intersection(*(set(models) for models in taking))
    if not everywhere:
        return "no single model takes all of it"
    costs = []
    for name in everywhere:
        price = taking[0][name].price
        if price is not None:
            usages = [entry.reply.usage for entry in sent]
            fares = [price.cost(u.input_tokens, u.output_tokens) for u in usages]
            costs.append((sum(fares[1:], fares[0]), name))
    cost, name = min(costs, key=lambda pair: (pair[0].amount, pair[1]))
    return f"{cost} if everything had gone to {name}, the cheapest that takes all"


def _as_data(day: date, sent: Sequence[Sent]) -> dict[str, object]:
    return {
        "as_of": day.isoformat(),
        "documents": [
            {
                "name": entry.sample.name,
                "bytes": len(entry.sample.text.encode()),
                "predicted": output.tokens(entry.reply.predicted.total),
                "billed": entry.reply.usage.input_tokens,
                "agrees": entry.agrees,
                "model": entry.reply.model,
                "why": _why(entry.reply.decision),
                "fare": str(entry.reply.fare),
            }
            for entry in sent
        ],
    }

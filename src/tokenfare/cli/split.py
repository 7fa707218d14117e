"""`tokenfare split`: splits a text into pieces of at most a number of tokens."""

from __future__ import annotations

import click

from tokenfare import api
from tokenfare.tokenizers.cutting import check_overlap

from . import inputs, output, stdout


@click.command
@click.argument("file", required=False, default=inputs.STANDARD_INPUT, metavar="[FILE]")
@click.option("--limit", type=int, required=True, metavar="N", help="The most tokens in a piece.")
@click.option(
    "--overlap",
    type=int,
    default=0,
    show_default=True,
    metavar="N",
    help="Tokens that a piece may repeat from the previous one.",
)
@click.option("--model", metavar="ID", help="Count with this model's tokenizer.")
@click.option("--tokenizer", metavar="NAME", help="Count with this tokenizer (default: qwen).")
@click.option(
    "--separator",
    default="\n---\n",
    metavar="TEXT",
    help="Text to print between pieces (default: a line of three dashes).",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per line.")
def command(
    file: str,
    limit: int,
    overlap: int,
    model: str | None,
    tokenizer: str | None,
    separator: str,
    as_json: bool,
) -> None:
    """Split FILE (or standard input) into pieces of at most N tokens each.

    A piece ends at the best boundary within reach: a section, a paragraph, a line, a sentence, a
    clause, a word or a character. Without --overlap nothing is lost or repeated.
    """
    check_overlap(overlap, limit, called=("--overlap", "--limit"))
    text = inputs.read(file).text
    between = separator.encode(errors="surrogateescape")  # the bytes as they were typed
    measurer = api.measurer_for(model, tokenizer)
    for i, span in enumerate(measurer.spans(text, limit, overlap=overlap)):
        piece = text[span.start : span.end]
        if not as_json:
            stdout.say((between if i else b"") + piece.encode(), newline=False)
            continue
        count = measurer.measure(piece)
        line = {
            "text": piece,
            "start": span.start,
            "end": span.end,
            "tokens": output.tokens(count),
        }
        stdout.say(output.document(line))

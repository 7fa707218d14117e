"""Retrieval by tokens: cut documents into chunks that fit, and fill a prompt with the best ones.

    python examples/chunks.py "When was the treaty signed?" treaty.txt letters.txt

A chunk ends at a paragraph or a sentence, and none is longer than `CHUNK` tokens. As many of the
nearest chunks go into the prompt as its budget has room for: counted as the model will count them,
with the template around them. How near a chunk is, is told here by the words that it shares with
the question; take your own index instead.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import tokenfare as tf

MODEL = "qwen-plus"
CHUNK, OVERLAP = 200, 20
INPUT = 1_000  # tokens of the whole prompt
ROOM = 300  # tokens of the answer


def chunks(paths: list[str]) -> Iterator[str]:
    """The documents in pieces, each with the name of where it is from."""
    for path in paths:
        text = Path(path).read_text(encoding="utf-8")
        for piece in tf.split(text, CHUNK, model=MODEL, overlap=OVERLAP):
            yield f"[{path}]\n{piece.strip()}"


def nearness(chunk: str, question: str) -> int:
    """How many words of the question are in a chunk."""
    return len(set(re.findall(r"\w+", question.lower())) & set(re.findall(r"\w+", chunk.lower())))


def prompt(question: str, found: list[str]) -> list[dict[str, str]]:
    """The messages with these chunks in them."""
    context = "\n\n".join(found)
    return [
        {"role": "system", "content": f"Answer from these sources alone.\n\n{context}"},
        {"role": "user", "content": question},
    ]


def main(question: str, paths: list[str]) -> None:
    """Choose chunks until the next one would be too much."""
    kept: list[str] = []
    for chunk in sorted(chunks(paths), key=lambda each: -nearness(each, question)):
        size = tf.count_messages(prompt(question, [*kept, chunk]), model=MODEL).total
        if size.high > INPUT:
            break
        kept.append(chunk)
    messages = prompt(question, kept)
    decision = tf.route(messages, allow=[MODEL], max_output_tokens=ROOM, exact=True)
    print(messages[0]["content"])
    print(f"\n{len(kept)} chunks, {decision.size.value:,} tokens, up to {decision.fare.high}")


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2:])

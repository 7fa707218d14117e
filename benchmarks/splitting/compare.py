"""Split the same text with this package and with peers; print rates, ratios and what came out.

One process, one thread each, one run: ratios are what to read. Every tool splits the whole text
into pieces of at most `--limit` tokens of the same vocabulary, as its documentation says to. Peers
count with tiktoken, and once more with this package's counter in its place, so that the second row
compares the splitting alone. What comes out is looked at: whether the pieces join to the text, and
how many are over the limit when counted alone. Peers that are not installed are named and left out:

    pip install semchunk semantic-text-splitter chonkie
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import platform
import sys
import time
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path

import tiktoken

from tokenfare.tokenizers import Tokenizer, get_tokenizer
from tokenfare.tokenizers.ranks import QWEN_PATTERN, qwen_ranks

sys.path.insert(0, str(Path(__file__).parents[1] / "counting"))
from corpora import digest, natural

OURS = "tokenfare"
PEERS = ("semchunk", "semantic-text-splitter", "chonkie")
Split = Callable[[str], Sequence[str]]


def tools(limit: int) -> dict[str, Split]:
    qwen = get_tokenizer("qwen")
    encoding = tiktoken.Encoding(
        "qwen", pat_str=QWEN_PATTERN, mergeable_ranks=qwen_ranks(), special_tokens={}
    )

    def by_tiktoken(text: str) -> int:
        return len(encoding.encode_ordinary(text))

    found: dict[str, Split] = {OURS: lambda text: qwen.split(text, limit)}
    counters = {"tiktoken": by_tiktoken, "tokenfare": qwen.count}
    for name, count in counters.items():
        if here("semchunk"):
            import semchunk

            chunker = semchunk.chunkerify(count, limit)
            found[f"semchunk, {name}"] = chunker
        if here("semantic_text_splitter"):
            from semantic_text_splitter import TextSplitter

            splitter = TextSplitter.from_callback(count, limit, trim=False)
            found[f"semantic-text-splitter, {name}"] = splitter.chunks
    if here("chonkie"):
        found |= chonkie(limit, encoding, qwen)
    return found


def chonkie(limit: int, encoding: tiktoken.Encoding, qwen: Tokenizer) -> dict[str, Split]:
    from chonkie import RecursiveChunker, TokenChunker
    from chonkie.tokenizer import AutoTokenizer
    from chonkie.tokenizer import Tokenizer as ChonkieTokenizer

    class OurTokenizer(ChonkieTokenizer):
        def __repr__(self) -> str:
            return "tokenfare"

        def tokenize(self, text: str) -> list[int]:
            return qwen.encode(text)

        def encode(self, text: str) -> list[int]:
            return qwen.encode(text)

        def decode(self, tokens: Sequence[int]) -> str:
            return qwen.decode(tokens)

        def count_tokens(self, text: str) -> int:
            return qwen.count(text)

    tokenizers = {"tiktoken": AutoTokenizer(encoding), "tokenfare": OurTokenizer()}
    found: dict[str, Split] = {}
    for name, tokenizer in tokenizers.items():
        for kind in (TokenChunker, RecursiveChunker):
            chunker = kind(tokenizer=tokenizer, chunk_size=limit)
            found[f"chonkie {kind.__name__}, {name}"] = lambda text, chunker=chunker: [
                chunk.text for chunk in chunker.chunk(text)
            ]
    return found


def here(module: str) -> bool:
    return importlib.util.find_spec(module) is not None


def forty_megabytes(most: int) -> str:
    """The natural corpora, in turns of 50 kB so that every stretch has all of them."""
    texts = list(natural().values())
    size, parts = 0, []
    for start in range(0, max(map(len, texts)), 50_000):
        for text in texts:
            part = text[start : start + 50_000]
            parts.append(part)
            size += len(part.encode())
        if size > most:
            break
    return "".join(parts).encode()[:most].decode(errors="ignore")


def measure(split: Split, text: str, limit: int) -> dict[str, object]:
    new = text.encode().decode()  # a str that carries no UTF-8 of its own yet
    start = time.perf_counter()
    pieces = split(new)
    taken = time.perf_counter() - start
    counts = get_tokenizer("qwen").count_batch(list(pieces))
    return {
        "seconds": round(taken, 3),
        "MB/s": round(len(text.encode()) / 1e6 / taken, 2),
        "pieces": len(pieces),
        "over the limit": sum(count > limit for count in counts),
        "longest": max(counts),
        "joins to the text": "".join(pieces) == text,
    }


def main() -> int:
    parser = argparse.ArgumentParser(description="Compare splitting speed with peers.")
    parser.add_argument("--bytes", type=int, default=40_000_000)
    parser.add_argument("--limit", type=int, default=512)
    parser.add_argument("--json", type=Path, help="write the results there")
    arguments = parser.parse_args()
    text = forty_megabytes(arguments.bytes)
    print(f"{len(text.encode()):,} bytes, digest {digest(text)}, limit {arguments.limit}")
    rows: dict[str, dict[str, object]] = {}
    for name, split in tools(arguments.limit).items():
        row = rows[name] = measure(split, text, arguments.limit)
        row["ratio"] = round(float(str(row["seconds"])) / float(str(rows[OURS]["seconds"])), 1)
        print(f"{name:40}", row, flush=True)
    ours = rows[OURS]
    if ours["over the limit"] or not ours["joins to the text"]:
        raise SystemExit("our pieces break their promise")
    missing = [name for name in PEERS if not here(name.replace("-", "_"))]
    print("not installed:", ", ".join(missing) or "none")
    result = {
        "bytes": len(text.encode()),
        "digest": digest(text),
        "limit": arguments.limit,
        "python": platform.python_version(),
        "system": platform.platform(),
        "cores": os.cpu_count(),
        "versions": {name: version(name) for name in ("tokenfare", *PEERS) if name not in missing},
        "tools": rows,
    }
    if arguments.json:
        arguments.json.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Make the compact vocabulary that the package ships from the published rank file.

A rank file (`.tiktoken`) spells out the bytes of every token. The compact file keeps instead, for
every token of more than one byte, the two earlier tokens whose merge makes it: 6 bytes a token,
0.9 MB instead of 2.6, and the merge table that a counter needs is there without being derived.
The bytes follow by concatenation.

Why one pair is enough. Run byte-pair encoding on the bytes of token t with ranks below t only. If
two parts (l, r) remain, then t is made by merging l and r, and nothing else ever makes it: the
steps inside the bytes of t do not depend on what stands outside as long as no merge crosses, so any
state with two parts there is that one state. If more than two remain, t cannot be reached and the
file is refused.

    python scripts/make_vocabulary.py dashscope-2.0.2-py3-none-any.whl

The output is a function of the input: run twice, same bytes.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import struct
import sys
import zipfile
from itertools import pairwise
from pathlib import Path

MAGIC = b"TFBPE\x00\x00\x01"
SOURCE_SHA256 = "b2b1b8dfb5cc5f024bafc373121c6aba3f66f9a5a0269e243470a1de16a33186"
PATH_INSIDE = "dashscope/resources/qwen.tiktoken"
DESTINATION = Path(__file__).resolve().parent.parent / "src/tokenfare/tokenizers/data"

PROVENANCE = '''\
# Where qwen.bpe comes from. Written by scripts/make_vocabulary.py; do not edit by hand.
name = "qwen.bpe"
tokens = {tokens}
sha256 = "{result}"

[source]
package = "dashscope"
version = "2.0.2"
registry = "PyPI"
path = "{path}"
sha256 = "{source}"
licence = "Apache-2.0"
copyright = "Copyright (c) Alibaba, Inc. and its affiliates."

[changes]
what = """re-encoded: instead of the bytes of every token of more than one byte, \\
  the two tokens whose merge makes it"""
tokens_added = 0
tokens_removed = 0
ranks_changed = 0
'''


class NotRepresentableError(ValueError):
    """The rank file is not a byte-level BPE vocabulary that merge pairs can express."""


def read_source(path: Path) -> bytes:
    """Read the rank file, out of the wheel if a wheel was given, and check its digest."""
    if path.suffix == ".whl":
        with zipfile.ZipFile(path) as wheel:
            content = wheel.read(PATH_INSIDE)
    else:
        content = path.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != SOURCE_SHA256:
        raise NotRepresentableError(f"{path}: sha256 {found}, expected {SOURCE_SHA256}")
    return content


def parse_ranks(content: bytes) -> list[bytes]:
    """List the tokens in rank order; ranks must be 0, 1, 2, ... without gap or repetition."""
    tokens: list[bytes] = []
    for number, line in enumerate(content.splitlines(), start=1):
        encoded, rank = line.split()
        if int(rank) != len(tokens):
            raise NotRepresentableError(
                f"line {number}: rank {int(rank)} where {len(tokens)} was due"
            )
        tokens.append(base64.b64decode(encoded, validate=True))
    if len(set(tokens)) != len(tokens):
        raise NotRepresentableError("a token occurs twice")
    if set(tokens[:256]) != {bytes([b]) for b in range(256)}:
        raise NotRepresentableError("the first 256 ranks are not the 256 bytes")
    return tokens


def merge_pair(token: bytes, rank: int, ranks: dict[bytes, int]) -> tuple[int, int]:
    """Find the two parts that remain of `token` under merges of a rank below its own."""
    parts = [token[i : i + 1] for i in range(len(token))]
    while len(parts) > 2:
        candidates = (
            (ranks.get(left + right, rank), position)
            for position, (left, right) in enumerate(pairwise(parts))
        )
        best, position = min(candidates)
        if best >= rank:
            raise NotRepresentableError(
                f"token {rank} ({token!r}) is not reached by merges of lower rank"
            )
        parts[position : position + 2] = [parts[position] + parts[position + 1]]
    return ranks[parts[0]], ranks[parts[1]]


def derive_pairs(tokens: list[bytes]) -> list[tuple[int, int]]:
    """Derive the merge pair of every token of more than one byte, in rank order."""
    ranks = {token: rank for rank, token in enumerate(tokens)}
    return [merge_pair(token, rank, ranks) for rank, token in enumerate(tokens) if rank >= 256]


def checksum(body: bytes) -> int:
    """Mix the body into 64 bits, word by word: notices damage, is no signature."""
    mixed = 0
    padded = body + bytes(-len(body) % 8)
    for (word,) in struct.iter_unpack("<Q", padded):
        mixed = (mixed ^ word) * 0x9E3779B97F4A7C15 & 0xFFFFFFFFFFFFFFFF
        mixed ^= mixed >> 32
    return mixed


def compact(tokens: list[bytes], pairs: list[tuple[int, int]]) -> bytes:
    """Write header, the 256 bytes in rank order, a pair of 24-bit ids per later token.

    Little-endian throughout.
    """
    singles = b"".join(tokens[:256])
    merges = b"".join(
        left.to_bytes(3, "little") + right.to_bytes(3, "little") for left, right in pairs
    )
    body = singles + merges
    return MAGIC + struct.pack("<QQ", len(tokens), checksum(body)) + body


def expand(data: bytes) -> list[bytes]:
    """Expand the compact file to tokens again, from it alone; the check on `compact`."""
    count, _ = struct.unpack_from("<QQ", data, len(MAGIC))
    tokens = [data[24 + i : 25 + i] for i in range(256)]
    for i in range(count - 256):
        left = int.from_bytes(data[280 + 6 * i : 283 + 6 * i], "little")
        right = int.from_bytes(data[283 + 6 * i : 286 + 6 * i], "little")
        tokens.append(tokens[left] + tokens[right])
    return tokens


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description="Make src/tokenfare/tokenizers/data/qwen.bpe.")
    parser.add_argument("source", type=Path, help="dashscope's wheel, or its qwen.tiktoken")
    parser.add_argument(
        "--out", type=Path, default=DESTINATION, help="folder for qwen.bpe and PROVENANCE.toml"
    )
    arguments = parser.parse_args()
    tokens = parse_ranks(read_source(arguments.source))
    data = compact(tokens, derive_pairs(tokens))
    if expand(data) != tokens:
        raise NotRepresentableError("expanding the compact file does not give the tokens back")
    arguments.out.mkdir(parents=True, exist_ok=True)
    (arguments.out / "qwen.bpe").write_bytes(data)
    provenance = PROVENANCE.format(
        tokens=len(tokens),
        path=PATH_INSIDE,
        source=SOURCE_SHA256,
        result=hashlib.sha256(data).hexdigest(),
    )
    (arguments.out / "PROVENANCE.toml").write_text(provenance, encoding="utf-8")
    print(f"{len(tokens)} tokens, {len(data)} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())

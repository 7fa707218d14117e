"""Counters to measure side by side: how each is made on the same vocabulary, and how it counts.

Every peer is called the way its users are told to that is fastest for one text in a `str`, from the
ranks that this package ships. Those without NFC get text in NFC, as all others do here.
Importing this imports no peer: each runs in a process of its own, which makes the one it is for.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

Count = Callable[[str], int]

OURS = "tokenfare"
BASE = "tiktoken"


@dataclass(frozen=True, slots=True)
class Peer:
    """A counter, the distribution it comes in, and the environment where that is installed."""

    name: str
    package: str
    make: Callable[[Path], Count]
    environment: str = "bench"
    exact: bool = True
    share: float = 1.0  # of each text that it is given; a slow one would take the whole day


def tokenfare(_: Path) -> Count:
    from tokenfare.tokenizers import get_tokenizer

    return get_tokenizer("qwen").count


def with_tiktoken(folder: Path) -> Count:
    import tiktoken

    from_lines = {}
    for line in (folder / "qwen.tiktoken").read_bytes().splitlines():
        token, rank = line.split()
        from_lines[base64.b64decode(token)] = int(rank)
    encoding = tiktoken.Encoding(
        "qwen",
        pat_str=(folder / "pattern.txt").read_text(encoding="utf-8"),
        mergeable_ranks=from_lines,
        special_tokens={},
    )
    encode = encoding.encode_ordinary
    return lambda text: len(encode(text))


def with_gigatoken(folder: Path) -> Count:
    import gigatoken

    encode = gigatoken.Tokenizer.from_tiktoken(
        folder / "qwen.tiktoken", pretokenizer="qwen2", special_tokens={}
    ).encode
    return lambda text: len(encode(text))


def with_fastokens(folder: Path) -> Count:
    import fastokens

    encode = fastokens.Tokenizer.from_file(str(folder / "tokenizer.json")).encode_batch_flat
    return lambda text: len(encode([text])[0]) // 4


def with_hugging_face(folder: Path) -> Count:
    import tokenizers

    encode = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json")).encode
    return lambda text: len(encode(text, add_special_tokens=False).ids)


def with_hugging_face_1(folder: Path) -> Count:
    import tokenizers

    encode = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json")).encode
    return lambda text: len(encode(text, add_special_tokens=False))


def with_quicktok(_: Path) -> Count:
    import quicktok

    return quicktok.get_encoding("qwen3").count


def with_splintr(folder: Path) -> Count:
    import splintr

    vocabulary = (folder / "qwen.tiktoken").read_bytes()
    encode = splintr.Tokenizer.from_bytes(vocabulary, splintr.QWEN2_PATTERN).encode_ordinary
    return lambda text: len(encode(text))


PEERS = (
    Peer(OURS, "tokenfare", tokenfare),
    Peer(BASE, "tiktoken", with_tiktoken),
    Peer("fastokens", "fastokens", with_fastokens),
    Peer("gigatoken", "gigatoken", with_gigatoken),
    Peer("HF tokenizers 1.0rc", "tokenizers", with_hugging_face_1, environment="bench-next"),
    Peer("HF tokenizers", "tokenizers", with_hugging_face, share=0.1),
    Peer("splintr", "splintr-rs", with_splintr),
    Peer("quicktok", "quicktok-v1", with_quicktok),
)
BY_NAME = {peer.name: peer for peer in PEERS}

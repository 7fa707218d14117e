"""Reads rank files (`.tiktoken`, Llama 3's `tokenizer.model`): base64 and a rank on each line.

Such a file does not say how text is split, nor which special tokens there are. They come from the
caller, or from a table of published files, by digest.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tokenfare.errors import InvalidRequestError

from .patterns import PATTERNS
from .vocabulary import Added, NotRepresentable, Vocabulary, holds_half_a_character, is_id


@dataclass(frozen=True, slots=True)
class _Known:
    """A published file: its name, its split pattern, and special tokens among its ranks."""

    file: str
    pattern: str
    nfc: bool = False
    special: tuple[tuple[str, int], ...] = ()


# By sha256. Sources: dashscope 2.0.2, llama-models 0.3.0, and tiktoken 0.14 openai_public.py.
_KNOWN = {
    "b2b1b8dfb5cc5f024bafc373121c6aba3f66f9a5a0269e243470a1de16a33186": _Known(
        "qwen.tiktoken", "qwen", nfc=True
    ),
    "306cd27f03c1a714eca7108e03d66b7dc042abe8c258b44c199a7ed9838dd930": _Known(
        "r50k_base.tiktoken", "gpt2"
    ),
    "94b5ca7dff4d00767bc256fdd1b27e5b17361d7b8a5f968547f9f23eb70d2069": _Known(
        "p50k_base.tiktoken", "gpt2", special=(("<|endoftext|>", 50_256),)
    ),
    "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7": _Known(
        "cl100k_base.tiktoken", "cl100k"
    ),
    "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d": _Known(
        "o200k_base.tiktoken", "o200k"
    ),
    "82e9d31979e92ab929cd544440f129d9ecd797b69e327f80f17e1c50d5551b55": _Known(
        "tokenizer.model", "llama3"
    ),
    "d0bdbaf59b0762c8c807617e2d8ea51420eb1b1de266df2495be755c8e0ed6ed": _Known(
        "tokenizer.model", "o200k"
    ),
}


def read(  # noqa: PLR0913 - what such a file does not say
    path: str,
    data: bytes,
    digest: str,
    *,
    pattern: str | None,
    nfc: bool | None,
    special_tokens: Mapping[str, int],
) -> Vocabulary:
    """Read a rank file; `pattern` and `nfc` may be `None` for files that are known."""
    tokens = _tokens(path, data)
    known = _KNOWN.get(digest)
    if pattern is None and known is None:
        raise NotRepresentable(path, "", _unknown(path, digest))
    if known is not None:
        special_tokens = {**dict(known.special), **special_tokens}
    added = _added(special_tokens)
    _check_numbers(path, tokens, added)
    return Vocabulary(
        tokens,
        merges=None,
        whole_pieces=True,
        pattern=pattern or (known.pattern if known else ""),
        nfc=nfc if nfc is not None else known is not None and known.nfc,
        added=added,
    )


def _unknown(path: str, digest: str) -> str:
    """The error for a file whose pattern is not known from its digest and was not given."""
    name = path.replace("\\", "/").rsplit("/", 1)[-1]
    expected = [sha256 for sha256, known in _KNOWN.items() if known.file == name]
    if expected:
        return (
            f"not the published {name}: its sha256 is {digest}, not {' or '.join(expected)}; it is "
            "damaged, or another vocabulary, and then pass pattern= to tokenfare.tokenizers.load"
        )
    return (
        "a rank file does not say how text is split, and this one is not known: "
        f"pass pattern=, one of {', '.join(PATTERNS)}, to tokenfare.tokenizers.load"
    )


def _tokens(path: str, data: bytes) -> list[tuple[bytes, int]]:
    ranks: dict[int, int] = {}  # rank to line
    tokens: dict[bytes, int] = {}
    for number, line in enumerate(data.splitlines(), 1):
        if not line.strip():
            continue
        where = f"line {number}"
        try:
            spelled, rank_text = line.split()
            token, rank = base64.b64decode(spelled, validate=True), int(rank_text)
        except (ValueError, binascii.Error):
            raise NotRepresentable(
                path,
                where,
                f"not a token in base64 and its rank: {line[:40]!r} (a SentencePiece model, or "
                "another binary file, is not a rank file)",
            ) from None
        if rank in ranks:
            raise NotRepresentable(path, where, f"rank {rank} is on line {ranks[rank]} too")
        if token in tokens:
            raise NotRepresentable(
                path, where, f"the token {token!r} has two ranks, {tokens[token]} and {rank}"
            )
        ranks[rank], tokens[token] = number, rank
    return list(tokens.items())


def _added(special_tokens: Mapping[Any, Any]) -> tuple[Added, ...]:
    """Check the caller's special tokens; these errors are not about the file."""
    owners: dict[int, str] = {}
    for text, number in special_tokens.items():
        if not (isinstance(text, str) and text and is_id(number)):
            raise InvalidRequestError(
                f"special_tokens: {text!r} with id {number!r}; a text and an id are needed"
            )
        if holds_half_a_character(text):
            raise InvalidRequestError(f"special_tokens: {text!r} holds half a character")
        if number in owners:
            raise InvalidRequestError(
                f"special_tokens: {owners[number]!r} and {text!r} have the same id, {number}"
            )
        owners[number] = text
    return tuple(Added(text, number) for number, text in owners.items())


def _check_numbers(path: str, tokens: list[tuple[bytes, int]], added: tuple[Added, ...]) -> None:
    numbers = {rank for _, rank in tokens}
    for token in added:
        if token.id in numbers:
            problem = f"{token.id} is the rank of a token already"
            raise NotRepresentable(path, f"special token {token.text!r}", problem)
    numbers |= {token.id for token in added}
    if numbers and min(numbers) < 0:
        raise NotRepresentable(path, "", f"a rank below zero, {min(numbers)}")
    highest = max((rank for _, rank in tokens), default=-1)
    missing = next((rank for rank in range(highest) if rank not in numbers), None)
    if missing is not None:
        raise NotRepresentable(
            path,
            "",
            f"rank {missing} is missing, and there are ranks up to {highest}: the file is cut or "
            "damaged, or a special token has that id (pass it in special_tokens)",
        )

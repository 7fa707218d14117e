"""The shipped vocabulary as a plain mapping, and the split pattern as it was published.

For building another tokenizer on the same vocabulary: in tests, in an emulator, as a check. It is
pure Python, independent of the native core on purpose, and not used for counting.

    tiktoken.Encoding("qwen", pat_str=QWEN_PATTERN, mergeable_ranks=qwen_ranks(), special_tokens={})

counts as this package does, on text in NFC.
"""

from __future__ import annotations

import struct
from pathlib import Path

from tokenfare.errors import VocabularyError

from .shipped import SHIPPED

QWEN_FILE = Path(SHIPPED["qwen"])

# As in QwenLM/Qwen tokenization_qwen.py; generations 1 to 3.
QWEN_PATTERN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)

_MAGIC = b"TFBPE\x00\x00\x01"
_HEADER = struct.Struct("<8sQQ")
_PAIR = struct.Struct("<HBHB")  # two 24-bit numbers, each as low 16 and high 8 bits


def qwen_ranks() -> dict[bytes, int]:
    """Expand the vocabulary: 151,643 tokens and their ranks, which are their ids.

    Takes about 0.1 s and 20 MB; nothing is kept.
    """
    return expand(QWEN_FILE.read_bytes())


def expand(data: bytes) -> dict[bytes, int]:
    """Expand a compact vocabulary: 256 bytes, then pairs of earlier tokens for all other tokens."""
    if len(data) < _HEADER.size or not data.startswith(_MAGIC):
        raise VocabularyError("not a compact vocabulary of version 1")
    _, count, _ = _HEADER.unpack_from(data)
    singles = _HEADER.size
    merges = singles + 256
    if len(data) != merges + _PAIR.size * (count - 256):
        raise VocabularyError(f"{len(data)} bytes do not hold {count} tokens")
    tokens = [data[i : i + 1] for i in range(singles, merges)]
    for low1, high1, low2, high2 in _PAIR.iter_unpack(data[merges:]):
        tokens.append(tokens[low1 | high1 << 16] + tokens[low2 | high2 << 16])
    return {token: rank for rank, token in enumerate(tokens)}

"""The emulator as the command line runs it: with a tokenizer that is not this library's core."""

from __future__ import annotations

from tokenfare.emulator import TiktokenTokenizer
from tokenfare.tokenizers.ranks import QWEN_PATTERN, qwen_ranks


def independent_tokenizer() -> TiktokenTokenizer:
    """Build tiktoken on the shipped ranks and the published pattern; about a second."""
    return TiktokenTokenizer(qwen_ranks(), QWEN_PATTERN)

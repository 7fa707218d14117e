"""Tokenizers to compare with, built once from the shipped ranks."""

from __future__ import annotations

import struct
import sys
from pathlib import Path

import pytest
import tiktoken

sys.path.insert(0, str(Path(__file__).parent))  # for bpe_reference and token_texts

from token_texts import byte_letters
from vocabulary_files import trained

from tokenfare.tokenizers import Tokenizer, get_tokenizer
from tokenfare.tokenizers.patterns import PATTERNS
from tokenfare.tokenizers.ranks import QWEN_FILE, QWEN_PATTERN, qwen_ranks


@pytest.fixture(scope="session")
def qwen() -> Tokenizer:
    return get_tokenizer("qwen")


@pytest.fixture(scope="session")
def small() -> object:
    """A vocabulary of 3,000 tokens that Hugging Face's trainer learnt."""
    return trained(PATTERNS["llama3"])


@pytest.fixture(scope="session")
def ranks() -> dict[bytes, int]:
    return qwen_ranks()


@pytest.fixture(scope="session")
def with_tiktoken(ranks: dict[bytes, int]) -> tiktoken.Encoding:
    return tiktoken.Encoding("qwen", pat_str=QWEN_PATTERN, mergeable_ranks=ranks, special_tokens={})


@pytest.fixture(scope="session")
def with_hugging_face(ranks: dict[bytes, int]) -> object:
    """Build the pipeline of Qwen2's `tokenizer.json` on the same vocabulary."""
    from tokenizers.models import BPE

    from tokenizers import Regex, normalizers, pre_tokenizers
    from tokenizers import Tokenizer as HuggingFace

    letters = byte_letters()
    names = ["".join(letters[b] for b in token) for token in ranks]
    pairs = struct.iter_unpack("<HBHB", QWEN_FILE.read_bytes()[280:])
    merges = [(names[a | b << 16], names[c | d << 16]) for a, b, c, d in pairs]
    tokenizer = HuggingFace(BPE({name: i for i, name in enumerate(names)}, merges))
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(QWEN_PATTERN), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    return tokenizer

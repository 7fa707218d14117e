"""Vocabularies that the tests train, and the files that hold them."""

from __future__ import annotations

import base64
import json
from pathlib import Path

from token_texts import SNIPPETS, byte_letters


def prose() -> list[str]:
    """Text to learn from: sources of the standard library, and what tokenizers stumble over."""
    files = sorted(Path(json.__file__).parent.parent.glob("*.py"))[:25]
    return [file.read_text(encoding="utf-8") for file in files] + [" ".join(SNIPPETS)] * 20


def trained(regex: str, size: int = 3000):
    """Train a byte-level BPE with Hugging Face's trainer on text that `regex` splits."""
    from tokenizers.models import BPE

    from tokenizers import Regex, pre_tokenizers, trainers
    from tokenizers import Tokenizer as HuggingFace

    tokenizer = HuggingFace(BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(regex), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        show_progress=False,
        special_tokens=["<|endoftext|>", "<|im_end|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )
    tokenizer.train_from_iterator(prose(), trainer)
    return tokenizer


def saved(tokenizer, folder: Path) -> Path:
    path = folder / "tokenizer.json"
    tokenizer.save(str(path))
    return path


def ranks_of(path: Path) -> dict[bytes, int]:
    """Read a tokenizer.json's vocabulary with ids made dense, as a rank file has them."""
    letters = {letter: byte for byte, letter in enumerate(byte_letters())}
    file = json.loads(path.read_text())
    added = {token["content"] for token in file["added_tokens"]}
    tokens = [token for token in file["model"]["vocab"] if token not in added]
    tokens.sort(key=file["model"]["vocab"].get)
    return {bytes(letters[c] for c in token): rank for rank, token in enumerate(tokens)}


def rank_lines(ranks: dict[bytes, int]) -> bytes:
    return b"".join(base64.b64encode(token) + b" %d\n" % rank for token, rank in ranks.items())

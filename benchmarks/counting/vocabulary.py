"""The shipped vocabulary in the files that peers read: `.tiktoken` ranks and `tokenizer.json`."""

from __future__ import annotations

import base64
import json
from pathlib import Path

from tokenfare.tokenizers.ranks import QWEN_FILE, QWEN_PATTERN, qwen_ranks


def write(folder: Path) -> None:
    """Write the files into a folder."""
    ranks = qwen_ranks()
    lines = (f"{base64.b64encode(token).decode()} {rank}\n" for token, rank in ranks.items())
    (folder / "qwen.tiktoken").write_text("".join(lines), encoding="ascii")
    (folder / "pattern.txt").write_text(QWEN_PATTERN, encoding="utf-8")
    tokenizer = json.dumps(hugging_face(list(ranks)), ensure_ascii=False)
    (folder / "tokenizer.json").write_text(tokenizer, encoding="utf-8")


def hugging_face(tokens: list[bytes]) -> dict[str, object]:
    """Qwen2's pipeline: NFC, the pattern, the byte-level alphabet, BPE."""
    letters = byte_letters()
    names = ["".join(letters[byte] for byte in token) for token in tokens]
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [],
        "normalizer": {"type": "NFC"},
        "pre_tokenizer": {
            "type": "Sequence",
            "pretokenizers": [
                {
                    "type": "Split",
                    "pattern": {"Regex": QWEN_PATTERN},
                    "behavior": "Isolated",
                    "invert": False,
                },
                {
                    "type": "ByteLevel",
                    "add_prefix_space": False,
                    "trim_offsets": False,
                    "use_regex": False,
                },
            ],
        },
        "post_processor": None,
        "decoder": {
            "type": "ByteLevel",
            "add_prefix_space": False,
            "trim_offsets": False,
            "use_regex": False,
        },
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": "",
            "end_of_word_suffix": "",
            "fuse_unk": False,
            "byte_fallback": False,
            "ignore_merges": False,
            "vocab": {name: i for i, name in enumerate(names)},
            "merges": [f"{names[left]} {names[right]}" for left, right in merges()],
        },
    }


def merges() -> list[tuple[int, int]]:
    """Read the two tokens that merge into each token from the shipped file."""
    pairs = memoryview(QWEN_FILE.read_bytes())[24 + 256 :]
    number = int.from_bytes
    return [
        (number(pairs[i : i + 3], "little"), number(pairs[i + 3 : i + 6], "little"))
        for i in range(0, len(pairs), 6)
    ]


def byte_letters() -> list[str]:
    """Give the printable character that GPT-2's byte-level alphabet writes for each byte."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = iter(range(256, 512))
    return [chr(b) if b in printable else chr(next(others)) for b in range(256)]

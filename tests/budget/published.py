"""The published tokenizers of Qwen's generations, made into local directories for `transformers`.

The vocabulary is expanded from the shipped ranks, the templates are the published texts.
"""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

from tokenfare.tokenizers import SPECIAL_TOKENS
from tokenfare.tokenizers.ranks import QWEN_FILE, QWEN_PATTERN, qwen_ranks

TEMPLATES = Path(__file__).parent / "templates"

# Qwen/Qwen2-7B-Instruct, tokenizer_config.json (Apache-2.0): one line, so it stands here.
QWEN2 = (
    "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}"
    "{{ '<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n' }}{% endif %}"
    "{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


def template(generation: str) -> str:
    if generation == "qwen2":
        return QWEN2
    return (TEMPLATES / f"{generation}.jinja").read_text(encoding="utf-8")


def write_tokenizer(directory: Path, generation: str) -> None:
    """A directory as `AutoTokenizer.from_pretrained` reads it."""
    letters = _byte_letters()
    names = ["".join(letters[b] for b in token) for token in qwen_ranks()]
    pairs = struct.iter_unpack("<HBHB", QWEN_FILE.read_bytes()[280:])
    merges = [[names[a | b << 16], names[c | d << 16]] for a, b, c, d in pairs]
    added = [
        {"id": number, "content": name, "special": name.startswith("<|"), **_PLAIN}
        for name, number in SPECIAL_TOKENS[generation].items()
    ]
    directory.mkdir(parents=True, exist_ok=True)
    _write(
        directory / "tokenizer.json",
        {
            "version": "1.0",
            "added_tokens": added,
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
            "decoder": {
                "type": "ByteLevel",
                "add_prefix_space": False,
                "trim_offsets": False,
                "use_regex": False,
            },
            "model": {
                "type": "BPE",
                "vocab": {name: i for i, name in enumerate(names)},
                "merges": merges,
            },
        },
    )
    _write(
        directory / "tokenizer_config.json",
        {"tokenizer_class": "PreTrainedTokenizerFast", "chat_template": template(generation)},
    )


_PLAIN = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False}


def _write(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value), encoding="utf-8")


def _byte_letters() -> list[str]:
    """The printable character that GPT-2's byte-level alphabet writes for each byte."""
    printable = {*range(33, 127), *range(161, 173), *range(174, 256)}
    others = iter(range(256, 512))
    return [chr(b) if b in printable else chr(next(others)) for b in range(256)]

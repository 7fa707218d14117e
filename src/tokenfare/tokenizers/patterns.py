"""The split patterns that the core has scanners for, by name, as their publishers write them.

A pattern in a file is recognised by its text, character for character: another spelling is refused.
The same text can mean different patterns: tiktoken's engine reads `{1,3}+` as possessive and `$` as
the end of the text, Hugging Face's reads a repetition of a repetition and the end of a line. So the
patterns written for tiktoken are not looked for in a `tokenizer.json`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from .ranks import QWEN_PATTERN

_CONTRACTIONS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)"
_SPACE = r"\s*[\r\n]+|\s+(?!\S)|\s+"
_UPPER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]"
_LOWER = r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"

# Sources: QwenLM/Qwen tokenization_qwen.py; transformers 5.24 tokenization_qwen3_5.py; llama-models
# 0.3 llama3/tokenizer.py; tiktoken 0.14 openai_public.py (o200k; Llama 4 has the same).
_SHARED = {
    "qwen": QWEN_PATTERN,
    "qwen3.5": rf"{_CONTRACTIONS}|[^\r\n\p{{L}}\p{{N}}]?[\p{{L}}\p{{M}}]+|\p{{N}}"
    rf"| ?[^\s\p{{L}}\p{{M}}\p{{N}}]+[\r\n]*|{_SPACE}",
    "llama3": rf"{_CONTRACTIONS}|[^\r\n\p{{L}}\p{{N}}]?\p{{L}}+|\p{{N}}{{1,3}}"
    rf"| ?[^\s\p{{L}}\p{{N}}]+[\r\n]*|{_SPACE}",
    "o200k": rf"[^\r\n\p{{L}}\p{{N}}]?{_UPPER}*{_LOWER}+{_CONTRACTIONS}?"
    rf"|[^\r\n\p{{L}}\p{{N}}]?{_UPPER}+{_LOWER}*{_CONTRACTIONS}?"
    rf"|\p{{N}}{{1,3}}| ?[^\s\p{{L}}\p{{N}}]+[\r\n/]*|{_SPACE}",
}

# The patterns written for tiktoken 0.14, by name (openai_public.py: cl100k_base, r50k_base).
PATTERNS: Mapping[str, str] = MappingProxyType(
    {
        **_SHARED,
        # Keeps white space at the end of the text in one piece; otherwise the same as "llama3".
        "cl100k": r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+"
        r"| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s",
        "gpt2": r"'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++"
        r"|\s++$|\s+(?!\S)|\s",
    }
)

# The patterns looked for in a `tokenizer.json`; GPT-2's is that of ByteLevel in tokenizers 0.23.
IN_JSON: Mapping[str, str] = MappingProxyType(
    {
        **{regex: name for name, regex in _SHARED.items()},
        r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+": "gpt2",
    }
)

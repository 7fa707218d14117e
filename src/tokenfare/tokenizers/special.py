"""Special tokens of the Qwen generations that share one vocabulary, by generation.

Which ones a model knows depends on its generation; the same id can mean different things in two of
them. In text that comes from users they are ordinary text unless a caller asks otherwise: a user
who types `<|im_end|>` must not end the message.

Sources, read 2026-11: QwenLM/Qwen `tokenization_note.md` (generation 1), and the published
`tokenizer_config.json` of Qwen2, Qwen2.5 and Qwen3 (`added_tokens_decoder`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import MappingProxyType

from tokenfare.errors import InvalidRequestError

FIRST = 151643  # the ids before are the vocabulary's

_SHARED = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
_QWEN1 = tuple(f"<|extra_{i}|>" for i in range(205))
_QWEN25 = (
    "<|object_ref_start|>",
    "<|object_ref_end|>",
    "<|box_start|>",
    "<|box_end|>",
    "<|quad_start|>",
    "<|quad_end|>",
    "<|vision_start|>",
    "<|vision_end|>",
    "<|vision_pad|>",
    "<|image_pad|>",
    "<|video_pad|>",
    "<tool_call>",
    "</tool_call>",
    "<|fim_prefix|>",
    "<|fim_middle|>",
    "<|fim_suffix|>",
    "<|fim_pad|>",
    "<|repo_name|>",
    "<|file_sep|>",
)
_QWEN3 = ("<tool_response>", "</tool_response>", "<think>", "</think>")


def _numbered(*names: str) -> Mapping[str, int]:
    return MappingProxyType({name: FIRST + i for i, name in enumerate(names)})


SPECIAL_TOKENS: Mapping[str, Mapping[str, int]] = MappingProxyType(
    {
        "qwen1": _numbered(*_SHARED, *_QWEN1),
        "qwen2": _numbered(*_SHARED),
        "qwen2.5": _numbered(*_SHARED, *_QWEN25),
        "qwen3": _numbered(*_SHARED, *_QWEN25, *_QWEN3),
    }
)

ORDINARY = "ordinary"


def resolve(special: str | Collection[str]) -> Mapping[str, int]:
    """Say which special tokens `special` asks for: a generation's, those listed, or none.

    No name has two ids, so a list of names needs no generation.
    """
    if isinstance(special, str):
        if special == ORDINARY:
            return {}
        if special not in SPECIAL_TOKENS:
            known = ", ".join((ORDINARY, *SPECIAL_TOKENS))
            raise InvalidRequestError(f"no special tokens are called {special!r}; known: {known}")
        return SPECIAL_TOKENS[special]
    known_ids = {**SPECIAL_TOKENS["qwen1"], **SPECIAL_TOKENS["qwen3"]}
    unknown = sorted(set(special) - known_ids.keys())
    if unknown:
        raise InvalidRequestError(f"not special tokens of any generation: {', '.join(unknown)}")
    return {name: known_ids[name] for name in special}

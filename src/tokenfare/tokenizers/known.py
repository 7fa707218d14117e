"""What is known of each tokenizer by name: its bounds, its vocabulary's look, where copies lie.

A vocabulary is taken for a tokenizer's only if its split pattern and its number of tokens are those
stated here: Qwen 3.5's file is not taken for Qwen 3's, or the other way round.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from .bounds import byte_level, byte_level_as_is, sentencepiece_byte_fallback, unknown


@dataclass(frozen=True, slots=True)
class Known:
    """One tokenizer whose vocabulary does not ship.

    `at_most` bounds a text's tokens without the vocabulary; only a rule that is known to hold may
    stand there. `pattern` and `sizes` are what a converted vocabulary must say (`None`: any, which
    needs the name to be given). `hub` are the repositories of Hugging Face whose copy in the local
    cache is taken, `tiktoken` the file that tiktoken caches, with its digest. `by_transformers`:
    the core cannot represent it, `transformers` can. `get` says how to get it.
    """

    at_most: Callable[[str], int]
    get: str
    pattern: str | None = None
    sizes: frozenset[int] = frozenset()
    hub: tuple[str, ...] = ()
    tiktoken: tuple[str, str] | None = None
    by_transformers: bool = False


_FILE = "give its tokenizer.json: tokenfare tokenizers add tokenizer.json"
_FOLDER = "give the folder with its files: tokenfare tokenizers add FOLDER --name {}"
_OPENAI = "https://openaipublic.blob.core.windows.net/encodings/"

KNOWN: Mapping[str, Known] = MappingProxyType(
    {
        # 248,044 ranks: the published tokenizer.json of Qwen3.5 and later.
        "qwen3.5": Known(
            byte_level,
            _FILE,
            "qwen3.5",
            frozenset({248_044}),
            hub=("Qwen/Qwen3.5-0.8B", "Qwen/Qwen3.5-4B", "Qwen/Qwen3.5-9B", "Qwen/Qwen3.5-27B"),
        ),
        "llama3": Known(
            byte_level_as_is,
            "give its tokenizer.model or tokenizer.json: tokenfare tokenizers add FILE",
            "llama3",
            frozenset({128_000}),
            hub=("meta-llama/Meta-Llama-3-8B-Instruct", "meta-llama/Llama-3.1-8B-Instruct"),
        ),
        "cl100k": Known(
            byte_level_as_is,
            "give cl100k_base.tiktoken: tokenfare tokenizers add FILE",
            "cl100k",
            frozenset({100_256}),
            tiktoken=(
                _OPENAI + "cl100k_base.tiktoken",
                "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
            ),
        ),
        "o200k": Known(
            byte_level_as_is,
            "give o200k_base.tiktoken: tokenfare tokenizers add FILE",
            "o200k",
            frozenset({199_998}),
            tiktoken=(
                _OPENAI + "o200k_base.tiktoken",
                "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
            ),
        ),
        "llama2": Known(
            sentencepiece_byte_fallback,
            _FOLDER.format("llama2"),
            hub=("meta-llama/Llama-2-7b-chat-hf", "meta-llama/Llama-2-13b-chat-hf"),
            by_transformers=True,
        ),
        "baichuan": Known(
            unknown,
            _FOLDER.format("baichuan") + " --trust-code",
            hub=("baichuan-inc/Baichuan2-7B-Chat", "baichuan-inc/Baichuan2-13B-Chat"),
            by_transformers=True,
        ),
        "chatglm": Known(
            unknown,
            _FOLDER.format("chatglm") + " --trust-code",
            hub=("THUDM/chatglm3-6b", "THUDM/chatglm2-6b"),
            by_transformers=True,
        ),
        "yi": Known(
            unknown,
            _FOLDER.format("yi"),
            hub=("01-ai/Yi-34B-Chat", "01-ai/Yi-6B-Chat", "01-ai/Yi-1.5-34B-Chat"),
            by_transformers=True,
        ),
        "abab": Known(unknown, "its makers publish none"),
        "unknown": Known(unknown, "which tokenizer it is, nobody says"),
    }
)


def named_by(pattern: str, size: int) -> str | None:
    """The tokenizer that a vocabulary with this split pattern and number of tokens is, if any."""
    fits = (n for n, known in KNOWN.items() if known.pattern == pattern and size in known.sizes)
    return next(fits, None)

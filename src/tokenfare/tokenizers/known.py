"""What is known of each tokenizer: its bounds, how to recognise its vocabulary, where to find it.

A vocabulary is accepted for a tokenizer only if its split pattern and its number of tokens are
those stated here, so that Qwen 3.5's file is not used for Qwen 3, or the other way round.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from .bounds import byte_level, byte_level_as_is, sentencepiece_byte_fallback, unknown


@dataclass(frozen=True, slots=True)
class Known:
    """A tokenizer whose vocabulary does not ship with the package.

    Attributes:
        at_most: The upper bound of a text's tokens without the vocabulary. Only rules that are
            known to hold may be used.
        get: How to get the vocabulary, for messages.
        pattern: The split pattern that a vocabulary must have. With `None` it is not recognised by
            its content, and the name has to be given.
        sizes: The number of tokens that a vocabulary must have.
        hub: Repositories on Hugging Face whose copies in the local cache are used.
        tiktoken: The URL of the file that tiktoken caches, and its SHA-256.
        by_transformers: Whether it is counted by `transformers`, since the core cannot represent
            it.
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
        "unknown": Known(unknown, "nobody says which tokenizer it is"),
    }
)


def named_by(pattern: str, size: int) -> str | None:
    """The name of the tokenizer with this split pattern and number of tokens, if there is one."""
    fits = (n for n, known in KNOWN.items() if known.pattern == pattern and size in known.sizes)
    return next(fits, None)

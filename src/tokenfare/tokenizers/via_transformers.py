"""Counts with Hugging Face's `transformers`, for tokenizers that the core cannot represent.

These are mostly SentencePiece models: Llama 2, Baichuan, ChatGLM, Yi. The library is imported when
the first text is counted. It reads local files, and is told not to download any.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from tokenfare.errors import MissingExtra, VocabularyError

from .count import Count
from .cutting import Keep, Span, joined
from .cutting_by_bound import spans, truncated


class ByTransformers:
    """A tokenizer in a folder. It is slow to load (seconds) and to count; its counts are exact.

    `trusted` allows the code in the folder to run, which Baichuan's and ChatGLM's tokenizers need.
    Special tokens are not added to a text, and not recognised in it.
    """

    def __init__(self, name: str, folder: Path, *, trusted: bool = False) -> None:
        """Load nothing yet."""
        self.name = name
        self._folder = folder
        self._trusted = trusted
        self._loading = threading.Lock()
        self._tokenizer: Any = None

    def __repr__(self) -> str:
        return f"<ByTransformers {self.name!r} in {str(self._folder)!r}>"

    def __reduce__(self) -> tuple[Callable[[str, Path], ByTransformers], tuple[str, Path]]:
        """Pickle the folder's name: the other process reads the folder."""
        return partial(ByTransformers, trusted=self._trusted), (self.name, self._folder)

    def count(self, text: str) -> int:
        """Count the tokens of `text`; a lone surrogate counts as U+FFFD."""
        if not text:
            return 0
        clean = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        encoded = self._loaded()(clean, add_special_tokens=False, split_special_tokens=True)
        return len(encoded["input_ids"])

    def measure(self, text: str) -> Count:
        """Count the tokens of `text` as an exact `Count`."""
        return Count.exactly(self.count(text))

    def truncate(self, text: str, max_tokens: int, *, keep: Keep = "start") -> str:
        """Cut `text` by its bytes until it fits in `max_tokens`; it may be shorter than needed."""
        return truncated(self._most, text, max_tokens, keep, nfc=True)

    def split(self, text: str, max_tokens: int, *, overlap: int = 0) -> list[str]:
        """Split `text` by its bytes into pieces of at most `max_tokens` each."""
        return joined(text, self.spans(text, max_tokens, overlap=overlap))

    def spans(self, text: str, max_tokens: int, *, overlap: int = 0) -> list[Span]:
        """Split as `split` does, and return where each piece begins and ends, and its count."""
        return spans(self._most, text, max_tokens, overlap, nfc=True)

    def _most(self, text: str) -> int:
        return self.measure(text).high

    def _loaded(self) -> Any:
        with self._loading:
            if self._tokenizer is None:
                self._tokenizer = self._load()
            return self._tokenizer

    def _load(self) -> Any:
        os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
        try:
            from transformers import AutoTokenizer
        except ImportError as error:
            raise MissingExtra(
                f"counting as {self.name}", "transformers", "transformers"
            ) from error
        try:
            return AutoTokenizer.from_pretrained(
                self._folder, local_files_only=True, trust_remote_code=self._trusted
            )
        except Exception as error:
            raise VocabularyError(
                f"{self._folder}: no tokenizer that transformers can read: {error}; if it was "
                f"added, `tokenfare tokenizers remove {self.name}` forgets it"
            ) from error

"""Estimates of another tokenizer's count, fitted on Qwen's count and the scripts of the text.

tokens = Qwen's tokens x the sum over scripts of (share of the script in the text x its factor).
`benchmarks/estimates/fit.py` fits the factors and measures the errors by kind of text; both are in
`data/estimates.toml` with the digests of the corpora and the day. For a tokenizer without fitted
factors the estimate is Qwen's count itself, with an unknown error. An estimate is never exact: only
the bounds beside it hold.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from .scripts import shares

PATH = Path(__file__).parent / "data" / "estimates.toml"


@dataclass(frozen=True, slots=True)
class Fitted:
    """The fitted factors of one tokenizer, and their errors.

    For each corpus, `errors` has the relative errors on pieces that were not used for fitting
    (`mean`, `p95`, `worst`, `bias`), and `bound`, the hard upper bound as a multiple of the truth.
    """

    name: str
    vocabulary: str
    factors: Mapping[str, float]
    errors: Mapping[str, Mapping[str, float]]


def fitted() -> Mapping[str, Fitted]:
    """The fitted factors of every tokenizer that has them, by its name."""
    return {
        name: Fitted(name, row["vocabulary"], row["factors"], row["errors"])
        for name, row in _read().items()
        if isinstance(row, dict) and "factors" in row
    }


def middle(name: str, count: Callable[[str], int]) -> Callable[[str], int]:
    """The estimate for a tokenizer; `count` counts with Qwen's vocabulary."""
    fit = fitted().get(name)
    if fit is None:
        return count
    return _Estimate(count, fit.factors)


@dataclass(frozen=True, slots=True)
class _Estimate:
    """Qwen's count, times a factor by script."""

    count: Callable[[str], int]
    factors: Mapping[str, float]

    def __call__(self, text: str) -> int:
        shared = shares(text).items()
        return round(self.count(text) * sum(share * self.factors[name] for name, share in shared))


@cache
def _read() -> Mapping[str, Any]:
    import tomllib

    return tomllib.loads(PATH.read_text(encoding="utf-8"))

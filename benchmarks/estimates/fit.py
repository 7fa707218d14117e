"""Fits the middle of estimates: how many tokens another tokenizer makes of what Qwen's counts.

    python benchmarks/estimates/fit.py llama3=tokenizer.model cl100k=cl100k_base.tiktoken ... \\
        [--toktok] [--write src/tokenfare/tokenizers/data/estimates.toml]

For each vocabulary file: tokens of a text = Qwen's tokens x the sum over scripts of (share of the
script x its factor). The factors are fitted by least squares, drawn towards 1 where there is little
text, on every other piece of the corpora of `benchmarks/counting/corpora.py`; the errors stated are
those on the pieces between, and how wide the hard bounds are on them. `--toktok` adds Qwen 3.5 as
the package toktok-rs counts it, for want of the file itself.
"""

from __future__ import annotations

import argparse
import hashlib
import statistics
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "counting"))

from corpora import digest, natural

from tokenfare.tokenizers import get_tokenizer, load
from tokenfare.tokenizers.bounds import byte_level, byte_level_as_is
from tokenfare.tokenizers.scripts import SCRIPTS, shares

PIECE = 2_000  # characters of one piece
MOST = 1_000_000  # characters of one corpus
TOWARDS_ONE = 0.002  # of the corpora's whole weight

CountAll = Callable[[list[str]], list[int]]


@dataclass(frozen=True)
class Piece:
    corpus: str
    text: str
    qwen: int
    shares: Sequence[float]


def pieces() -> tuple[list[Piece], dict[str, str]]:
    """Pieces of every corpus, and the corpora's digests."""
    qwen = get_tokenizer("qwen")
    found: list[Piece] = []
    digests: dict[str, str] = {}
    for name, whole in natural().items():
        text = whole[:MOST]
        digests[name] = digest(text)
        for start in range(0, len(text) - PIECE, PIECE):
            part = text[start : start + PIECE]
            made = shares(part)
            found.append(
                Piece(name, part, qwen.count(part), [made.get(script, 0.0) for script in SCRIPTS])
            )
    return found, digests


def fitted(train: Sequence[Piece], truth: Sequence[int]) -> np.ndarray:
    """Factors by script: least squares on the relative error, drawn towards 1."""
    scale = np.array(truth, dtype=float)
    design = np.array([[p.qwen * share for share in p.shares] for p in train]) / scale[:, None]
    pull = np.sqrt(TOWARDS_ONE * len(train))
    rows = np.vstack([design, pull * np.eye(len(SCRIPTS))])
    target = np.concatenate([np.ones(len(train)), pull * np.ones(len(SCRIPTS))])
    return np.linalg.lstsq(rows, target, rcond=None)[0]


def estimate(piece: Piece, factors: np.ndarray) -> float:
    return piece.qwen * float(np.dot(piece.shares, factors))


@dataclass(frozen=True)
class Errors:
    """Of one corpus: relative errors, and the hard upper bound as a multiple of the truth."""

    corpus: str
    mean: float
    p95: float
    worst: float
    bias: float
    width: float


def errors(
    corpus: str, test: Sequence[Piece], truth: Sequence[int], factors: np.ndarray,
    most: Callable[[str], int],
) -> Errors:  # fmt: skip
    relative = [
        estimate(piece, factors) / true - 1 for piece, true in zip(test, truth, strict=True)
    ]
    sizes = sorted(map(abs, relative))
    wide = [most(piece.text) / true for piece, true in zip(test, truth, strict=True)]
    return Errors(
        corpus,
        statistics.mean(sizes),
        sizes[int(0.95 * (len(sizes) - 1))],
        sizes[-1],
        statistics.mean(relative),
        statistics.mean(wide),
    )


def contestants(files: Sequence[str], *, toktok: bool) -> dict[str, tuple[str, CountAll]]:
    """What counts truly, by name, and where it comes from."""
    found: dict[str, tuple[str, CountAll]] = {}
    for one in files:
        name, _, path = one.partition("=")
        given = {"cl100k": "cl100k", "o200k": "o200k"}.get(name)
        tokenizer = load(path, name, pattern=given)
        sha256 = hashlib.sha256(Path(path).read_bytes()).hexdigest()
        found[name] = (f"{Path(path).name}, sha256 {sha256}", tokenizer.count_batch)
    if toktok:
        from importlib.metadata import version

        import toktok as peer

        found["qwen3.5"] = (
            f"the package toktok-rs {version('toktok-rs')}",
            lambda texts: peer.batch_count(texts, "qwen3.5"),
        )
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="*", metavar="NAME=FILE")
    parser.add_argument("--toktok", action="store_true")
    parser.add_argument("--write", type=Path)
    asked = parser.parse_args()
    everything, digests = pieces()
    day = datetime.now(tz=UTC).date().isoformat()
    out = [
        "# Fitted middles of estimates. Written by benchmarks/estimates/fit.py; do not edit.",
        "# tokens = Qwen's tokens x sum over scripts (share of the script x its factor).",
        "",
        f"fitted_on = {day}",
        f"piece_characters = {PIECE}",
        "",
        "[corpora]  # first 16 digits of the sha256 of what was read of each",
        *(f'{name} = "{found}"' for name, found in digests.items()),
    ]
    for name, (source, count_all) in contestants(asked.files, toktok=asked.toktok).items():
        truth = count_all([piece.text for piece in everything])
        factors = fitted(everything[::2], truth[::2])
        most = byte_level if name == "qwen3.5" else byte_level_as_is
        out += ["", f'["{name}"]', f'vocabulary = "{source}"', f'["{name}".factors]']
        out += [f"{s} = {f:.4f}" for s, f in zip(SCRIPTS, factors, strict=True)]
        out += [f'["{name}".errors]']
        print(f"{name}: {source}")
        for corpus in digests:
            between = [
                (piece, true)
                for piece, true in zip(everything[1::2], truth[1::2], strict=True)
                if piece.corpus == corpus
            ]
            if not between:
                continue
            test, true = zip(*between, strict=True)
            found = errors(corpus, test, true, factors, most)
            print(
                f"  {corpus:9} mean {found.mean:6.1%}  95% {found.p95:6.1%}"
                f"  worst {found.worst:6.1%}  bias {found.bias:+6.1%}  bound {found.width:5.2f} x"
            )
            out.append(
                f"{corpus} = {{ mean = {found.mean:.4f}, p95 = {found.p95:.4f}, "
                f"worst = {found.worst:.4f}, bias = {found.bias:.4f}, bound = {found.width:.2f} }}"
            )
    if asked.write:
        asked.write.write_text("\n".join(out) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

"""The shares of scripts, digits and signs in a text, from samples of it.

For estimates only. A script here is a coarse class of characters that tokenizers treat alike, not
Unicode's property: Latin, Han, kana, Hangul, Cyrillic, other letters; digits; signs (punctuation
and symbols, frequent in code). White space is left out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

SCRIPTS = ("latin", "han", "kana", "hangul", "cyrillic", "other", "digits", "signs")

_CLASSES = {
    "latin": re.compile("[A-Za-z\u00aa-\u024f\u1e00-\u1eff]"),
    "han": re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"),
    "kana": re.compile("[\u3040-\u30ff\u31f0-\u31ff]"),
    "hangul": re.compile("[\u1100-\u11ff\u3130-\u318f\uac00-\ud7af]"),
    "cyrillic": re.compile("[\u0400-\u052f]"),
    "digits": re.compile(r"\d"),
}
_LETTER = re.compile(r"[^\W\d_]")
_SPACE = re.compile(r"\s")

_SAMPLES, _SAMPLE = 4, 1024


def shares(text: str) -> Mapping[str, float]:
    """The share of each script among the characters that are not white space; they add up to 1."""
    sample = _sample(text)
    counts = {name: len(sample) - len(one.sub("", sample)) for name, one in _CLASSES.items()}
    letters = len(sample) - len(_LETTER.sub("", sample))
    seen = len(_SPACE.sub("", sample))
    counts["other"] = max(letters - sum(counts[n] for n in SCRIPTS[:5]), 0)
    counts["signs"] = max(seen - letters - counts["digits"], 0)
    total = sum(counts.values())
    if total == 0:
        return {"latin": 1.0}
    return {name: count / total for name, count in counts.items() if count}


def _sample(text: str) -> str:
    """The text if it is short, or else samples of it at even distances."""
    if len(text) <= _SAMPLES * _SAMPLE:
        return text
    step = (len(text) - _SAMPLE) // (_SAMPLES - 1)
    return "".join(text[i * step : i * step + _SAMPLE] for i in range(_SAMPLES))

"""Estimates: bounds that hold, a middle whose stated error holds for texts it was not fitted on."""

from __future__ import annotations

import pytest
from hypothesis import given
from token_texts import texts

from tokenfare.tokenizers import get_tokenizer
from tokenfare.tokenizers.bounds import Bounds, byte_level_as_is
from tokenfare.tokenizers.estimates import fitted, middle
from tokenfare.tokenizers.scripts import SCRIPTS, shares

QWEN = get_tokenizer("qwen")

ENGLISH = (
    "A provider bills a request by its tokens, and a token is a piece of a word. Nobody can tell "
    "from the number of letters how many pieces there will be, but over a page of prose the two "
    "keep step well enough, and a reader who knows the language can guess the price. "
) * 3
CHINESE = (
    "计费按照词元的数量进行，一个词元可能是一个字，也可能是几个字组成的词语。请在调用之前先计算长度。"
    * 6
)
RUSSIAN = "Стоимость запроса зависит от числа токенов, а токен обычно составляет часть слова. " * 6
CODE = (
    "def count(text: str, *, limit: int | None = None) -> int:\n"
    "    if limit is not None and limit < 0:\n"
    '        raise ValueError(f"a limit is at least 0, not {limit}")\n'
    "    return len(encode(text))\n\n\n"
) * 5

# Counted once by tiktoken 0.14 with the published files, which do not ship (sha256 of cl100k_base:
# 223921b7..., of o200k_base: 446a9538..., of Llama 3's tokenizer.model: 82e9d319...).
COUNTED = {
    ("llama3", ENGLISH): 178,
    ("llama3", CHINESE): 204,
    ("llama3", RUSSIAN): 133,
    ("llama3", CODE): 265,
    ("cl100k", ENGLISH): 178,
    ("cl100k", CHINESE): 276,
    ("cl100k", RUSSIAN): 211,
    ("cl100k", CODE): 265,
    ("o200k", ENGLISH): 178,
    ("o200k", CHINESE): 198,
    ("o200k", RUSSIAN): 114,
    ("o200k", CODE): 270,
}


@pytest.mark.parametrize(
    ("name", "text", "tokens"), [(name, text, tokens) for (name, text), tokens in COUNTED.items()]
)
def test_the_middle_is_as_near_as_it_says(name: str, text: str, tokens: int) -> None:
    """Within twice the worst error stated: a repeated sentence strays further than pages do."""
    kind = {ENGLISH: "en_prose", CHINESE: "zh", RUSSIAN: "ru", CODE: "code_py"}[text]
    worst = fitted()[name].errors[kind]["worst"]
    assert abs(middle(name, QWEN.count)(text) / tokens - 1) <= 2 * worst
    bounds = Bounds(name, byte_level_as_is, middle(name, QWEN.count)).measure(text)
    assert bounds.low <= tokens <= bounds.high


@given(texts)
def test_the_middle_lies_between_the_bounds_whatever_the_text(text: str) -> None:
    for name in ("llama3", "cl100k", "o200k", "yi"):
        found = Bounds(name, byte_level_as_is, middle(name, QWEN.count)).measure(text)
        assert found.low <= found.value <= found.high
        assert found.exact == (text == "" or found.high == 1)


@given(texts)
def test_shares_add_up_to_one(text: str) -> None:
    made = shares(text)
    assert set(made) <= set(SCRIPTS)
    assert sum(made.values()) == pytest.approx(1)


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ("Hello", "latin"),
        ("Größe", "latin"),
        ("通义千问", "han"),
        ("ひらがなカタカナ", "kana"),
        ("한국어", "hangul"),
        ("Привет", "cyrillic"),
        ("שלום", "other"),
        ("2024", "digits"),
        ("=>{}();", "signs"),
        ("", "latin"),
    ],
)
def test_a_text_of_one_script_is_that_script(text: str, script: str) -> None:
    assert shares(f"{text} \n{text}") == {script: 1.0}


def test_a_long_text_is_judged_by_samples_of_all_of_it() -> None:
    made = shares("a" * 50_000 + "字" * 50_000)
    assert made["latin"] == pytest.approx(made["han"], abs=0.01)


def test_what_was_not_fitted_has_qwens_count_for_its_middle() -> None:
    assert middle("yi", QWEN.count)(CHINESE) == QWEN.count(CHINESE)


def test_every_fit_states_its_vocabulary_factors_and_errors() -> None:
    assert set(fitted()) == {"llama3", "cl100k", "o200k", "qwen3.5"}
    for fit in fitted().values():
        assert fit.vocabulary
        assert set(fit.factors) == set(SCRIPTS)
        assert {"en_prose", "zh", "code_py", "logs"} <= set(fit.errors)
        for errors in fit.errors.values():
            assert 0 <= errors["mean"] <= errors["p95"] <= errors["worst"] < 0.5
            assert errors["bound"] > 1

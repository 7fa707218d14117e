"""A small application of the public names, as a type checker sees it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("mypy")

APPLICATION = """
from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date
from decimal import Decimal

import tokenfare as tf
from tokenfare.errors import CannotTrim, CeilingReached, CharacterTooLong, FareOverCeiling


def preflight(text: str, model: str) -> bool:
    fit = tf.fits(text, model=model, max_output_tokens=2000)
    return bool(fit)


def cheapest(text: str, day: date) -> tuple[str, Decimal]:
    try:
        decision = tf.route(text, max_output_tokens=1000, allow=["qwen-*"], as_of=day)
    except tf.NoModelFits as error:
        nearest = error.decision.rejected[0]
        raise SystemExit(nearest.detail) from error
    return decision.model.id, decision.fare.high.amount


def pieces(text: str) -> list[tuple[int, int]]:
    try:
        return [(s.start, s.end) for s in tf.get_tokenizer("qwen").spans(text, 512, overlap=50)]
    except CharacterTooLong as error:
        return [(error.position, error.tokens)]


def shorter(chat: list[dict[str, str]]) -> list[int]:
    try:
        return [dropped.index for dropped in tf.trim(chat, 8000).dropped]
    except CannotTrim as error:
        return [error.limit]


def ask(client: tf.Client, question: str) -> str:
    try:
        reply = client.chat(question, max_output_tokens=100)
    except CeilingReached as error:
        return f"{error.ceiling.per} {error.resets_at:%H:%M}"
    except FareOverCeiling as error:
        return str(error.high.amount)
    return f"{reply.text} {reply.usage.input_tokens} {reply.fare}"


async def told(client: tf.AsyncClient) -> AsyncIterator[str]:
    async for piece in client.stream([{"role": "user", "content": "Tell me more"}]):
        yield piece.text
"""


def checked(folder: Path, program: str) -> str:
    path = folder / "application.py"
    path.write_text(program, encoding="utf-8")
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", f"--cache-dir={folder}"]
    done = subprocess.run([*command, str(path)], capture_output=True, text=True, check=False)
    return done.stdout


def test_it_passes_strict_checks_and_a_mistake_in_it_does_not(tmp_path: Path) -> None:
    assert "Success" in checked(tmp_path, APPLICATION)
    mistaken = APPLICATION.replace("decision.model.id,", "decision.model.name,")
    assert 'has no attribute "name"' in checked(tmp_path, mistaken)

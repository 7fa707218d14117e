"""Small things, timed by pytest-benchmark: `pytest benchmarks`. Not part of `make test`."""

from __future__ import annotations

from datetime import date

import pytest

import tokenfare
from tokenfare.tokenizers import get_tokenizer

DAY = date(2026, 11, 1)


@pytest.fixture(scope="module")
def qwen():
    return get_tokenizer("qwen")


def test_count_16_bytes(benchmark, qwen):
    assert benchmark(qwen.count, "sixteen bytes 16") == 6


def test_count_up_to_ten_of_a_megabyte(benchmark, qwen):
    assert benchmark(qwen.count_up_to, "some words " * 100_000, 10) is None


def test_count_a_batch_of_a_thousand_lines(benchmark, qwen):
    assert benchmark(qwen.count_batch, ["some words"] * 1000) == [2] * 1000


def test_encode_16_bytes(benchmark, qwen):
    assert len(benchmark(qwen.encode, "sixteen bytes 16")) == 6


def test_decode_six_ids(benchmark, qwen):
    assert benchmark(qwen.decode, qwen.encode("sixteen bytes 16")) == "sixteen bytes 16"


def test_count_for_a_model(benchmark):
    assert int(benchmark(tokenfare.count, "Hello, world", model="qwen-plus")) == 3


def test_fits(benchmark):
    assert benchmark(tokenfare.fits, "Hello, world", model="qwen-max")


def test_route(benchmark):
    decision = benchmark(tokenfare.route, "Hello, world", max_output_tokens=1000, as_of=DAY)
    assert decision.model.id

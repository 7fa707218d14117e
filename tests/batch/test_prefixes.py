"""What requests begin with alike, against every pair of requests compared letter by letter."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

import tokenfare as tf
from batch_plans import DAY, hello
from tokenfare.batch.prefixes.digests import DISTANCES, Digester, place_of
from tokenfare.batch.prefixes.finder import Prefixes
from tokenfare.batch.prefixes.savings import Prefix
from tokenfare.cli.main import tokenfare
from tokenfare.tokenizers import Count

CATALOG = tf.Catalog.load(day=DAY)
PLUS = CATALOG.get("qwen-plus")
SERVICE = CATALOG.provider("dashscope").batch
SIZE = Count.exactly(100)
Chat = Sequence[dict[str, Any]]


def chat(*texts: str) -> list[dict[str, Any]]:
    """A system message and what follows it, by turns."""
    roles = ["system", "user", "assistant", "user"]
    return [{"role": role, "content": text} for role, text in zip(roles, texts, strict=False)]


def prefixes_of(messages: Chat) -> list[str]:
    """Every prefix of a request that ends where a digest may be, written out."""
    found, before = [], ""
    for message in messages:
        text = message["content"]
        start = before + message["role"] + ":"
        inside = [256, 512, 1024, 1536, 2048, 3072, 4096, 5120, 6144, 7168, 8192, 10240]
        found += [start + text[:end] for end in inside if end < len(text)]
        before = start + text + "|"
        found.append(before)
    return found


def longest_shared(job: Sequence[Chat]) -> list[str | None]:
    """Of each request, the longest prefix that it shares with any one before it."""
    known: list[list[str]] = []
    deepest: list[str | None] = []
    for messages in job:
        own = prefixes_of(messages)
        shared = [b for b in own if any(b in earlier for earlier in known)]
        deepest.append(max(shared, key=len, default=None))
        known.append(own)
    return deepest


def seen(job: Sequence[Chat], capacity: int = 10**6) -> Prefixes:
    prefixes = Prefixes(capacity)
    for line, messages in enumerate(job):
        prefixes.see(PLUS, SERVICE, messages, SIZE, ("job", line))
    return prefixes


def said_by(prefix: Prefix, job: Sequence[Chat]) -> str:
    """The text that a prefix stands for, out of the request that it names."""
    messages = job[prefix.line]
    whole = "".join(f"{m['role']}:{m['content']}|" for m in messages[: prefix.messages])
    if not prefix.characters:
        return whole
    cut = messages[prefix.messages]
    return f"{whole}{cut['role']}:{cut['content'][: prefix.characters]}"


blocks = st.sampled_from(["a" * 256, "b" * 256, "c" * 700, "é" * 300, "x", "yy", "你好" * 130, ""])
texts = st.lists(blocks, max_size=4).map("".join)
jobs = st.lists(st.lists(texts, min_size=1, max_size=3).map(lambda t: chat(*t)), max_size=12)


@given(jobs)
def test_what_is_found_is_what_comparing_every_pair_finds(job: list[Chat]) -> None:
    deepest = Counter(filter(None, longest_shared(job)))
    having = Counter(b for messages in job for b in prefixes_of(messages))
    first = {b: i for i in reversed(range(len(job))) for b in prefixes_of(job[i])}
    shared = seen(job).found("CNY")
    found = {said_by(each, job): (each.requests, each.line) for each in shared.prefixes}
    assert found == {b: (having[b], first[b]) for b in deepest}
    assert sum(each.alike for each in shared.repeats) == deepest.total()
    assert shared.missed == 0


@given(jobs, st.integers(10, 60))
def test_with_little_memory_what_is_said_is_a_lower_bound(job: list[Chat], capacity: int) -> None:
    having = Counter(b for messages in job for b in prefixes_of(messages))
    truth = seen(job).found("CNY")
    shared = seen(job, capacity).found("CNY")
    found = {said_by(each, job): each.requests for each in shared.prefixes}
    assert all(number <= having[b] for b, number in found.items())
    for b, number in having.items():
        if number - shared.missed >= 2:  # it, or what is longer and as frequent, is named
            assert any(f.startswith(b) and n >= number - shared.missed for f, n in found.items())
    for less, all_of_it in zip(shared.repeats, truth.repeats, strict=False):
        assert less.alike <= all_of_it.alike
        assert less.low_tokens <= all_of_it.low_tokens


def test_memory_is_bounded_however_many_requests_there_are() -> None:
    prefixes = Prefixes(capacity=1_000)
    for i in range(5_000):
        same = f"document {i % 3} " * 100 if i % 2 else f"{i} is unlike all others"
        prefixes.see(PLUS, SERVICE, chat("Answer.", same), SIZE, ("job", i))
    assert prefixes.nodes <= 1_000 // 5
    shared = prefixes.found("CNY")
    assert {each.line for each in shared.prefixes} >= {0, 1, 3, 5}  # "Answer.", three documents
    assert shared.missed > 0
    (repeat,) = shared.repeats
    assert repeat.alike == 4_999  # each but the first begins with "Answer."


@given(texts, texts)
def test_a_digest_stands_where_its_index_says(first: str, second: str) -> None:
    messages = chat(first, second)
    places = [place_of(messages, index) for index in range(len(Digester().of(messages)))]
    at = [
        "".join(f"{m['role']}:{m['content']}|" for m in messages[:whole])
        + (f"{messages[whole]['role']}:{messages[whole]['content'][:inside]}" if inside else "")
        for whole, inside in places
    ]
    assert at == prefixes_of(messages)


def test_digests_are_no_further_apart_than_is_documented() -> None:
    gaps = list(pairwise(DISTANCES))
    assert all(b - a <= a for a, b in gaps)
    assert all(2 * (b - a) <= a for a, b in gaps if a >= 1_024)
    assert all(4 * (b - a) <= a for a, b in gaps if a >= 4_096)


def test_requests_that_only_seem_alike_share_nothing() -> None:
    tool = {"type": "function", "function": {"name": "look", "parameters": {}}}
    with_tool = tf.budget.Options(tools=(tool,))
    same = chat("Be brief.", "Why?")
    digests_of = Digester().of
    assert digests_of(same)[0] != digests_of(same, with_tool)[0]
    assert digests_of(same, with_tool) == digests_of(same, tf.budget.Options(tools=(tool,)))
    assert digests_of([{"role": "user", "content": "a"}]) != digests_of(
        [{"role": "assistant", "content": "a"}]
    )
    assert digests_of(chat("ab", "c"))[1] != digests_of(chat("a", "bc"))[1]


SAVED = [
    # day, batch, requests, words, tokens saved; the prefix has 5 tokens more than its words
    (date(2024, 12, 18), None, 4, 300, 3 * 305 * Decimal("0.6")),  # a hit costs 40 %
    (date(2024, 12, 18), None, 4, 250, Decimal(0)),  # 255 tokens; the cache begins at 256
    (date(2024, 12, 18), False, 4, 300, Decimal(0)),  # no cache in batches
    (date(2024, 12, 18), True, 4, 300, 3 * 305 * Decimal("0.6") / 2),  # half the price, if it had
    (date(2026, 11, 25), None, 2, 2_000, 2_005 * Decimal("0.8")),  # marked: 0.9 - 0.25 is less
    (date(2026, 11, 25), None, 4, 2_000, 2_005 * (3 * Decimal("0.9") - Decimal("0.25"))),
]


@pytest.mark.parametrize(("day", "caches", "requests", "words", "saved"), SAVED)
def test_a_saving_is_arithmetic_on_the_days_prices(
    day: date, caches: bool | None, requests: int, words: int, saved: Decimal
) -> None:
    catalog = tf.Catalog.load(day=day)
    model, service = catalog.get("qwen-plus"), catalog.provider("dashscope").batch
    assert service is not None
    assert model.price is not None
    prefixes = Prefixes()
    for i in range(requests):
        messages = chat(hello(words), f"question {i}")
        in_service = None if caches is None else replace(service, caches=caches)
        prefixes.see(model, in_service, messages, Count.exactly(2_100), ("job", i))
    shared = prefixes.found("CNY")
    (prefix,) = shared.prefixes
    assert prefix.tokens == Count.exactly(words + 5)
    assert (prefix.requests, prefix.messages, prefix.line) == (requests, 1, 0)
    price = model.price.tier(2_100).input / model.price.per
    assert prefix.saving.high.amount == saved * price
    assert prefix.saving.low.amount == 0
    assert bool(prefix.reason) == (saved == 0)
    (repeat,) = shared.repeats
    assert repeat.saving == prefix.saving
    assert repeat.high_tokens == (requests - 1) * (words + 5)


REASONS = [
    ("qwen-plus", False, 300, "the batch service has no cache"),
    ("qwen-plus", None, 300, "whether the batch service has a cache is not stated"),
    ("qwen-plus", True, 100, "shorter than the 256 tokens that its cache takes"),
    ("qwen-max", True, 300, "no cache is known of qwen-max"),  # in December 2024
]


@pytest.mark.parametrize(("name", "caches", "words", "reason"), REASONS)
def test_a_saving_of_nothing_says_why(
    name: str, caches: bool | None, words: int, reason: str
) -> None:
    assert SERVICE is not None
    prefixes = Prefixes()
    for i in range(3):
        messages = chat(hello(words), f"question {i}")
        service = replace(SERVICE, caches=caches)
        prefixes.see(CATALOG.get(name), service, messages, SIZE, ("job", i))
    (prefix,) = prefixes.found("CNY").prefixes
    assert prefix.reason == reason


def test_a_plan_names_what_its_requests_begin_with(tmp_path: Path) -> None:
    """Three share a system message of 305 tokens; two of them go on alike for 512 characters."""
    long = "so it is said here, and so it is. " * 16
    job = [chat(hello(300), f"{long}{tail}") for tail in ("One?", "Two?")]
    job += [chat(hello(300), "Three?"), chat("Alone.", "Four?")]
    file = tmp_path / "job.jsonl"
    file.write_text("".join(json.dumps({"messages": m}) + "\n" for m in job))
    plan = tf.batch.plan(file, tmp_path / "out", as_of=DAY, allow=["qwen-plus"])

    by_messages = {(each.messages, each.characters): each for each in plan.prefixes}
    assert set(by_messages) == {(1, 0), (1, 512)}
    whole, cut = by_messages[1, 0], by_messages[1, 512]
    assert (whole.requests, whole.tokens, whole.line) == (3, Count.exactly(305), 1)
    assert (cut.requests, cut.line) == (2, 1)
    assert cut.tokens.low <= 305 + tf.count(long[:512]).value <= cut.tokens.high
    said = json.loads((tmp_path / "out" / "plan.json").read_bytes())["shared"]
    assert [each["requests"] for each in said["prefixes"]] == [3, 2]
    assert said["prefixes"][0]["first"] == {"file": str(file), "line": 1}
    assert f"3 requests on qwen-plus begin with the same 305 tokens ({file}:1)" in plan.explain()
    assert "the batch service has no cache" in plan.explain()
    assert hello(20) not in plan.explain()


def test_a_plan_may_go_without(tmp_path: Path) -> None:
    file = tmp_path / "job.jsonl"
    file.write_text(2 * (json.dumps({"messages": chat(hello(300), "x")}) + "\n"))
    ran = CliRunner().invoke(
        tokenfare,
        ["batch", "plan", str(file), "--out", str(tmp_path / "out"), "--no-prefixes", "--json"],
    )
    assert json.loads(ran.stdout)["shared"]["prefixes"] == []


@settings(deadline=None, max_examples=20)
@given(st.lists(st.sampled_from(range(6)), max_size=30))
def test_a_text_that_is_not_held_any_more_has_been_counted(order: list[int]) -> None:
    """More text than is kept at once: what a beginning counts does not depend on when."""
    documents = [f"document {i} " * 90_000 for i in range(6)]  # a million characters each
    job = [chat(documents[i], f"{n}?") for n, i in enumerate(order)]
    shared = seen(job).found("CNY")
    twice = {i for i in order if order.count(i) > 1}
    assert {each.tokens.value for each in shared.prefixes} == {
        tf.count(documents[i]).value + 5 for i in twice
    }

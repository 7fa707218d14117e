"""Encoding and decoding beside tiktoken, and two threads beside one; run by `compare.py`.

Best of several rounds on technical English: wall time for threads, CPU time for the rest. Each
thing is measured on a text of its own that it sees once a round.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import tiktoken

from tokenfare.tokenizers import get_tokenizer
from tokenfare.tokenizers.ranks import QWEN_PATTERN, qwen_ranks

ROUNDS = 7
TURNS = 25
COPIES = 4
"""Of the text, as a longer one: starting a thread takes as long whatever it does."""


def best(clock: Callable[[], float], work: Callable[[object], object], given: object) -> float:
    taken = []
    for _ in range(ROUNDS):
        begun = clock()
        result = work(given)
        taken.append(clock() - begun)
        del result
    return min(taken)


def codes(text: str) -> dict[str, dict[str, float]]:
    """MB/s of ours and of tiktoken, by what is done."""
    ours = get_tokenizer("qwen")
    theirs = tiktoken.Encoding(
        "qwen", pat_str=QWEN_PATTERN, mergeable_ranks=qwen_ranks(), special_tokens={}
    )
    ids = ours.encode(text)
    assert ids == theirs.encode_ordinary(text)
    array = np.array(ids, dtype=np.uint32)
    size = len(text.encode()) / 1e6
    rows = {
        "encode into a list": (ours.encode, theirs.encode_ordinary, text),
        "encode into an array": (ours.encode_to_numpy, theirs.encode_to_numpy, text),
        "decode a list": (ours.decode, theirs.decode, ids),
        "decode an array": (ours.decode, theirs.decode, array),
    }
    result = {}
    for name, (our, their, given) in rows.items():
        rates = [size / best(time.process_time, work, given) for work in (our, their)]
        result[name] = {
            "tokenfare": round(rates[0], 1),
            "tiktoken": round(rates[1], 1),
            "ratio": round(rates[0] / rates[1], 2),
        }
    return result


def threads(text: str) -> dict[str, float]:
    """How many times as fast two threads are as one."""
    ours = get_tokenizer("qwen")
    rows = {}
    for copies in (1, COPIES):
        whole = text * copies
        batch = [whole[i : i + 2000] for i in range(0, len(whole), 2000)]
        size = f"{round(len(whole) / 1e6)} MB"
        rows[f"one text of {size}"] = times_as_fast(
            lambda text: ours.count(text, threads=2), ours.count, whole
        )
        rows[f"a batch of {size}"] = times_as_fast(
            ours.count_batch, lambda batch: [ours.count(part) for part in batch], batch
        )
    return rows | {"two processes": processes(text)}


def processes(text: str) -> float:
    """How many times as much two processes count as one alone: what the machine has for two.

    They share nothing of ours, but perhaps a core of the machine.
    """
    with ProcessPoolExecutor(1) as one, ProcessPoolExecutor(1) as other:
        gains = []
        for _ in range(TURNS):
            alone = one.submit(_seconds, text).result()
            both = [pool.submit(_seconds, text) for pool in (one, other)]
            gains.append(sum(alone / each.result() for each in both))
    return round(statistics.median(gains), 2)


def _seconds(text: str) -> float:
    return best(time.perf_counter, get_tokenizer("qwen").count, text)


def times_as_fast(
    work: Callable[[object], object], plain: Callable[[object], object], given: object
) -> float:
    """The wall time of `plain` over that of `work`, the median of many turns.

    In each turn both have some rounds, since a machine that others use lends its second core only
    now and then, and changes its speed from second to second.
    """
    ratios = (
        best(time.perf_counter, plain, given) / best(time.perf_counter, work, given)
        for _ in range(TURNS)
    )
    return round(statistics.median(ratios), 2)


if __name__ == "__main__":
    english = Path(sys.argv[1]).read_text(encoding="utf-8")
    print(json.dumps({"codes": codes(english[:1_000_000]), "threads": threads(english)}))

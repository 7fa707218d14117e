"""How long counting chat requests takes, beside rendering the template and calling tiktoken.

    python benchmarks/requests/compare.py [--chats 10000] [--json FILE]

Every contestant counts the same chats by Qwen2.5's published template, and has to give the same
numbers before it is timed. Needs the extras for tests (jinja2, tiktoken, transformers).

`template + tiktoken` renders with transformers' own engine for chat templates and encodes with
control tokens recognised, as serving software does; `by hand + tiktoken` writes the same text with
an f-string, which only somebody with one template and no tools can do.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import tiktoken

import tokenfare as tf
from tokenfare.tokenizers import SPECIAL_TOKENS
from tokenfare.tokenizers.ranks import QWEN_PATTERN, qwen_ranks

TEMPLATE = Path(__file__).parents[2] / "tests" / "budget" / "templates" / "qwen2.5.jinja"
WORDS = [
    *("the", "model", "counts", "tokens", "before", "it", "is", "asked", "what", "does", "this"),
    *("cost", "in", "2024", "you", "said", "def f(x):", "return", "x + 1", "\n", "...", "42"),
    *("通义千问", "具有", "强大的", "能力。"),
]
DEFAULT = "You are Qwen, created by Alibaba Cloud. You are a helpful assistant."

Chat = list[dict[str, str]]


def chats(number: int, seed: int = 7) -> list[Chat]:
    """Small chats of two to four messages, no two alike."""
    chosen = random.Random(seed)  # noqa: S311 - chats to count, not secrets

    def text(longest: int) -> str:
        return " ".join(chosen.choices(WORDS, k=chosen.randint(5, longest)))

    made: list[Chat] = []
    for _ in range(number):
        chat = [{"role": "system", "content": text(12)}, {"role": "user", "content": text(25)}]
        if chosen.random() < 0.5:
            chat += [{"role": "assistant", "content": text(25)}]
            chat += [{"role": "user", "content": text(12)}]
        made.append(chat if chosen.random() < 0.7 else chat[1:])
    return made


def with_template() -> Callable[[list[Chat]], list[int]]:
    from transformers.utils.chat_template_utils import render_jinja_template

    template, encoding = TEMPLATE.read_text(encoding="utf-8"), _tiktoken()

    def count(given: list[Chat]) -> list[int]:
        found = []
        for chat in given:
            (text,), _ = render_jinja_template(
                [chat], chat_template=template, add_generation_prompt=True
            )
            found.append(len(encoding.encode(text, allowed_special="all")))
        return found

    return count


def by_hand() -> Callable[[list[Chat]], list[int]]:
    encoding = _tiktoken()

    def count(given: list[Chat]) -> list[int]:
        found = []
        for chat in given:
            all_of_it = chat
            if chat[0]["role"] != "system":
                all_of_it = [{"role": "system", "content": DEFAULT}, *chat]
            text = "".join(
                f"<|im_start|>{message['role']}\n{message['content']}<|im_end|>\n"
                for message in all_of_it
            )
            text += "<|im_start|>assistant\n"
            found.append(len(encoding.encode(text, allowed_special="all")))
        return found

    return count


def one_by_one(given: list[Chat]) -> list[int]:
    return [int(tf.count_messages(chat, template="qwen2.5").total) for chat in given]


def together(given: list[Chat]) -> list[int]:
    return [int(count) for count in tf.count_chats(given, template="qwen2.5")]


def growing(messages: int, repeats: int) -> dict[str, float]:
    """Microseconds for one more message in a conversation, and for counting that message alone."""
    chat = [m for chat in chats(messages) for m in chat][:messages]
    last = {"role": "user", "content": " ".join(WORDS * 8)}
    times: dict[str, list[float]] = {"add": [], "alone": [], "whole": []}
    for _ in range(repeats):
        conversation = tf.conversation(model="qwen-plus")
        for message in chat:
            conversation.add(message)
        alone = tf.conversation(model="qwen-plus")
        times["add"].append(_seconds(lambda c=conversation: c.add(last)))
        times["alone"].append(_seconds(lambda c=alone: c.add(last)))
        times["whole"].append(_seconds(lambda: tf.count_messages([*chat, last], model="qwen-plus")))
    return {name: 1e6 * statistics.median(each) for name, each in times.items()}


def _tiktoken() -> tiktoken.Encoding:
    return tiktoken.Encoding(
        "qwen2.5",
        pat_str=QWEN_PATTERN,
        mergeable_ranks=qwen_ranks(),
        special_tokens=dict(SPECIAL_TOKENS["qwen2.5"]),
    )


def _seconds(run: Callable[[], Any]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--chats", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    given = chats(asked.chats)
    contestants = {
        "template + tiktoken": with_template(),
        "by hand + tiktoken": by_hand(),
        "tokenfare.count_messages": one_by_one,
        "tokenfare.count_chats": together,
    }
    right = contestants["template + tiktoken"](given)
    for name, count in contestants.items():
        if count(given) != right:
            sys.exit(f"{name} counts differently")
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(asked.rounds):
        for name, count in contestants.items():
            seconds[name].append(_seconds(lambda count=count: count(given)))
    medians = {name: statistics.median(each) for name, each in seconds.items()}
    slowest = medians["template + tiktoken"]
    print(f"{len(given):,} chats, {sum(right):,} tokens, equal counts; {os.cpu_count()} cores")
    for name, median in medians.items():
        each = 1e6 * median / len(given)
        print(f"{name:28} {each:8.1f} us a chat   {slowest / median:6.1f} x")
    more = growing(50, 25)
    print(
        f"one more message after 50: {more['add']:.0f} us; that message alone: "
        f"{more['alone']:.0f} us; all 51 again: {more['whole']:.0f} us"
    )
    if asked.json:
        asked.json.write_text(json.dumps({"seconds": medians, "growing_us": more}, indent=1))


if __name__ == "__main__":
    main()

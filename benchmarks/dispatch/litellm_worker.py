"""LiteLLM's side of `overhead.py`, in an environment of its own: bodies in, times out."""

from __future__ import annotations

import json
import os
import sys
import time

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # else it is fetched at import

import litellm
from litellm import completion

litellm.telemetry = False


def main() -> None:
    url, model, key = sys.argv[1:]
    print(json.dumps("ready"), flush=True)
    for line in sys.stdin:
        told: dict[str, list[object]] = {"wall": [], "cpu": [], "texts": []}
        for body in json.loads(line):
            cpu, wall = time.process_time(), time.perf_counter()
            answer = completion(**body | {"model": f"dashscope/{model}"}, api_base=url, api_key=key)
            told["wall"].append(time.perf_counter() - wall)
            told["cpu"].append(time.process_time() - cpu)
            told["texts"].append(answer.choices[0].message.content)
        print(json.dumps(told), flush=True)


main()

"""Runs in an environment with LiteLLM: which deployment its router selects, and how long it takes.

Models and prompts come as JSON on standard input, the answer goes as JSON to standard output. Only
the selection is timed: nothing is sent.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import sys
import time
from importlib.metadata import version

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # else it is fetched at import

from litellm import Router

ROUNDS = 15


def router(deployments: list[dict], *, checks: bool) -> Router:
    return Router(
        model_list=[
            {
                "model_name": "any",
                "model_info": {
                    "id": each["id"],
                    "max_input_tokens": each["max_input"],
                    "max_output_tokens": each["max_output"],
                },
                "litellm_params": {
                    "model": f"openai/{each['id']}",
                    "api_key": "none",
                    "api_base": "http://127.0.0.1:9/v1",
                    "input_cost_per_token": float(each["input"]),
                    "output_cost_per_token": float(each["output"]),
                },
            }
            for each in deployments
        ],
        routing_strategy="cost-based-routing",
        enable_pre_call_checks=checks,
        num_retries=0,
    )


async def select(of: Router, prompt: str, max_tokens: int) -> tuple[float, str]:
    messages = [{"role": "user", "content": prompt}]
    samples = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        found = await of.async_get_available_deployment(
            model="any", messages=messages, request_kwargs={"max_tokens": max_tokens}
        )
        samples.append(time.perf_counter() - start)
    return statistics.median(samples), found["model_info"]["id"]


async def main() -> None:
    asked = json.load(sys.stdin)
    plain = router(asked["deployments"], checks=False)
    checked = router(asked["deployments"], checks=True)
    rows = []
    for prompt in asked["prompts"]:
        seconds, _ = await select(plain, prompt, asked["max_tokens"])
        checked_seconds, model = await select(checked, prompt, asked["max_tokens"])
        rows.append({"seconds": seconds, "checked_seconds": checked_seconds, "model": model})
    print(json.dumps({"version": version("litellm"), "rows": rows}))


if __name__ == "__main__":
    asyncio.run(main())

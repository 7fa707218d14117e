"""A job from a file to its bill in Python, against the provider's emulator: no key, no network.

    python examples/make_requests.py requests.jsonl
    python examples/batch_job.py requests.jsonl

For the real service leave `base_url` and `api_key` out: the key is read from DASHSCOPE_API_KEY.
"""

import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import tokenfare as tf
from tokenfare.testing import emulated


def main(requests: str) -> None:
    """Plan, submit, wait, collect, and hold the bill against what was predicted."""
    today = datetime.now(UTC).date()
    with emulated(as_of=today) as emulator, tempfile.TemporaryDirectory() as folder:
        plan = tf.batch.plan(requests, Path(folder) / "plan", ceiling="5 CNY")
        print(plan.explain())

        url = emulator.base_url
        tf.batch.submit(plan.folder, base_url=url, api_key="any", ledger=False)
        tf.batch.wait(plan.folder, sleep=_at_once, base_url=url, api_key="any", ledger=False)
        found = tf.batch.collect(plan.folder, base_url=url, api_key="any", ledger=False)

        for (model, _), bill in found.bills.items():
            print(f"{model}: {bill.usage.input_tokens:,} input tokens billed,", end=" ")
            print(
                f"{bill.expected.input_low:,} to {bill.expected.input_high:,} predicted,", end=" "
            )
            print(f"{bill.fare} to pay")


def _at_once(_: float) -> None:
    """Wait for nothing: the emulator has answered when it is asked again."""


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])

"""An application that lets the model be chosen.

    pip install 'tokenfare[emulator]'
    python examples/ask.py "Is it raining in Hangzhou?"
    DASHSCOPE_API_KEY=sk-… python examples/ask.py "Is it raining in Hangzhou?"

The answer is streamed; afterwards stands what it cost beside what was predicted before it was sent.
Without a key, the emulator answers.
"""

import os
import sys
from contextlib import ExitStack

import tokenfare as tf
from tokenfare.testing import emulated


def main(question: str) -> None:
    """Ask the cheapest model that certainly takes the question."""
    with ExitStack() as stack:
        options = {}
        if not os.environ.get("DASHSCOPE_API_KEY"):
            emulator = stack.enter_context(emulated())
            options = {"base_url": emulator.base_url, "api_key": "any", "ledger": False}
        client = stack.enter_context(tf.Client(**options))
        stream = stack.enter_context(
            client.streaming(question, max_output_tokens=300, max_fare="0.05 CNY")
        )
        for piece in stream:
            print(piece.text, end="", flush=True)
    reply = stream.reply
    print(f"\n\n{reply.model}: {reply.fare}; up to {reply.decision.fare.high} was predicted")
    print(f"{reply.usage.input_tokens} tokens read, {reply.predicted.total.value} predicted")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])

"""An agent in a loop that may not spend more than it was given.

    pip install 'tokenfare[emulator]'
    python examples/agent.py '0.01 CNY'

Each turn the model asks for a tool and reads the result, so that each turn is dearer than the one
before. Three things hold it: a ceiling that no call can go over, a conversation that is trimmed to
a number of tokens with every result beside its call, and a number of turns. The model here is a
script behind the emulator, which would go on for ever.
"""

import sys
import tempfile
from pathlib import Path

import tokenfare as tf
from tokenfare.emulator import AcceptedRequest, Reply
from tokenfare.errors import CeilingReached
from tokenfare.testing import emulated

TURNS, CONVERSATION, ROOM = 50, 1_500, 200
TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "look_up",
            "description": "Read the next page.",
            "parameters": {"type": "object", "properties": {"page": {"type": "integer"}}},
        },
    }
]


def curious(request: AcceptedRequest) -> Reply:
    """A model that wants one page more, whatever it has read."""
    page = sum(message.role == "tool" for message in request.messages) + 1
    call = {"name": "look_up", "arguments": f'{{"page": {page}}}'}
    return Reply("", [{"id": f"call_{page}", "type": "function", "function": call}])


def look_up(arguments: str) -> str:
    """What the tool gives back."""
    return f"Page for {arguments}: " + "nothing of interest. " * 40


def work(client: tf.Client) -> str:
    """Ask until there is an answer, the turns are used up, or the money is."""
    messages = [{"role": "user", "content": "Find the page with the treasure."}]
    for turn in range(1, TURNS + 1):
        kept = tf.trim(messages, CONVERSATION, model="qwen-plus", tools=TOOLS)
        try:
            reply = client.chat(
                list(kept.messages), tools=TOOLS, allow=["qwen-plus"], max_output_tokens=ROOM
            )
        except CeilingReached as stop:
            return f"stopped before turn {turn}: {stop}"
        print(f"turn {turn}: {reply.usage.input_tokens} tokens read, {reply.fare}")
        said = reply.answer.raw["choices"][0]["message"]
        messages.append(said)
        for call in said.get("tool_calls") or ():
            found = look_up(call["function"]["arguments"])
            messages.append({"role": "tool", "tool_call_id": call["id"], "content": found})
        if not said.get("tool_calls"):
            return reply.text
    return f"no answer in {TURNS} turns"


def main(ceiling: str) -> None:
    """Let the agent work for a day's ceiling, in a ledger of its own."""
    with emulated(replies=curious) as emulator, tempfile.TemporaryDirectory() as folder:
        ledger = Path(folder) / "ledger.sqlite3"
        options = {"base_url": emulator.base_url, "api_key": "any", "ledger": ledger}
        with tf.Client(**options, ceilings=[ceiling]) as client:
            print(work(client))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])

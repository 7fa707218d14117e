"""An application of OpenAI's package, unchanged, behind the gateway.

    pip install openai 'tokenfare[emulator,gateway]'
    python examples/behind_gateway.py

Only the base URL and the word `auto` are tokenfare's. In the field is a gateway of its own process,
`tokenfare serve`; here gateway and provider run in threads of this one.
"""

import openai

import tokenfare as tf
from tokenfare.gateway import Gateway, running
from tokenfare.testing import emulated


def application(base_url: str) -> None:
    """What knows nothing of tokenfare."""
    client = openai.OpenAI(base_url=base_url, api_key="none-is-needed", max_retries=0)
    question = [{"role": "user", "content": "Is it raining in Hangzhou?"}]
    answer = client.chat.completions.create(model="auto", messages=question, max_tokens=200)
    print(f"{answer.model}: {answer.choices[0].message.content}")
    print(f"billed {answer.tokenfare['billed']['amount']} CNY")  # the bill stands beside `usage`
    try:
        client.chat.completions.create(model="auto", messages=question, max_tokens=10_000_000)
    except openai.BadRequestError as error:
        print(f"refused: {error.body['message'].partition(';')[0]}")


def main() -> None:
    """Start the provider's stand-in, the gateway before it, and the application."""
    with emulated() as emulator:
        client = tf.AsyncClient(base_url=emulator.base_url, api_key="any", ledger=False)
        with running(Gateway(client)) as base_url:
            application(base_url)


if __name__ == "__main__":
    main()

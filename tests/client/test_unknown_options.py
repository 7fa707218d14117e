"""An option that a client does not have leads to what to write instead, and that works."""

from typing import Any

import httpx
import pytest

import tokenfare as tf

HERE: dict[str, Any] = {"api_key": "any", "base_url": "http://127.0.0.1:1/v1", "ledger": False}


@pytest.mark.parametrize("client", [tf.Client, tf.AsyncClient])
@pytest.mark.parametrize(
    ("option", "way"),
    [
        ("timeout", r"timeouts=tokenfare\.Timeouts\(total=…\)"),
        ("max_retries", r"retry_policy=tokenfare\.RetryPolicy\(attempts=…\)"),
        ("model", r"allow=\['qwen-plus'\]"),
        ("max_output_tokens", "asked of each call"),
        ("default_headers", r"http_client=httpx\.Client\(headers=…\)"),
        ("ceilngs", "did you mean 'ceilings'"),
        ("colour", "options are capture_content, ceilings, "),
    ],
)
def test_the_error_says_what_to_write(client: Any, option: str, way: str) -> None:
    with pytest.raises(TypeError, match=rf"a client has no option '{option}'; .*{way}"):
        client(**HERE, **{option: 1})


def test_what_it_says_can_be_written() -> None:
    profile = tf.Requirements(allow=("qwen-plus",), max_output_tokens=500)
    given = {
        "timeouts": tf.Timeouts(total=5),
        "retry_policy": tf.RetryPolicy(attempts=1),
        "profile": profile,
    }
    with httpx.Client(headers={"x-who": "me"}) as session:
        client = tf.Client(**HERE, **given, http_client=session)
        assert client.requirements().allow == ("qwen-plus",)
        client.close()

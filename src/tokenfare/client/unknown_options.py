"""Errors for options that a client does not have, with what to write instead."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from .settings import Options

_MEANT = {
    "timeout": "timeouts=tokenfare.Timeouts(total=…) bounds a call",
    "max_retries": "retry_policy=tokenfare.RetryPolicy(attempts=…) bounds them",
    "model": "allow=['qwen-plus'] of a call chooses among models, profile=Requirements(…) for all",
    "max_output_tokens": "it is asked of each call, or profile=Requirements(…) asks it of all",
    "default_headers": "http_client=httpx.Client(headers=…) has them",
    "default_query": "http_client=httpx.Client(params=…) has them",
    "proxy": "http_client=httpx.Client(proxy=…) has it",
}


def refuse_unknown(options: Iterable[str]) -> None:
    """Raise `TypeError` for the first unknown option."""
    known = Options.__annotations__
    for name in options:
        if name in known:
            continue
        near = get_close_matches(name, known, n=1, cutoff=0.75)
        guess = f"did you mean {near[0]!r}?" if near else f"options are {', '.join(sorted(known))}"
        raise TypeError(f"a client has no option {name!r}; {_MEANT.get(name, guess)}")

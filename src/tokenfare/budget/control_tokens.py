"""What in a text looks like a control token of the model, and where.

The provider's interface takes `<|im_end|>` in a user's text for text, or so it should; a model that
takes it for the end of the message can be led astray. It is therefore counted as text unless asked
otherwise, and named.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from tokenfare.messages import Message
from tokenfare.tokenizers import SPECIAL_TOKENS


@dataclass(frozen=True, slots=True)
class ControlToken:
    """A control token spelled out in a message: which, in which message, from which character."""

    token: str
    message: int
    offset: int

    def __str__(self) -> str:
        """One sentence with the place."""
        return (
            f"messages[{self.message}]: {self.token} at character {self.offset:,} "
            "looks like a control token"
        )


@cache
def pattern(generation: str | None) -> re.Pattern[str]:
    """What the control tokens of a generation look like; of all generations for `None`."""
    of = SPECIAL_TOKENS.values() if generation is None else (SPECIAL_TOKENS[generation],)
    names = {name for tokens in of for name in tokens}
    return re.compile("|".join(map(re.escape, sorted(names, key=len, reverse=True))))


def control_tokens(message: Message, index: int, generation: str | None) -> list[ControlToken]:
    """Those in one message, by their place in its text."""
    text = message.text
    if "<" not in text:
        return []
    found = pattern(generation).finditer(text)
    return [ControlToken(one[0], index, one.start()) for one in found]

"""Finds control tokens that are spelled out in a text.

The provider should take `<|im_end|>` in a user's text as text. A model that took it for the end
of the message could be misled. So it is counted as text unless asked otherwise, and a warning names
it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from tokenfare.messages import Message
from tokenfare.tokenizers import SPECIAL_TOKENS


@dataclass(frozen=True, slots=True)
class ControlToken:
    """A control token spelled out in a message: its name, the message's index, its offset."""

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
    """A pattern for the control tokens of a generation; `None` means of all generations."""
    of = SPECIAL_TOKENS.values() if generation is None else (SPECIAL_TOKENS[generation],)
    names = {name for tokens in of for name in tokens}
    return re.compile("|".join(map(re.escape, sorted(names, key=len, reverse=True))))


def control_tokens(message: Message, index: int, generation: str | None) -> list[ControlToken]:
    """The control tokens spelled out in one message, in the order of its text."""
    text = message.text
    if "<" not in text:
        return []
    found = pattern(generation).finditer(text)
    return [ControlToken(one[0], index, one.start()) for one in found]

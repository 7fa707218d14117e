"""The options that `route` and `send` share: what the request is and what is asked of the model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeVar

import click

from tokenfare.budget import DEFAULT_MAX_OUTPUT_TOKENS
from tokenfare.catalog import Access
from tokenfare.messages import Document, Prompt
from tokenfare.money import Money
from tokenfare.router import DEFAULT_ACCESS

from . import inputs

_F = TypeVar("_F", bound=Callable[..., Any])

MODALITIES = frozenset({"text", "image", "audio", "video", "file"})
ACCESS: tuple[Access, ...] = ("paid", "free", "trial", "application")


@dataclass(frozen=True, slots=True)
class Asked:
    """The options as given."""

    file: str | None
    messages: bool
    documents: tuple[str, ...]
    max_output: int
    needs: tuple[str, ...]
    purpose: str | None
    allow: tuple[str, ...]
    deny: tuple[str, ...]
    access: tuple[Access, ...]
    as_of: date | None
    region: str | None
    max_fare: Money | None

    def prompt(self) -> Prompt:
        """The request's text or messages, read now."""
        return inputs.read_prompt(self.file or inputs.STANDARD_INPUT, as_messages=self.messages)

    def attached(self) -> tuple[Document, ...]:
        """The documents, read now; they must be text."""
        return tuple(Document(name, inputs.read(name).text) for name in self.documents)

    def requirements(self) -> dict[str, Any]:
        """As keyword arguments of `tokenfare.route`."""
        return {
            "max_output_tokens": self.max_output,
            "needs": self.needs,
            "purpose": self.purpose,
            "allow": self.allow,
            "deny": self.deny,
            "access": self.access or DEFAULT_ACCESS,
            "as_of": self.as_of,
            "region": self.region,
            "max_fare": self.max_fare,
        }


def options(function: _F) -> _F:
    """Add the shared argument and options to a command."""
    for add in reversed(_OPTIONS):
        function = add(function)
    return function


_OPTIONS: tuple[Callable[[Any], Any], ...] = (
    click.argument("file", required=False, metavar="[FILE]"),
    click.option("--messages", is_flag=True, help="FILE is a JSON array of chat messages."),
    click.option(
        "--document", "documents", multiple=True, metavar="FILE", help="A text to go along; again."
    ),
    click.option(
        "--max-output",
        type=int,
        default=DEFAULT_MAX_OUTPUT_TOKENS,
        show_default=True,
        metavar="N",
        help="Room for the answer, in tokens.",
    ),
    click.option(
        "--needs",
        type=inputs.Words(MODALITIES),
        default=(),
        metavar="M,...",
        help="What the model must take: image, audio, video, file.",
    ),
    click.option("--purpose", metavar="P", help="What the model must be made for: code, math, ..."),
    click.option(
        "--allow", multiple=True, metavar="PAT", help="Only ids like this (qwen-*); again."
    ),
    click.option("--deny", multiple=True, metavar="PAT", help="No ids like this; again."),
    click.option(
        "--access",
        type=click.Choice(ACCESS),
        multiple=True,
        help="Kinds of access to accept (default: paid and free); again.",
    ),
    click.option("--as-of", type=inputs.Day(), metavar="DATE", help="The day (default: today)."),
    click.option("--region", metavar="R", help="Where the model must be served."),
    click.option(
        "--max-fare",
        type=inputs.Amount(),
        metavar="N",
        help="Ceiling on the fare's high end, in CNY or as '0.05 USD'.",
    ),
)

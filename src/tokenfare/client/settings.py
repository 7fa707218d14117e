"""What a client is made of: the catalogue, where calls go, and how patiently.

Built once, at the edge: this is where the environment is read, and nowhere below.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TypedDict

from tokenfare.budget import DEFAULT_MAX_OUTPUT_TOKENS
from tokenfare.catalog import Access, Catalog
from tokenfare.dispatch import (
    FileHandling,
    Line,
    Patience,
    Progress,
    Secret,
    Timeouts,
    endpoint_for,
    key_from,
)
from tokenfare.ledger import Ceiling
from tokenfare.money import Money
from tokenfare.router import DEFAULT_ACCESS, Requirements

from .books import Books, LedgerChoice, books

BASE_URL_VARIABLES = ("TOKENFARE_BASE_URL", "DASHSCOPE_COMPATIBLE_BASE_URL")

_PROVIDER = "dashscope"


class Asked(TypedDict, total=False):
    """What a call may ask of the model; the keywords of `Client.chat` and `tokenfare.route`."""

    max_output_tokens: int
    needs: frozenset[str] | tuple[str, ...] | list[str]
    purpose: str | None
    region: str | None
    allow: tuple[str, ...] | list[str]
    deny: tuple[str, ...] | list[str]
    access: frozenset[Access] | tuple[Access, ...]
    max_fare: Money | None


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything a client needs apart from the HTTP client itself."""

    catalog: Catalog
    line: Line
    files: FileHandling
    escalate: bool = True
    books: Books = field(default_factory=Books)
    extra: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))


def settings(  # noqa: PLR0913 - the arguments of `Client`
    catalog: Catalog,
    *,
    api_key: str | None = None,
    base_url: str | None = None,
    region: str | None = None,
    timeouts: Timeouts | None = None,
    patience: Patience | None = None,
    keep_files: bool = True,
    poll_seconds: float = 5.0,
    progress: Callable[[Progress], None] | None = None,
    escalate: bool = True,
    ledger: LedgerChoice = None,
    ceilings: Sequence[Ceiling | str] | None = None,
    project: str | None = None,
    environment: Mapping[str, str] | None = None,
) -> Settings:
    """Settings from arguments and, for what they leave open, the environment.

    `ledger` is a file or a `Ledger`; `False` is none, and without it TOKENFARE_LEDGER says which,
    or it is the user's own. Raises `MissingKey` if no key is given and the provider's variable is
    not set.
    """
    env = os.environ if environment is None else environment
    provider = catalog.provider(_PROVIDER)
    key = Secret(api_key) if api_key is not None else key_from(env, provider)
    url = base_url or next((env[name] for name in BASE_URL_VARIABLES if env.get(name)), None)
    endpoint = endpoint_for(provider, key, region=region, base_url=url, timeouts=timeouts)
    return Settings(
        catalog,
        Line(endpoint, patience or Patience()),
        FileHandling(keep_files=keep_files, poll_seconds=poll_seconds, progress=progress),
        escalate,
        books(ledger, ceilings, project, endpoint.base_url, env),
    )


def requirements(asked: Asked) -> Requirements:
    """The keywords of a call as the router's value."""
    ceiling = asked.get("max_fare")
    return Requirements(
        max_output_tokens=asked.get("max_output_tokens", DEFAULT_MAX_OUTPUT_TOKENS),
        needs=frozenset({"text"}).union(asked.get("needs", ())),
        purpose=asked.get("purpose"),
        region=asked.get("region"),
        currency=ceiling.currency if ceiling is not None else "CNY",
        allow=tuple(asked.get("allow", ())),
        deny=tuple(asked.get("deny", ())),
        access=frozenset(asked.get("access", DEFAULT_ACCESS)),
        max_fare=ceiling,
    )

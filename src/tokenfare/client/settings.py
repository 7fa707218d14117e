"""What a client is made of: the catalogue, where calls go, and how patiently.

Built once, at the edge: this is where the environment is read, and nowhere below.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from fnmatch import fnmatchcase
from typing import TypedDict

from tokenfare.catalog import Catalog, RateLimits
from tokenfare.dispatch import (
    FileHandling,
    Line,
    Patience,
    Progress,
    Retrying,
    Secret,
    Shelf,
    Timeouts,
    endpoint_for,
    key_from,
)
from tokenfare.errors import InvalidRequestError
from tokenfare.ledger import Ceiling
from tokenfare.router import Requirements
from tokenfare.telemetry import CAPTURE_VARIABLE

from .bookkeeping import Books, LedgerChoice, books
from .learning import Learning
from .pacing import LimiterChoice, Pace, pace
from .uploads import Uploads, UploadsOnDisk, account_of

BASE_URL_VARIABLES = ("TOKENFARE_BASE_URL", "DASHSCOPE_COMPATIBLE_BASE_URL")

DEFAULT_PROVIDER = "dashscope"


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything a client needs apart from the HTTP client itself."""

    learning: Learning
    line: Line
    files: FileHandling
    escalate: bool | Requirements = True
    books: Books = field(default_factory=Books)
    pace: Pace = field(default_factory=Pace)
    capture_content: bool = False
    profile: Requirements | None = None
    escalate_filtered: bool = False
    provider: str = DEFAULT_PROVIDER
    uploads: Uploads = field(default_factory=Uploads)
    region: str | None = None

    def held(self, asked: Requirements) -> Requirements:
        """What is asked, of the models of this provider alone, in the region where it is called.

        The line leads to no other. Raises `InvalidRequestError` where another is asked for.
        """
        return of_provider(in_region(asked, self.region), self.provider)

    def varied(
        self,
        *,
        project: str | None,
        api_key: str | None,
        escalate: bool | Requirements | None,
        retrying: Retrying | None,
    ) -> Settings:
        """The same for other calls. Another key is another account: what is an account's is apart.

        That is its rates and its files; those are deleted after each call, since nobody remembers
        them.
        """
        varied = self
        if project is not None:
            varied = replace(varied, books=replace(self.books, project=project))
        if retrying is not None:
            varied = replace(varied, line=replace(self.line, retrying=retrying))
        if isinstance(escalate, Requirements):
            escalate = self.held(escalate)
        if escalate is not None:
            varied = replace(varied, escalate=escalate)
        if api_key is None:
            return varied
        key = Secret(api_key)
        endpoint = replace(self.line.endpoint, key=key)
        memory = Uploads()
        return replace(
            varied,
            line=replace(varied.line, endpoint=endpoint),
            pace=replace(self.pace, endpoint=f"{self.pace.endpoint} {account_of(endpoint)}"),
            files=replace(self.files, keep_files=False, memory=memory, claims=None, shelf=Shelf()),
            uploads=memory,
        )


def in_region(asked: Requirements, region: str | None) -> Requirements:
    """What is asked, of models that are served in a region, if one is named.

    Raises `InvalidRequestError` if another is asked for.
    """
    if region is None or asked.region == region:
        return asked
    if asked.region is not None:
        raise InvalidRequestError(
            f"this client calls {region}, not {asked.region}: make one with region=…"
        )
    return replace(asked, region=region)


def of_provider(asked: Requirements, provider: str) -> Requirements:
    """What is asked, of the models of one provider alone.

    Raises `InvalidRequestError` if another provider is asked for.
    """
    if asked.providers and not any(fnmatchcase(provider, p) for p in asked.providers):
        wanted = ", ".join(asked.providers)
        raise InvalidRequestError(
            f"this client calls {provider}, not {wanted}: make one with provider=…"
        )
    return replace(asked, providers=(provider,))


class Options(TypedDict, total=False):
    """The keywords of a client beside where it calls and by which facts; see `settings`."""

    provider: str
    region: str | None
    timeouts: Timeouts | None
    patience: Patience | None
    keep_files: bool
    uploads: str | os.PathLike[str] | None
    poll_seconds: float
    progress: Callable[[Progress], None] | None
    retrying: Retrying | None
    escalate: bool
    escalate_filtered: bool
    ledger: LedgerChoice
    ceilings: Sequence[Ceiling | str] | None
    project: str | None
    limiter: LimiterChoice
    rates: Mapping[str, RateLimits] | None
    capture_content: bool | None
    profile: Requirements | None
    today: Callable[[], date] | None
    environment: Mapping[str, str] | None


def settings(  # noqa: PLR0913 - the arguments of `Client`
    catalog: Catalog,
    *,
    provider: str = DEFAULT_PROVIDER,
    api_key: str | None = None,
    base_url: str | None = None,
    region: str | None = None,
    timeouts: Timeouts | None = None,
    patience: Patience | None = None,
    keep_files: bool = True,
    uploads: str | os.PathLike[str] | None = None,
    poll_seconds: float = 5.0,
    progress: Callable[[Progress], None] | None = None,
    retrying: Retrying | None = None,
    escalate: bool = True,
    escalate_filtered: bool = False,
    ledger: LedgerChoice = None,
    ceilings: Sequence[Ceiling | str] | None = None,
    project: str | None = None,
    limiter: LimiterChoice = None,
    rates: Mapping[str, RateLimits] | None = None,
    capture_content: bool | None = None,
    profile: Requirements | None = None,
    today: Callable[[], date] | None = None,
    environment: Mapping[str, str] | None = None,
) -> Settings:
    """Settings from arguments and, for what they leave open, the environment.

    `provider` is one that the catalogue describes; only its models are called. `region` is one of
    the provider's: calls go there, to models that the catalogue lists there at their prices there.
    With `today`, each call is decided as of the day that it gives, else of the catalogue's.
    `uploads` is a file that remembers, for every process that names it, which contents the provider
    holds, and lets one upload for all; without it each client remembers its own. `progress` is told
    how far an upload is, `retrying` of each wait before a call is sent again. `escalate` lets
    the next model of the ranking answer where the first cannot, and with `escalate_filtered` also
    where a content filter stopped it. `ledger` is a file or a `Ledger`; `False` is none, and
    without it TOKENFARE_LEDGER says which, or it is the user's own. `limiter` is a `Limiter`, the
    file of one that processes share, the address of the Redis server of one that machines share
    (`redis://…`), or whether there is one; without it TOKENFARE_LIMITER says so, or the rates are
    kept where the provider's own endpoint is called. `rates`, by id or pattern, stand before the
    catalogue's. `capture_content` lets spans hold messages; without it
    OpenTelemetry's own variable for that is asked. Raises `MissingKey` if no key is given and the
    provider's variable is not set.
    """
    env = os.environ if environment is None else environment
    service = catalog.provider(provider)
    key = Secret(api_key) if api_key is not None else key_from(env, service)
    # The second variable is DashScope's own.
    variables = BASE_URL_VARIABLES if service.id == DEFAULT_PROVIDER else BASE_URL_VARIABLES[:1]
    fallback = next((env[name] for name in variables if env.get(name)), None)
    url = fallback if base_url is None else base_url
    endpoint = endpoint_for(service, key, region=region, base_url=url, timeouts=timeouts)
    held = Uploads() if uploads is None else UploadsOnDisk(endpoint, uploads)
    return Settings(
        Learning(catalog, today),
        Line(endpoint, patience or Patience(), retrying=retrying),
        FileHandling(
            keep_files=keep_files,
            poll_seconds=poll_seconds,
            progress=progress,
            memory=held,
            claims=held if isinstance(held, UploadsOnDisk) else None,
        ),
        escalate,
        books(ledger, ceilings, project, endpoint.base_url, env),
        pace(limiter, rates, service, endpoint.base_url, env),
        _captures(env) if capture_content is None else capture_content,
        profile=profile,
        escalate_filtered=escalate_filtered,
        uploads=held,
        provider=service.id,
        region=region,
    )


def _captures(environment: Mapping[str, str]) -> bool:
    return environment.get(CAPTURE_VARIABLE, "").strip().lower() == "true"

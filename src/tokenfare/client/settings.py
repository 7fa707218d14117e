"""The settings of a client: catalogue, channel to the provider, ledger, rate limits.

Built once, at the edge: only here is the environment read.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from fnmatch import fnmatchcase
from typing import TypedDict

from tokenfare.arguments import text_in_utf8
from tokenfare.catalog import Catalog, Provider, RateLimits
from tokenfare.database import expanded
from tokenfare.dispatch import (
    Channel,
    FileHandling,
    OnWait,
    RetryPolicy,
    Secret,
    SharedUploads,
    Timeouts,
    UploadProgress,
    endpoint_for,
    key_from,
)
from tokenfare.errors import InvalidRequestError, MissingKey
from tokenfare.ledger import Ceiling
from tokenfare.router import Requirements
from tokenfare.telemetry import CAPTURE_VARIABLE
from tokenfare.variables import given_by

from .bookkeeping import Books, LedgerChoice, books
from .learning import Learning
from .pacing import LimiterChoice, Pace, check_rates, pace
from .uploads import Uploads, UploadsOnDisk, account_of

BASE_URL_VARIABLES = ("TOKENFARE_BASE_URL", "DASHSCOPE_COMPATIBLE_BASE_URL")

DEFAULT_PROVIDER = "dashscope"


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything a client needs apart from the HTTP client itself."""

    learning: Learning
    channel: Channel
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

    def restrict(self, requirements: Requirements) -> Requirements:
        """The requirements, restricted to this provider's models in the region that is called.

        The channel reaches no other. Raises `InvalidRequestError` where another is required.
        """
        return of_provider(in_region(requirements, self.region), self.provider)

    def varied(
        self,
        *,
        project: str | None,
        api_key: str | None,
        escalate: bool | Requirements | None,
        on_wait: OnWait | None,
    ) -> Settings:
        """A variant for other calls. Another key is another account, with its own rates and files.

        Uploaded files are then deleted after each call, since nothing remembers them.
        """
        varied = self
        if project is not None:
            varied = replace(
                varied, books=replace(self.books, project=text_in_utf8("project", project))
            )
        if on_wait is not None:
            varied = replace(varied, channel=replace(self.channel, on_wait=on_wait))
        if isinstance(escalate, Requirements):
            escalate = self.restrict(escalate)
        if escalate is not None:
            varied = replace(varied, escalate=escalate)
        if api_key is None:
            return varied
        key = Secret(api_key)
        endpoint = replace(self.channel.endpoint, key=key)
        memory = Uploads()
        return replace(
            varied,
            channel=replace(varied.channel, endpoint=endpoint, key=None),
            pace=replace(self.pace, endpoint=f"{self.pace.endpoint} {account_of(endpoint)}"),
            files=replace(
                self.files, keep_files=False, memory=memory, claims=None, shared=SharedUploads()
            ),
            uploads=memory,
        )


def in_region(requirements: Requirements, region: str | None) -> Requirements:
    """The requirements, restricted to models that are served in a region, if one is given.

    Raises `InvalidRequestError` if another one is required.
    """
    if region is None or requirements.region == region:
        return requirements
    if requirements.region is not None:
        raise InvalidRequestError(
            f"this client calls {region}, not {requirements.region}: make one with region=…"
        )
    return replace(requirements, region=region)


def provider_called(requirements: Requirements) -> str:
    """The provider that a command calls: the one named by its id, else DashScope."""
    if len(requirements.providers) == 1 and not set("*?[") & set(requirements.providers[0]):
        return requirements.providers[0]
    return DEFAULT_PROVIDER


def of_provider(requirements: Requirements, provider: str) -> Requirements:
    """The requirements, restricted to the models of one provider.

    Raises `InvalidRequestError` if another provider is required.
    """
    if requirements.providers and not any(fnmatchcase(provider, p) for p in requirements.providers):
        wanted = ", ".join(requirements.providers)
        raise InvalidRequestError(
            f"this client calls {provider}, not {wanted}: make one with provider=…"
        )
    return replace(requirements, providers=(provider,))


class Options(TypedDict, total=False):
    """The options of a client, besides the key, the address and the catalogue.

    Attributes:
        provider: The provider of the catalogue to call; only its models are chosen.
        region: A region of the provider. Calls go there, to the models that the catalogue lists
            there, at their prices there.
        timeouts: The timeouts of each call.
        retry_policy: How often a failed call is retried, and after how long.
        keep_files: Remember uploaded files; otherwise each is deleted after its call.
        uploads: A file in which several processes remember uploaded files, so that each is uploaded
            once.
        poll_seconds: The pause between polls of a file that the provider is still parsing.
        progress: Called as a document is uploaded.
        on_wait: Called before each wait of a call, instead of logging it: with a `Retry` before a
            retry, with a `RateWait` before waiting for rate limits.
        escalate: Let the next model of the ranking answer if the first one cannot.
        escalate_filtered: Do so also if a content filter stopped the first one.
        ledger: A file or a `Ledger`; `False` for none. By default the one that `TOKENFARE_LEDGER`
            names, or the user's own.
        ceilings: Daily ceilings, such as `"5 CNY"` or `"demo: 200000 tokens"`.
        project: A name that calls are booked under.
        limiter: A `Limiter`, a file shared by processes, the address of a Redis server shared by
            machines (`redis://...`), or whether to use one. By default what `TOKENFARE_LIMITER`
            says, or one in this process if the provider's own endpoint is called.
        rates: Rate limits by id or pattern, which take precedence over the catalogue's.
        capture_content: Record messages in spans; by default as OpenTelemetry's own variable says.
        profile: Requirements of every call; a call's keywords replace them.
        today: A function that returns today's date, for a client that uses the facts of each call's
            day.
        environment: Where to look up variables; by default `os.environ`.
    """

    provider: str
    region: str | None
    timeouts: Timeouts | None
    retry_policy: RetryPolicy | None
    keep_files: bool
    uploads: str | os.PathLike[str] | None
    poll_seconds: float
    progress: Callable[[UploadProgress], None] | None
    on_wait: OnWait | None
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
    api_key: str | Callable[[], str] | None = None,
    base_url: str | None = None,
    region: str | None = None,
    timeouts: Timeouts | None = None,
    retry_policy: RetryPolicy | None = None,
    keep_files: bool = True,
    uploads: str | os.PathLike[str] | None = None,
    poll_seconds: float = 5.0,
    progress: Callable[[UploadProgress], None] | None = None,
    on_wait: OnWait | None = None,
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
    """Make a client's settings from its arguments and, where they are not given, the environment.

    The arguments are those of `Client` and `Options`. Raises `MissingKey` if no key is given and
    the provider's variable is not set.
    """
    env = os.environ if environment is None else environment
    service = catalog.provider(provider)
    _check("timeouts", timeouts, Timeouts, "Timeouts(total=30)")
    _check("retry_policy", retry_policy, RetryPolicy, "RetryPolicy(attempts=2)")
    check_rates(rates, catalog)
    key, current_key = _key(api_key, env, service)
    # The second variable is DashScope's own.
    variables = BASE_URL_VARIABLES if service.id == DEFAULT_PROVIDER else BASE_URL_VARIABLES[:1]
    variable = next((name for name in variables if env.get(name) and base_url is None), None)
    url = base_url if variable is None else env[variable]
    with given_by(variable):
        endpoint = endpoint_for(service, key, region=region, base_url=url, timeouts=timeouts)
    held = Uploads()
    if uploads is not None:
        held = UploadsOnDisk(endpoint, expanded("file of uploads", os.fspath(uploads)))
    return Settings(
        Learning(catalog, today),
        Channel(endpoint, retry_policy or RetryPolicy(), on_wait=on_wait, key=current_key),
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


def _check(name: str, given: object, kind: type, such_as: str) -> None:
    if given is not None and not isinstance(given, kind):
        raise InvalidRequestError(
            f"{name} is a value such as tokenfare.{such_as}, not {type(given).__name__}"
        )


def _key(
    given: str | Callable[[], str] | None, environment: Mapping[str, str], provider: Provider
) -> tuple[Secret, Callable[[], Secret] | None]:
    """The current key and, if it may change, a function that returns it for each call."""
    if given is None:
        return key_from(environment, provider), None
    if isinstance(given, str):
        return Secret(given), None
    if not callable(given):
        raise InvalidRequestError(
            f"api_key: a text, or what gives one for each call, not {type(given).__name__}"
        )

    def current_key() -> Secret:
        try:
            return Secret(given())
        except InvalidRequestError as problem:  # a request is not what is wrong
            raise MissingKey(f"the function that is given as api_key: {problem}") from None

    return current_key(), current_key


def _captures(environment: Mapping[str, str]) -> bool:
    return environment.get(CAPTURE_VARIABLE, "").strip().lower() == "true"

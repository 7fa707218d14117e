"""An endpoint: its address, its key and its timeouts.

An `Endpoint` is a value: it opens no connection, and its repr never shows the key.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from tokenfare.catalog import Provider
from tokenfare.errors import InvalidRequestError

from .secret import Secret


@dataclass(frozen=True, slots=True)
class Timeouts:
    """The timeouts of a call, in seconds.

    Attributes:
        connect: For the connection.
        first_token: From the request to the first piece of a stream, or to the beginning of a plain
            answer, which begins when all of it is written. DashScope itself gives up after 300.
        between_tokens: From one piece to the next. Keep-alive comments do not count as pieces.
        total: For the whole call, including all attempts, waits and models. Uploads are separate
            calls.
    """

    connect: float = 10.0
    first_token: float = 310.0
    between_tokens: float = 60.0
    total: float = 900.0

    def __post_init__(self) -> None:
        for name in ("connect", "first_token", "between_tokens", "total"):
            seconds = getattr(self, name)
            if not seconds > 0:
                raise InvalidRequestError(f"timeouts are above zero seconds; {name} is {seconds}")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An OpenAI-compatible service; `base_url` includes the version (`…/v1`).

    `max_body_bytes` is the largest request body it is known to take, `None` if not known;
    `max_answer_bytes` the most that is read of one answer. `key_variable` only names the way out
    in a refusal of the key.
    """

    base_url: str
    key: Secret
    timeouts: Timeouts = field(default_factory=Timeouts)
    max_body_bytes: int | None = None
    max_answer_bytes: int = 64 * 1024 * 1024
    key_variable: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "base_url", _checked(self.base_url))

    def url(self, path: str) -> str:
        """The URL of `path` below `base_url`."""
        return f"{self.base_url}/{path}"


def endpoint_for(
    provider: Provider,
    key: Secret,
    *,
    region: str | None = None,
    base_url: str | None = None,
    timeouts: Timeouts | None = None,
) -> Endpoint:
    """The provider's endpoint in a region (its default one if none is named), or at `base_url`.

    Raises `InvalidRequestError` for a region that the provider does not have, and without
    `base_url` for a provider of which no address is known.
    """
    chosen = region or provider.default_region
    if base_url is None and not provider.base_urls:
        raise InvalidRequestError(f"no address of {provider.name} is known; give a base URL")
    if base_url is None and chosen not in provider.base_urls:
        known = ", ".join(sorted(provider.base_urls))
        raise InvalidRequestError(f"{provider.name} has no region {chosen!r}; known: {known}")
    return Endpoint(
        base_url=provider.base_urls[chosen] if base_url is None else base_url,
        key=key,
        timeouts=timeouts or Timeouts(),
        max_body_bytes=provider.max_body_bytes,
        key_variable=provider.key_variable,
    )


def _checked(url: str) -> str:
    """The URL without a slash at its end. Refusals do not quote it: it may hold a password."""
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError:
        raise InvalidRequestError("the base URL is not a URL") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        raise InvalidRequestError("the base URL has the form https://host[:port]/path")
    if parts.username is not None or parts.password is not None:
        raise InvalidRequestError("the base URL holds a user name; give the key as a key")
    if parts.query or parts.fragment:
        raise InvalidRequestError("the base URL ends with its path; it has no query or fragment")
    text = url.strip()
    if not (text.isascii() and text.isprintable()) or " " in text:
        raise InvalidRequestError("the base URL holds characters that a URL must escape")
    return text.rstrip("/")

"""Authentication: the gateway's access tokens and the provider's keys.

A caller sends an access token as the bearer token, as every OpenAI client sends its key. Where
callers bring keys of the provider instead, the bearer token is that key, and the access token is in
`x-tokenfare-token`. Tokens are compared in constant time, and never shown.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tokenfare.dispatch import Secret
from tokenfare.errors import InputError, InvalidRequestError
from tokenfare.reading import text_of

from .error_responses import Refusal

TOKENS_VARIABLE = "TOKENFARE_GATEWAY_TOKENS"
"""Access tokens, separated by white space."""

TOKEN_HEADER = "x-tokenfare-token"  # noqa: S105 - its name
PROJECT_HEADER = "x-tokenfare-project"

_SHORTEST = 16
_LONGEST_PROJECT = 100


@dataclass(frozen=True, slots=True)
class Token:
    """An access token, and the project of its calls, if any."""

    secret: Secret
    project: str | None = None

    def __post_init__(self) -> None:
        if len(self.secret.reveal()) < _SHORTEST:
            raise InvalidRequestError(
                f"an access token has at least {_SHORTEST} characters, so that nobody guesses it; "
                "`openssl rand -hex 32` makes one"
            )


@dataclass(frozen=True, slots=True)
class Caller:
    """The caller: its project, and its key if it is not the gateway's."""

    project: str | None = None
    key: Secret | None = None


@dataclass(frozen=True, slots=True)
class Authenticator:
    """Decides who may call. Without `tokens`, everybody who can reach the gateway may.

    `caller_keys`: callers bring keys of the provider. `name_projects`: callers may set the project
    of a call, unless their token has its own.
    """

    tokens: tuple[Token, ...] = ()
    caller_keys: bool = False
    name_projects: bool = False

    def admit(self, headers: Mapping[str, str]) -> Caller:
        """Identify the caller. Raises `Refusal` for callers that may not call."""
        bearer = _bearer(headers.get("authorization", ""))
        shown = headers.get(TOKEN_HEADER, "") if self.caller_keys else bearer
        token = self._token(shown)
        return Caller(
            self._project(headers.get(PROJECT_HEADER), token),
            _key(bearer) if self.caller_keys else None,
        )

    def _token(self, shown: str) -> Token | None:
        if not self.tokens:
            return None
        # All tokens are compared, by digests of the same length, so that timing reveals nothing.
        digest = _digest(shown)
        found = [t for t in self.tokens if hmac.compare_digest(digest, _digest(t.secret.reveal()))]
        if found:
            return found[0]
        where = TOKEN_HEADER if self.caller_keys else "the authorization header, as a bearer"
        problem = "is not one of this gateway" if shown else "is missing"
        raise Refusal(
            401,
            "authentication_error",
            f"the access token in {where}, {problem}; ask its operator for one",
            code="invalid_api_key",
        )

    def _project(self, named: str | None, token: Token | None) -> str | None:
        own = None if token is None else token.project
        if named is None or named == own:
            return own
        if own is not None:
            raise _wrong_project(f"this access token is for the project {own!r} alone")
        if not self.name_projects:
            raise _wrong_project("this gateway lets no caller name a project")
        if not (named.isprintable() and 0 < len(named) <= _LONGEST_PROJECT):
            raise _wrong_project(f"a project is a word of at most {_LONGEST_PROJECT} characters")
        return named


def tokens_in(text: str) -> tuple[Token, ...]:
    """The tokens in a variable. Raises `InvalidRequestError` for an invalid one."""
    return tuple(Token(Secret(word)) for word in text.split())


def tokens_of(path: str | Path) -> tuple[Token, ...]:
    """The tokens in a file: one per line, optionally followed by the project of its calls.

    Lines that begin with `#` are comments. Raises `InputError` with the line, never its text.
    """
    found = tuple(_tokens(text_of(path).splitlines(), str(path)))
    if not found:
        raise InputError(str(path), "no access token is in it")
    return found


def _tokens(lines: Iterable[str], name: str) -> Iterable[Token]:
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        word, *project = line.split(maxsplit=1)
        try:
            yield Token(Secret(word), project[0].strip() if project else None)
        except InvalidRequestError as error:
            raise InputError(name, f"line {number}: {error}") from None


def _bearer(authorization: str) -> str:
    scheme, _, key = authorization.partition(" ")
    return key.strip() if scheme.lower() == "bearer" else ""


def _key(bearer: str) -> Secret:
    try:
        return Secret(bearer)
    except InvalidRequestError as error:
        raise Refusal(
            401,
            "authentication_error",
            f"the provider's key belongs into the authorization header, as a bearer: {error}",
            code="invalid_api_key",
        ) from None


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()


def _wrong_project(message: str) -> Refusal:
    return Refusal(
        403,
        "permission_error",
        f"{PROJECT_HEADER}: {message}",
        code="project_not_allowed",
        param=PROJECT_HEADER,
    )

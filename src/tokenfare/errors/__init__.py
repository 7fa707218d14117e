"""All errors of this library, as a tree with one root.

Every message names the thing, the limit and the way out; attributes carry the same for programs. No
message, attribute or repr contains an API key.

An attribute that holds a value of a higher layer (a decision, a ceiling) has the type `Any`: this
layer cannot import its class, and code that catches the error could do nothing with an `object`.
"""

from __future__ import annotations

from collections.abc import Sequence

from .provider import AuthenticationError as AuthenticationError
from .provider import BadRequestError as BadRequestError
from .provider import ContentFilteredError as ContentFilteredError
from .provider import ContextWindowExceededError as ContextWindowExceededError
from .provider import DocumentError as DocumentError
from .provider import ModelNotServedError as ModelNotServedError
from .provider import OutputTooLongError as OutputTooLongError
from .provider import PermissionDeniedError as PermissionDeniedError
from .provider import ProviderAnswerInvalid as ProviderAnswerInvalid
from .provider import ProviderError as ProviderError
from .provider import ProviderFaultError as ProviderFaultError
from .provider import ProviderUnreachable as ProviderUnreachable
from .provider import QuotaExhaustedError as QuotaExhaustedError
from .provider import RateLimitError as RateLimitError
from .provider import RateWaitTooLong as RateWaitTooLong
from .provider import StreamBroken as StreamBroken
from .root import TokenfareError as TokenfareError

TYPE_CHECKING = False  # as in typing, which takes long to import
if TYPE_CHECKING:
    from datetime import datetime, timedelta
    from pathlib import Path
    from typing import Any


class InvalidRequestError(TokenfareError, ValueError):
    """An argument is invalid: a negative limit, an empty prompt, a malformed message."""


class InvalidAmount(InvalidRequestError, TypeError):  # noqa: N818 - as UnknownModel
    """An amount is not a finite `Decimal`, or two amounts have different currencies."""


class CharacterTooLong(InvalidRequestError):  # noqa: N818 - as UnknownModel
    """A text cannot be cut to the limit, because one of its characters alone exceeds it.

    A character is a grapheme cluster, as a reader sees it: a family emoji is several code points.

    Attributes:
        character: The character.
        position: Where it is in the text.
        tokens: Its tokens; an upper bound if the vocabulary is not on this machine.
        limit: The limit in tokens.
    """

    def __init__(self, character: str, position: int, tokens: int, limit: int) -> None:
        """Name the character, its place and its tokens."""
        shown = character if len(character) <= _SHOWN else character[:_SHOWN] + "\u2026"
        super().__init__(
            f"the character {shown!r} at position {position:,} is {tokens:,} tokens, more than "
            f"the limit of {limit:,}: characters are kept whole, so allow at least {tokens:,}"
        )
        self.character = character
        self.position = position
        self.tokens = tokens
        self.limit = limit


_SHOWN = 12  # code points of a character that a message shows


class CannotTrim(InvalidRequestError):  # noqa: N818 - as UnknownModel
    """The messages of a conversation that have to be kept are over the limit.

    Attributes:
        tokens: The tokens that have to be kept, at the high end of their count.
        limit: The limit in tokens.
    """

    def __init__(self, tokens: int, limit: int, evidence: str) -> None:
        """Say what must stay, and the way out."""
        super().__init__(
            f"what must stay is {tokens:,} tokens, {limit:,} allowed "
            f"({tokens - limit:,} too many): {evidence}"
        )
        self.tokens = tokens
        self.limit = limit


class InputError(TokenfareError):
    """A file or stream cannot be read, or does not hold what it should.

    `name` is the file as the caller named it, `-` for standard input.
    """

    def __init__(self, name: str, problem: str) -> None:
        """Name the input and what is wrong with it."""
        super().__init__(f"{name}: {problem}")
        self.name = name


class InexactCount(TokenfareError, TypeError):  # noqa: N818 - it names a state, like StopIteration
    """An inexact count was used where a certain number is needed."""


_WHERE_MODELS_ARE = (
    "`tokenfare models --all` lists those that are known, "
    "and a catalogue file named in TOKENFARE_CATALOG adds others"
)
_NO_EMBEDDINGS = (
    "the catalogue has models that answer chats, and none for embeddings (docs/catalog.md says why)"
)


class UnknownModel(TokenfareError, LookupError):  # noqa: N818 - reads as the sentence it is
    """No model has this id or alias.

    Attributes:
        name: What was asked for.
        nearest: The nearest known ids, the best first.
    """

    def __init__(self, name: str, nearest: Sequence[str] = ()) -> None:
        """Name the id, and the nearest ones that exist or where to look."""
        if nearest:
            hint = f"nearest: {', '.join(nearest)}"
        else:
            hint = _NO_EMBEDDINGS if "embedding" in name.lower() else _WHERE_MODELS_ARE
        super().__init__(f"no model is called {name!r}; {hint}")
        self.name = name
        self.nearest: tuple[str, ...] = tuple(nearest)


class CatalogError(TokenfareError, ValueError):
    """A catalogue file is invalid.

    Attributes:
        path: The file.
        key: The place in the file, with dots.
        expected: What is expected there.
    """

    def __init__(self, path: str | Path, key: str, expected: str) -> None:
        """Name the file, the key and what was expected there."""
        super().__init__(f"{path}: {key}: {expected}" if key else f"{path}: {expected}")
        self.path: str = str(path)
        self.key = key
        self.expected = expected


class TokenizerError(TokenfareError):
    """A tokenizer is not available, or cannot be used in this way."""


class UnknownTokenizer(TokenizerError, LookupError):  # noqa: N818 - as UnknownModel
    """No tokenizer has this name; `known` lists those that exist."""

    def __init__(self, name: str, known: Sequence[str]) -> None:
        """Name the tokenizer asked for and the known ones."""
        super().__init__(
            f"no tokenizer is called {name!r}; known: {', '.join(known)} (that of a "
            "model is Catalog.load().get(ID).tokenizer; `tokenfare models show ID` prints it)"
        )
        self.name = name
        self.known: tuple[str, ...] = tuple(known)


class VocabularyMissing(TokenizerError):  # noqa: N818 - as UnknownModel
    """A tokenizer is known, but its vocabulary is not on this machine; nothing is downloaded."""

    def __init__(self, name: str, way_out: str) -> None:
        """Name the tokenizer and how to get its vocabulary."""
        super().__init__(f"the vocabulary of {name!r} is not here: {way_out}")
        self.name = name
        self.way_out = way_out


class VocabularyError(TokenizerError, ValueError):
    """A vocabulary file is damaged, or of a kind that cannot be counted exactly."""


class CoreFailure(TokenizerError, RuntimeError):  # noqa: N818 - as UnknownModel
    """The native core failed because of a bug. Only this result is lost."""

    def __init__(self, problem: str) -> None:
        """Say what the core noticed."""
        super().__init__(
            f"the counting core failed: {problem}; this is a bug of tokenfare, "
            "please report it with the text that shows it"
        )


class NoModelFits(TokenfareError):  # noqa: N818 - a sentence, like UnknownModel
    """No model of the catalogue takes the request.

    `decision` is a `Decision` without a winner; its `rejected` has the reason for every model, the
    nearest miss first.
    """

    def __init__(self, message: str, decision: object) -> None:
        """Carry the decision that found no model."""
        super().__init__(message)
        self.decision: Any = decision


def _own_name() -> str:
    """What `pip install` needs for this library: its name if installed, else the clone's path.

    For a clone that is only on the path, pip would look up the name in an index.
    """
    from importlib.metadata import PackageNotFoundError, version  # only for an error

    try:
        version("tokenfare")
    except PackageNotFoundError:
        from pathlib import Path

        clone = Path(__file__).resolve().parents[3]
        if (clone / "pyproject.toml").is_file():
            return str(clone)
    return "tokenfare"


class MissingExtra(TokenfareError, ImportError):  # noqa: N818 - as UnknownModel
    """A part of the library needs a package that is not installed.

    Attributes:
        package: The package.
        extra: The extra of tokenfare that installs it; empty if there is none.
    """

    def __init__(self, what: str, package: str, extra: str = "") -> None:
        """Name the part, the package and the way out."""
        way = f"'{_own_name()}[{extra}]'" if extra else package
        super().__init__(f"{what} needs {package}, which is not installed: pip install {way}")
        self.package = package
        self.extra = extra


class MissingKey(TokenfareError):  # noqa: N818 - as UnknownModel
    """A provider needs an API key and none was given."""


class DatabaseError(TokenfareError):
    """A database file of this library, such as the ledger, cannot be read or written.

    `path` is the file.
    """

    def __init__(self, what: str, path: str | Path, problem: str) -> None:
        """Name what the file is for, the file, and what is wrong with it."""
        super().__init__(f"{what} {path}: {problem}")
        self.path: str = str(path)


class LimiterUnreachable(TokenfareError):  # noqa: N818 - as UnknownModel
    """The Redis server that shares rate limits between machines cannot be reached.

    The call was not sent. `address` is the server's address, without its password.
    """

    def __init__(self, address: str, problem: str) -> None:
        """Name the server, the problem and the ways out."""
        super().__init__(
            f"the limiter's Redis server at {address} cannot be asked: {problem}; start it, name "
            f"another one, or keep the rates without it (limiter=True in this process, a file on "
            f"this machine)"
        )
        self.address = address


class FareOverCeiling(TokenfareError):  # noqa: N818 - as UnknownModel
    """A job may cost more than its ceiling, although each request goes to its cheapest model.

    Attributes:
        low: The low end of the job's fare, as `Money`.
        high: The high end.
        ceiling: The ceiling.
    """

    def __init__(
        self,
        low: object,
        high: object,
        ceiling: object,
        over: object,
        deadline: timedelta | None = None,
    ) -> None:
        """Say by how much, and what would help."""
        way = "" if deadline is None else f", or allow more than {deadline}"
        super().__init__(
            f"the job costs {low} to {high}, the ceiling is {ceiling} ({over} too much); "
            f"leave more out, or leave less room for answers{way}"
        )
        self.low: Any = low
        self.high: Any = high
        self.ceiling: Any = ceiling


def few(names: Sequence[str]) -> str:
    """The first five names, and how many more there are."""
    more = len(names) - 5
    return ", ".join(names[:5]) + (f" and {more} more" if more > 0 else "")


class DeadlineTooShort(TokenfareError):  # noqa: N818 - as UnknownModel
    """No mix of models is sure to answer a job by its deadline.

    Attributes:
        deadline: What was asked for.
        least: The shortest deadline that can be kept.
        limits: The limits that prevent it: rate limits, concurrent calls.
        unknown: Models that promise nothing, because a rate limit of theirs is not known.
    """

    def __init__(
        self,
        deadline: timedelta,
        least: timedelta,
        limits: Sequence[str],
        unknown: Sequence[str] = (),
    ) -> None:
        """Say what would do, what prevents it, and what would help."""
        left_out = f"; rates not known: {few(unknown)}" if unknown else ""
        super().__init__(
            f"deadline: {deadline}; the job can be promised within {least} at the earliest, with "
            f"all of the {', '.join(limits)}; allow more time or more models, or leave less room "
            f"for answers{left_out}"
        )
        self.deadline = deadline
        self.least = least
        self.limits: tuple[str, ...] = tuple(limits)
        self.unknown: tuple[str, ...] = tuple(unknown)


class CeilingReached(TokenfareError):  # noqa: N818 - as UnknownModel
    """A call was not sent, because it might exceed a ceiling.

    Attributes:
        ceiling: The `tokenfare.ledger.Ceiling`.
        spent: What settled calls used of it, as tokens or `Money`.
        held: What calls under way may still use.
        asked: What this call may use.
        resets_at: When its day ends.
    """

    def __init__(  # noqa: PLR0913 - each is evidence
        self,
        message: str,
        *,
        ceiling: object,
        spent: object,
        held: object,
        asked: object,
        resets_at: datetime,
    ) -> None:
        """Carry the evidence."""
        super().__init__(message)
        self.ceiling: Any = ceiling
        self.spent: Any = spent
        self.held: Any = held
        self.asked: Any = asked
        self.resets_at = resets_at

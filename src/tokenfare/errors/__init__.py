"""What can go wrong, as a tree with one root.

Every message names the thing, the limit and the way out; attributes carry the same for programs.
An error here is never raised for a provider's answer that the caller can route around: those are
values (`tokenfare.dispatch` says which). No message, attribute or repr holds a key.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

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


class InvalidRequestError(TokenfareError, ValueError):
    """An argument cannot mean anything: a negative limit, an empty prompt, a broken message."""


class InvalidAmount(InvalidRequestError, TypeError):  # noqa: N818 - as UnknownModel
    """An amount that is no finite `Decimal`, or two currencies where one is needed."""


class CharacterTooLong(InvalidRequestError):  # noqa: N818 - as UnknownModel
    """A text cannot be cut at this limit: one of its characters alone is more tokens.

    A character is a grapheme cluster, what a reader takes for one: a family emoji is several code
    points. `character` stands at `position` of the text, `tokens` is what it counts (an upper bound
    where the vocabulary is not at hand), `limit` what was allowed.
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
    """What must stay of a conversation is more than the limit.

    `tokens` is what it counts at its high end, `limit` what was allowed.
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
    """A file or stream cannot be read as what it should be.

    `name` is the file as the caller named it, `-` for standard input.
    """

    def __init__(self, name: str, problem: str) -> None:
        """Name the input and what is wrong with it."""
        super().__init__(f"{name}: {problem}")
        self.name = name


class InexactCount(TokenfareError, TypeError):  # noqa: N818 - it names a state, like StopIteration
    """A count with a low and a high end was used where one number is needed."""


_WHERE_MODELS_ARE = (
    "`tokenfare models --all` lists those that are known, "
    "and a catalogue file named in TOKENFARE_CATALOG adds others"
)


class UnknownModel(TokenfareError, LookupError):  # noqa: N818 - reads as the sentence it is
    """No model has this id, alias or former name.

    `name` is what was asked for, `nearest` the closest known ids, best first.
    """

    def __init__(self, name: str, nearest: Sequence[str] = ()) -> None:
        """Name the id, and the nearest ones that exist or where to look."""
        hint = f"nearest: {', '.join(nearest)}" if nearest else _WHERE_MODELS_ARE
        super().__init__(f"no model is called {name!r}; {hint}")
        self.name = name
        self.nearest = tuple(nearest)


class CatalogError(TokenfareError, ValueError):
    """A catalogue file does not say what a catalogue file must say.

    `path` is the file, `key` the place in it (dotted), `expected` what would be right.
    """

    def __init__(self, path: str | Path, key: str, expected: str) -> None:
        """Name the file, the key and what was expected there."""
        super().__init__(f"{path}: {key}: {expected}" if key else f"{path}: {expected}")
        self.path = str(path)
        self.key = key
        self.expected = expected


class TokenizerError(TokenfareError):
    """A tokenizer cannot be had or cannot be used as asked."""


class UnknownTokenizer(TokenizerError, LookupError):  # noqa: N818 - as UnknownModel
    """No tokenizer has this name; `known` lists those that do."""

    def __init__(self, name: str, known: Sequence[str]) -> None:
        """Name the tokenizer asked for and the known ones."""
        super().__init__(f"no tokenizer is called {name!r}; known: {', '.join(known)}")
        self.name = name
        self.known = tuple(known)


class VocabularyMissing(TokenizerError):  # noqa: N818 - as UnknownModel
    """The tokenizer is known, its vocabulary is not on this machine, and nothing downloads it."""

    def __init__(self, name: str, way_out: str) -> None:
        """Name the tokenizer and how its vocabulary can be had."""
        super().__init__(f"the vocabulary of {name!r} is not here: {way_out}")
        self.name = name
        self.way_out = way_out


class VocabularyError(TokenizerError, ValueError):
    """A vocabulary file is damaged or of a kind that cannot be represented exactly."""


class CoreFailure(TokenizerError, RuntimeError):  # noqa: N818 - as UnknownModel
    """The native core stopped on a mistake of its own. Nothing is lost but the answer."""

    def __init__(self, problem: str) -> None:
        """Say what the core noticed."""
        super().__init__(
            f"the counting core failed: {problem}; this is a bug of tokenfare, "
            "please report it with the text that shows it"
        )


class NoModelFits(TokenfareError):  # noqa: N818 - a sentence, like UnknownModel
    """No model of the catalogue takes the request.

    `decision` holds every refusal with its numbers, the nearest misses first
    (a `tokenfare.router.Decision`; untyped here because this layer is below it).
    """

    def __init__(self, message: str, decision: object) -> None:
        """Carry the decision that found no model."""
        super().__init__(message)
        self.decision = decision


class MissingExtra(TokenfareError, ImportError):  # noqa: N818 - as UnknownModel
    """A part of the library needs packages that come with one of its extras.

    `package` is what is missing, `extra` what to install it by; without one, the package itself is.
    """

    def __init__(self, what: str, package: str, extra: str = "") -> None:
        """Name the part, the package and the way out."""
        way = f"'tokenfare[{extra}]'" if extra else package
        super().__init__(f"{what} needs {package}, which is not installed: pip install {way}")
        self.package = package
        self.extra = extra


class MissingKey(TokenfareError):  # noqa: N818 - as UnknownModel
    """A provider wants a key and none was given."""


class DatabaseError(TokenfareError):
    """A file of this library's own, such as the ledger, cannot be read or written, or is none.

    `path` is the file.
    """

    def __init__(self, what: str, path: str | Path, problem: str) -> None:
        """Name what the file is for, the file, and what is wrong with it."""
        super().__init__(f"{what} {path}: {problem}")
        self.path = str(path)


class LimiterUnreachable(TokenfareError):  # noqa: N818 - as UnknownModel
    """The server that keeps rates for several machines cannot be asked. The call was not sent.

    `address` is where it was looked for, without what it was to be told there.
    """

    def __init__(self, address: str, problem: str) -> None:
        """Name the server, what came of asking it, and the ways out."""
        super().__init__(
            f"the limiter's Redis server at {address} cannot be asked: {problem}; start it, name "
            f"another one, or keep the rates without it (limiter=True in this process, a file on "
            f"this machine)"
        )
        self.address = address


class FareOverCeiling(TokenfareError):  # noqa: N818 - as UnknownModel
    """A job may cost more than its ceiling, each request on the cheapest model that takes it.

    `low` and `high` are the ends of its fare, `ceiling` what was set; each is `Money` (untyped here
    because that layer is not below this one).
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
        hurry = "" if deadline is None else f", or allow more than {deadline}"
        super().__init__(
            f"the job costs {low} to {high}, the ceiling is {ceiling} ({over} too much); "
            f"leave more out, or leave less room for answers{hurry}"
        )
        self.low = low
        self.high = high
        self.ceiling = ceiling


def few(names: Sequence[str], most: int = 5) -> str:
    """The first names, and how many more there are."""
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")


class DeadlineTooShort(TokenfareError):  # noqa: N818 - as UnknownModel
    """No mix of models promises to answer a job by its deadline.

    `least` is a deadline that would be kept, `limits` what is used up by then, `unknown` the models
    that could promise nothing because a rate of theirs is not known.
    """

    def __init__(
        self,
        deadline: timedelta,
        least: timedelta,
        limits: Sequence[str],
        unknown: Sequence[str] = (),
    ) -> None:
        """Say what would do, what stands in the way, and what would help."""
        left_out = f"; rates not known: {few(unknown)}" if unknown else ""
        super().__init__(
            f"deadline: {deadline}; the job can be promised within {least} at the earliest, with "
            f"all of the {', '.join(limits)}; allow more time or more models, or leave less room "
            f"for answers{left_out}"
        )
        self.deadline = deadline
        self.least = least
        self.limits = tuple(limits)
        self.unknown = tuple(unknown)


class CeilingReached(TokenfareError):  # noqa: N818 - as UnknownModel
    """A call was not sent because it might take more than a ceiling leaves.

    `ceiling` is what was set, `spent` what settled calls took of it, `held` what open calls may
    yet take, `asked` what this call may take, each a number of tokens or `Money`; `resets_at` is
    when its day ends (`tokenfare.ledger.Ceiling`; untyped here because this layer is below it).
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
        self.ceiling = ceiling
        self.spent = spent
        self.held = held
        self.asked = asked
        self.resets_at = resets_at

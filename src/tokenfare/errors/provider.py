"""Errors of the provider, or of the connection to it; see `tokenfare.errors`."""

from __future__ import annotations

from .root import TokenfareError


class ProviderError(TokenfareError):
    """The provider refused or failed, or could not be reached.

    Attributes:
        status: The HTTP status; `None` if there was no answer.
        code: The provider's own code for the error or, without one, a word for what went wrong.
        request_id: The provider's id of the call.
        model: The id that was called.
        text: The part of the answer that arrived.
        attempts: Every attempt of the call (`tokenfare.dispatch.Attempt`), with its wait.
        transient: Whether the same call may succeed later.
        another_model_may: Whether another model may succeed now.
        retry_after_seconds: The wait that the provider asked for, if any.
    """

    transient: bool = False
    another_model_may: bool = False
    retry_after_seconds: float | None = None

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        code: str | None = None,
        request_id: str | None = None,
        model: str | None = None,
    ) -> None:
        """Carry the provider's evidence."""
        super().__init__(message)
        self.status = status
        self.code = code
        self.request_id = request_id
        self.model = model
        self.text = ""
        self.attempts: tuple[object, ...] = ()


class ProviderUnreachable(ProviderError):  # noqa: N818 - as UnknownModel
    """There was no answer: nothing listens there, the connection broke, or it timed out."""

    transient = True


class StreamBroken(ProviderUnreachable):
    """A stream stopped before its end. `text` has what arrived, which may be billed."""

    transient = False


class ProviderAnswerInvalid(ProviderError):  # noqa: N818 - as UnknownModel
    """The answer is not what the API promises; `text` has its text, if any."""


class AuthenticationError(ProviderError):
    """The API key is wrong, or belongs to another region."""


class PermissionDeniedError(ProviderError):
    """The account may not use this model: it was not bought or not approved."""

    another_model_may = True


class QuotaExhaustedError(ProviderError):
    """A free quota is used up, or the account is in arrears. Waiting does not help."""


class RateLimitError(ProviderError):
    """Too many requests or tokens in a minute. Waiting helps."""

    transient = True
    another_model_may = True


class RateWaitTooLong(RateLimitError):  # noqa: N818 - as UnknownModel
    """A call would wait too long for its turn under the model's rate limits. Nothing was sent."""

    transient = False


class ContextWindowExceededError(ProviderError):
    """The input is longer than the model takes, according to the provider.

    `limit` is the limit in tokens that it named, or `None`.
    """

    another_model_may = True
    limit: int | None = None


class OutputTooLongError(ProviderError):
    """The requested answer is longer than the model allows, according to the provider.

    `limit` is the limit in tokens that it named, or `None`.
    """

    another_model_may = True
    limit: int | None = None


class ContentFilteredError(ProviderError):
    """The provider's content filter refused the input or stopped the answer."""

    another_model_may = True


class BadRequestError(ProviderError):
    """The provider refused the request for another mistake of the caller."""


class ModelNotServedError(ProviderError):
    """The endpoint does not know this model, or no longer serves it."""

    another_model_may = True


class DocumentError(ProviderError):
    """The provider could not take, read or find an uploaded document.

    `transient` is true while it is still being read.
    """


class ProviderFaultError(ProviderError):
    """The provider failed on its side (5xx). Trying again may help."""

    transient = True
    another_model_may = True

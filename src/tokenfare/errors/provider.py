"""What the provider, or the way to it, did to a call; see `tokenfare.errors`."""

from __future__ import annotations

from .root import TokenfareError


class ProviderError(TokenfareError):
    """The provider refused or failed, or could not be reached.

    `status` is the HTTP status (`None` if there was no answer), `code` the provider's own word,
    `request_id` its name for the call, `model` the id that was asked, `text` what of the answer
    had arrived before it broke, `attempts` every attempt of the call with what was waited
    (`tokenfare.dispatch.Attempt`; untyped here because this layer is below it).
    `transient`: the same call may succeed later. `another_model_may`: a different one may now.
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
    """No answer: nothing listens there, the connection broke, or time ran out."""

    transient = True


class StreamBroken(ProviderUnreachable):
    """A streamed answer stopped before its end. `text` holds what arrived; it may be billed."""

    transient = False


class ProviderAnswerInvalid(ProviderError):  # noqa: N818 - as UnknownModel
    """An answer came that is not what the interface promises. `text` holds its words, if any."""


class AuthenticationError(ProviderError):
    """The key is wrong, or belongs to another region."""


class PermissionDeniedError(ProviderError):
    """The account may not use this model: not bought, or not approved."""

    another_model_may = True


class QuotaExhaustedError(ProviderError):
    """A free allowance is used up or the account is in arrears. Waiting does not help."""


class RateLimitError(ProviderError):
    """Too many requests or tokens per minute. Waiting helps."""

    transient = True
    another_model_may = True


class RateWaitTooLong(RateLimitError):  # noqa: N818 - as UnknownModel
    """A call would have waited too long for its turn below the model's rates. Nothing was sent."""

    transient = False


class ContextWindowExceededError(ProviderError):
    """The provider found the input longer than the model takes.

    `limit` is the bound that it named, in tokens, or `None`.
    """

    another_model_may = True
    limit: int | None = None


class OutputTooLongError(ProviderError):
    """The provider gives no answer as long as was asked for.

    `limit` is the bound that it named, in tokens, or `None`.
    """

    another_model_may = True
    limit: int | None = None


class ContentFilteredError(ProviderError):
    """The provider's content filter refused the input or stopped the answer."""

    another_model_may = True


class BadRequestError(ProviderError):
    """The provider refused the request for another reason of the caller's."""


class ModelNotServedError(ProviderError):
    """The endpoint does not know or no longer serves this model."""

    another_model_may = True


class DocumentError(ProviderError):
    """The provider could not take, read or find an uploaded document.

    `transient` if it is still being read.
    """


class ProviderFaultError(ProviderError):
    """The provider failed on its side (5xx). Trying again may help."""

    transient = True
    another_model_may = True

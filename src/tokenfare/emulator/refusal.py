"""Every refusal of the provider, with its status, code, type and wording.

Wordings are those of the provider's page of error codes (help.aliyun.com/zh/model-studio/error-code
as of 2026-06-25) and of recorded answers; where the page only describes a case, the words are the
emulator's own. No refusal repeats a key.
"""

from __future__ import annotations

from collections.abc import Sequence

from tokenfare.errors import TokenfareError


class Refusal(TokenfareError):  # noqa: N818 - what the provider does, not what broke
    """An answer that is an error: `status`, `code` and `type` as the provider gives them."""

    def __init__(  # noqa: PLR0913 - the fields of an error body
        self,
        status: int,
        code: str,
        message: str,
        *,
        kind: str | None = None,
        param: str | None = None,
        retry_after_seconds: float | None = None,
    ) -> None:
        """`kind` is the body's `type`; most refusals repeat their code there."""
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.kind: str = kind or code
        self.param = param
        self.retry_after_seconds = retry_after_seconds

    def compatible(self, request_id: str) -> dict[str, object]:
        """The body on the OpenAI-compatible endpoints."""
        error = {
            "message": self.message,
            "type": self.kind,
            "param": self.param,
            "code": self.code,
        }
        return {"error": error, "request_id": request_id}

    def native(self, request_id: str) -> dict[str, object]:
        """The body on the provider's own endpoints."""
        code = _NATIVE_CODES.get(self.code, self.code)
        return {"code": code, "message": self.message, "request_id": request_id}


_NATIVE_CODES = {
    "invalid_api_key": "InvalidApiKey",
    "invalid_parameter_error": "InvalidParameter",
    "model_not_found": "ModelNotFound",
    "limit_requests": "Throttling.RateQuota",
    "insufficient_quota": "Throttling.AllocationQuota",
    "limit_burst_rate": "Throttling.BurstRate",
    "data_inspection_failed": "DataInspectionFailed",
    "internal_error": "InternalError",
}

_SEE = "For details, see: https://help.aliyun.com/zh/model-studio/error-code"


def invalid(message: str, *, param: str | None = None) -> Refusal:
    """400: something in the request is invalid."""
    return Refusal(
        400, "invalid_parameter_error", message, kind="invalid_request_error", param=param
    )


def input_too_long(limit: int) -> Refusal:
    """400: the input has more tokens than the model takes; the bound named is its max input."""
    return invalid(
        f"<400> InternalError.Algo.InvalidParameter: Range of input length should be [1, {limit}]"
    )


def max_tokens_out_of_range(limit: int) -> Refusal:
    """400: more output asked for than the model gives."""
    return invalid(
        f"<400> InternalError.Algo.InvalidParameter: Range of max_tokens should be [1, {limit}]",
    )


def over_context(context: int, input_tokens: int, output_tokens: int) -> Refusal:
    """400: input and the output asked for do not fit together.

    What the provider does here is not recorded; these words name no input bound on purpose,
    because the model's input bound is another number.
    """
    return invalid(
        f"This model's maximum context length is {context} tokens. However, you requested "
        f"{input_tokens + output_tokens} tokens ({input_tokens} in the messages, "
        f"{output_tokens} in the completion). Please reduce the length of either one."
    )


def wrong_key() -> Refusal:
    """401."""
    message = f"Incorrect API key provided. {_SEE}"
    return Refusal(401, "invalid_api_key", message, kind="invalid_request_error")


def unknown_model(name: str) -> Refusal:
    """404: no such model on this day."""
    message = f"The model `{name}` does not exist or you do not have access to it."
    return Refusal(404, "model_not_found", message, kind="invalid_request_error", param="model")


def retired_model(name: str) -> Refusal:
    """403: the model was served once and is not any more."""
    return Refusal(403, "Endpoint.AccessDenied", f"Access denied: {name} is no longer served.")


def trial_spent() -> Refusal:
    """403: a model that can only be tried, and the account's trial is used up."""
    message = f"The free tier of the model has been exhausted. {_SEE}"
    return Refusal(403, "AllocationQuota.FreeTierOnly", message)


def not_approved() -> Refusal:
    """403: a model for which an account has to apply."""
    return Refusal(403, "Model.AccessDenied", "Model access denied.")


def too_many_requests(retry_after_seconds: float | None = None) -> Refusal:
    """429: more requests in this minute or second than the model's rate allows."""
    message = f"You exceeded your current requests list. {_SEE}"
    return Refusal(429, "limit_requests", message, retry_after_seconds=retry_after_seconds)


def too_many_tokens(retry_after_seconds: float | None = None) -> Refusal:
    """429: more tokens in this minute or second, in the provider's own misleading words."""
    message = "You exceeded your current quota, please check your plan and billing details."
    return Refusal(429, "insufficient_quota", message, retry_after_seconds=retry_after_seconds)


def too_sudden(retry_after_seconds: float | None = None) -> Refusal:
    """429: no limit is reached, but the rate rose too fast."""
    message = f"Request rate increased too quickly, please slow down your requests. {_SEE}"
    return Refusal(429, "limit_burst_rate", message, retry_after_seconds=retry_after_seconds)


def allowance_spent() -> Refusal:
    """429 like throttling, but a trial is used up and never comes back.

    Only the words say so; the code that comes with them is not recorded.
    """
    message = f"Free allocated quota exceeded. {_SEE}"
    return Refusal(429, "insufficient_quota", message)


def arrears() -> Refusal:
    """400: the account owes money."""
    message = f"Access denied, please make sure your account is in good standing. {_SEE}"
    return Refusal(400, "Arrearage", message)


def bill_overdue() -> Refusal:
    """429: a bill is overdue."""
    return Refusal(429, "PostpaidBillOverdue", f"The postpaid bill is overdue. {_SEE}")


def not_supported(name: str) -> Refusal:
    """404: a model that the compatible endpoint does not serve."""
    message = f"Unsupported model `{name}` for OpenAI compatibility mode."
    return Refusal(404, "model_not_supported", message, kind="invalid_request_error")


def filtered(which: str) -> Refusal:
    """400: the content filter stopped the `Input` or the `Output`."""
    message = f"{which} data may contain inappropriate content. {_SEE}"
    return Refusal(400, "data_inspection_failed", message)


def failed() -> Refusal:
    """500: the provider's own mistake."""
    return Refusal(500, "internal_error", f"An internal error has occured. {_SEE}")


def serving_failed() -> Refusal:
    """503: the model's servers failed."""
    return Refusal(503, "ModelServingError", "Failed to invoke backend of the model.")


def unavailable() -> Refusal:
    """503: the model is not there for the moment."""
    return Refusal(503, "ModelUnavailable", "Model is unavailable, please try again later.")


def timed_out() -> Refusal:
    """500: the answer took longer than the provider's 300 seconds."""
    message = "Request timed out, please try again later."
    return Refusal(500, "RequestTimeOut", message)


def too_large(limit: int) -> Refusal:
    """413: the body has more bytes than the endpoint takes."""
    return Refusal(413, "BadRequest.TooLarge", f"Payload Too Large. At most {limit} bytes.")


def file_too_large(limit: int) -> Refusal:
    """400: an uploaded file over the limit of its purpose."""
    return invalid(f"File exceeds size limit of {limit} bytes.", param="file")


def wrong_purpose(known: Sequence[str]) -> Refusal:
    """400: a purpose that the file service does not know."""
    message = f"'purpose' must be {' or '.join(map(repr, known))}"
    return invalid(message, param="purpose")


def no_such_place() -> Refusal:
    """404: no such path."""
    return Refusal(404, "NotFound", "Not found!", kind="invalid_request_error")


def no_such_method(method: str) -> Refusal:
    """405."""
    message = f"Request method '{method}' is not supported."
    return Refusal(405, "invalid_parameter_error", message, kind="invalid_request_error")


def broken(why: str) -> Refusal:
    """500: the emulator itself failed, and says at what."""
    return Refusal(500, "internal_error", f"An internal error has occured: {why}")

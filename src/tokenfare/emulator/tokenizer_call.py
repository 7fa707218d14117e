"""The provider's own tokenizer call: ids and texts of a content, without any template."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from tokenfare.catalog import Catalog
from tokenfare.errors import InvalidRequestError
from tokenfare.messages import parse

from .refusal import invalid
from .served import served
from .tokenizer import Tokenizer


def tokenized(
    body: object, catalog: Catalog, granted: Collection[str], tokenizer: Tokenizer
) -> dict[str, object]:
    """Answer `{"model", "input": {"messages" | "prompt"}}`."""
    if not isinstance(body, Mapping) or not isinstance(body.get("input"), Mapping):
        raise invalid("Required body invalid, please check the request body format.")
    served(str(body.get("model")), catalog, granted)
    ids = [token for text in _texts(body["input"]) for token in tokenizer.encode(text)]
    texts = [tokenizer.token_bytes(token).decode("utf-8", "replace") for token in ids]
    return {
        "output": {"token_ids": ids, "tokens": texts},
        "usage": {"input_tokens": len(ids)},
    }


def _texts(value: Mapping[str, object]) -> list[str]:
    prompt, messages = value.get("prompt"), value.get("messages")
    if isinstance(prompt, str):
        return [prompt]
    if not isinstance(messages, list):
        raise invalid('Either "prompt" or "messages" must exist and cannot both be none.')
    try:
        return [message.text for message in parse(messages)]
    except InvalidRequestError as error:
        raise invalid(str(error)) from error

"""A key that cannot be shown by accident, and where keys come from.

A `Secret` travels in place of the key through every value of this layer. It prints, formats and
logs as `***`, is refused by pickle and JSON, and gives the key away only to `reveal()`, which the
driver calls while it writes the header. Words from outside that become part of an error go through
`redact`.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from typing import NoReturn

from tokenfare.catalog import Provider
from tokenfare.errors import InvalidRequestError, MissingKey

SHOWN = "***"

# Local services get dummy keys such as `x` or `none`. Real keys are longer, and removing every `x`
# from a message would make it unreadable.
_SHORTEST = 6


class Secret:
    """A key. Only `reveal()` shows it."""

    __slots__ = ("__key",)

    def __init__(self, key: str) -> None:
        """Keep the key, without the white space that comes along when it is pasted.

        Raises `InvalidRequestError` for one that no header can carry: the HTTP library would
        quote it in its own message.
        """
        if not isinstance(key, str):
            raise InvalidRequestError(f"a key is a text, not {type(key).__name__}")
        key = key.strip()
        if not key:
            raise InvalidRequestError("the key is empty")
        if not (key.isascii() and key.isprintable()) or " " in key:
            raise InvalidRequestError(
                "the key holds characters that no key has (spaces, control or non-ASCII "
                "characters); was something else copied?"
            )
        self.__key = key

    def reveal(self) -> str:
        """The key itself."""
        return self.__key

    def redact(self, text: str) -> str:
        """The text without the key: endpoints quote it in their refusals."""
        return text if len(self.__key) < _SHORTEST else text.replace(self.__key, SHOWN)

    def __repr__(self) -> str:
        return f"Secret('{SHOWN}')"

    def __str__(self) -> str:
        return SHOWN

    def __format__(self, spec: str) -> str:
        return SHOWN

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self.__key, other.__key)

    def __hash__(self) -> int:
        return hash((Secret, self.__key))

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: object) -> Secret:
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError("a key is not written into a pickle; read it again on the other side")


def key_from(environment: Mapping[str, str], provider: Provider) -> Secret:
    """The provider's key from its variable in `environment`.

    Raises `MissingKey`, which names the variable.
    """
    variable = provider.key_variable
    if variable is None:
        raise MissingKey(
            f"no variable is known for the key of {provider.name}; give the key itself"
        )
    value = environment.get(variable, "")
    if not value.strip():
        raise MissingKey(
            f"{provider.name} wants a key and the variable {variable} "
            f"{'is empty' if variable in environment else 'is not set'}; "
            f"set it, or give api_key=… in Python (to an emulator, any word)"
        )
    try:
        return Secret(value)
    except InvalidRequestError as problem:
        raise MissingKey(f"{variable}: {problem}") from None

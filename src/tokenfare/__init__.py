"""Know what a prompt costs before it is sent, and send it to the cheapest model that takes it.

This is the complete public API. Names are loaded on first use: importing the package costs almost
nothing, and counting never loads an HTTP library.
"""

from __future__ import annotations

from importlib import import_module

TYPE_CHECKING = False  # as in typing, which takes long to import
if TYPE_CHECKING:
    from . import batch as batch
    from .api import conversation as conversation
    from .api import count_chats as count_chats
    from .api import count_image as count_image
    from .api import count_messages as count_messages
    from .api import fits as fits
    from .api import read_document as read_document
    from .api import replay as replay
    from .api import route as route
    from .api import routing_table as routing_table
    from .api import split as split
    from .api import trim as trim
    from .api import truncate as truncate
    from .budget import Fare as Fare
    from .budget import Fit as Fit
    from .budget import RequestCount as RequestCount
    from .budget import Trimmed as Trimmed
    from .budget import TrimPolicy as TrimPolicy
    from .catalog import Catalog as Catalog
    from .catalog import Model as Model
    from .client import AsyncClient as AsyncClient
    from .client import Client as Client
    from .client import Reply as Reply
    from .dispatch import RetryPolicy as RetryPolicy
    from .dispatch import Timeouts as Timeouts
    from .errors import CannotTrim as CannotTrim
    from .errors import CharacterTooLong as CharacterTooLong
    from .errors import NoModelFits as NoModelFits
    from .errors import ProviderError as ProviderError
    from .errors import TokenfareError as TokenfareError
    from .errors import UnknownModel as UnknownModel
    from .messages import Document as Document
    from .money import Money as Money
    from .router import Decision as Decision
    from .router import Requirements as Requirements
    from .router import RoutingTable as RoutingTable
    from .router import to_record as to_record
    from .router.headroom import headroom as headroom
    from .texts import count as count
    from .tokenizers import Count as Count
    from .tokenizers import Tokenizer as Tokenizer
    from .tokenizers import get_tokenizer as get_tokenizer
    from .usage import Usage as Usage

    __version__: str

_HOMES: dict[str, str | None] = {  # a name without a home is a module
    "AsyncClient": "client",
    "Catalog": "catalog",
    "CannotTrim": "errors",
    "CharacterTooLong": "errors",
    "Client": "client",
    "Count": "tokenizers",
    "Decision": "router",
    "Document": "messages",
    "Fare": "budget",
    "Fit": "budget",
    "Model": "catalog",
    "Money": "money",
    "NoModelFits": "errors",
    "ProviderError": "errors",
    "Reply": "client",
    "RequestCount": "budget",
    "Requirements": "router",
    "RetryPolicy": "dispatch",
    "RoutingTable": "router",
    "Timeouts": "dispatch",
    "TokenfareError": "errors",
    "Tokenizer": "tokenizers",
    "TrimPolicy": "budget",
    "Trimmed": "budget",
    "UnknownModel": "errors",
    "Usage": "usage",
    "batch": None,
    "conversation": "api",
    "count": "texts",
    "count_chats": "api",
    "count_image": "api",
    "count_messages": "api",
    "fits": "api",
    "get_tokenizer": "tokenizers",
    "headroom": "router.headroom",
    "read_document": "api",
    "replay": "api",
    "route": "api",
    "routing_table": "api",
    "split": "api",
    "to_record": "router",
    "trim": "api",
    "truncate": "api",
}

__all__ = [  # noqa: PLE0604 - the names are literal, in the table above
    *_HOMES,
]


def __getattr__(name: str) -> object:
    """Import a public name from its module on first use (PEP 562)."""
    if name == "__version__":
        return _version()
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = _HOMES[name]
    module = import_module(f".{home or name}", __name__)
    value: object = module if home is None else getattr(module, name)
    globals()[name] = value
    return value


def _version() -> str:
    """The installed version, looked up on first use.

    Anything but an `AttributeError` would make `hasattr` fail.
    """
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(__name__)
    except PackageNotFoundError:
        raise AttributeError(
            f"module {__name__!r} has no attribute '__version__': it is on the path, and not "
            "installed; pip install it"
        ) from None


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES, "__version__"})

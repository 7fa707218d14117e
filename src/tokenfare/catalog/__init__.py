"""What every model accepts and charges, on which day and according to which source.

Names are imported on first use: reading and validating files (`Catalog`) needs pydantic, while the
index that counting uses (`index`) needs no other module.
"""

from __future__ import annotations

from importlib import import_module

TYPE_CHECKING = False  # as in typing, which takes long to import
if TYPE_CHECKING:  # `__getattr__` imports these at run time, on first use
    from .catalog import Catalog as Catalog
    from .charging import AudioRules as AudioRules
    from .charging import ChatTemplate as ChatTemplate
    from .charging import ImageRules as ImageRules
    from .charging import ToolRules as ToolRules
    from .charging import VideoRules as VideoRules
    from .learnt import LearntLimits as LearntLimits
    from .model import Access as Access
    from .model import BatchRules as BatchRules
    from .model import CacheRules as CacheRules
    from .model import Confidence as Confidence
    from .model import Dispute as Dispute
    from .model import DocumentRules as DocumentRules
    from .model import Evidence as Evidence
    from .model import Kind as Kind
    from .model import Limits as Limits
    from .model import Mark as Mark
    from .model import MarkedCache as MarkedCache
    from .model import Model as Model
    from .model import OutputRoom as OutputRoom
    from .model import Price as Price
    from .model import Provider as Provider
    from .model import RateLimits as RateLimits
    from .model import Status as Status
    from .model import Throttle as Throttle
    from .model import Tier as Tier
    from .wording import PublishedTemplate as PublishedTemplate
    from .wording import ToolWording as ToolWording
    from .wording import published_template as published_template
    from .wording import tool_wording as tool_wording

_HOMES = {
    "Access": "model",
    "AudioRules": "charging",
    "BatchRules": "model",
    "CacheRules": "model",
    "Catalog": "catalog",
    "ChatTemplate": "charging",
    "Confidence": "model",
    "Dispute": "model",
    "DocumentRules": "model",
    "Evidence": "model",
    "ImageRules": "charging",
    "Kind": "model",
    "LearntLimits": "learnt",
    "Limits": "model",
    "Mark": "model",
    "MarkedCache": "model",
    "Model": "model",
    "OutputRoom": "model",
    "Price": "model",
    "Provider": "model",
    "PublishedTemplate": "wording",
    "RateLimits": "model",
    "Status": "model",
    "Throttle": "model",
    "Tier": "model",
    "ToolRules": "charging",
    "ToolWording": "wording",
    "VideoRules": "charging",
    "published_template": "wording",
    "tool_wording": "wording",
}

__all__ = [  # noqa: PLE0604 - the names are literal, in the table above
    *_HOMES,
]


def __getattr__(name: str) -> object:
    """Import a name from its module on first use (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{_HOMES[name]}", __name__), name)
    globals()[name] = value
    return value

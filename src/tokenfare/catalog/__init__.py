"""What every model accepts and charges, on which day and according to whom.

The values are plain and cheap to import. `Catalog` reads and checks files, which takes pydantic;
it is imported on first use, so that counting does without.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .charging import AudioRules as AudioRules
from .charging import ChatTemplate as ChatTemplate
from .charging import ImageRules as ImageRules
from .charging import ToolRules as ToolRules
from .charging import VideoRules as VideoRules
from .learnt import Learnt as Learnt
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

if TYPE_CHECKING:  # not for a cycle: the run-time import waits in `__getattr__`
    from .catalog import Catalog as Catalog

__all__ = [
    "Access",
    "AudioRules",
    "BatchRules",
    "CacheRules",
    "Catalog",
    "ChatTemplate",
    "Confidence",
    "Dispute",
    "DocumentRules",
    "Evidence",
    "ImageRules",
    "Kind",
    "Learnt",
    "Limits",
    "Mark",
    "MarkedCache",
    "Model",
    "OutputRoom",
    "Price",
    "Provider",
    "PublishedTemplate",
    "RateLimits",
    "Status",
    "Throttle",
    "Tier",
    "ToolRules",
    "ToolWording",
    "VideoRules",
    "published_template",
    "tool_wording",
]


def __getattr__(name: str) -> object:
    """Import `Catalog` when it is first asked for (PEP 562)."""
    if name == "Catalog":
        from .catalog import Catalog

        return Catalog
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

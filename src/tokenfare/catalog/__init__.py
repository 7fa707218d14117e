"""What every model accepts and charges, on which day and according to whom."""

from __future__ import annotations

from .model import Access as Access
from .model import ChatTemplate as ChatTemplate
from .model import Confidence as Confidence
from .model import DocumentRules as DocumentRules
from .model import Evidence as Evidence
from .model import Kind as Kind
from .model import Limits as Limits
from .model import Mark as Mark
from .model import Model as Model
from .model import OutputRoom as OutputRoom
from .model import Price as Price
from .model import Provider as Provider
from .model import RateLimits as RateLimits
from .model import Status as Status
from .model import Tier as Tier

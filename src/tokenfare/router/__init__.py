"""Which model takes a request for the least money, and why no other."""

from __future__ import annotations

from .decide import SizeFor as SizeFor
from .decide import decide as decide
from .decision import Decision as Decision
from .decision import Ranked as Ranked
from .filters import Rejection as Rejection
from .requirements import DEFAULT_ACCESS as DEFAULT_ACCESS
from .requirements import Requirements as Requirements

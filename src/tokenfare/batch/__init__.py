"""Jobs of many requests: what they cost, on which models, and the files to send.

Plans; it sends nothing.
"""

from __future__ import annotations

from .choosing import Service as Service
from .folder import Written as Written
from .plan import Longest as Longest
from .plan import Plan as Plan
from .planning import Progress as Progress
from .planning import plan as plan
from .reading import SetAside as SetAside
from .requests import Columns as Columns
from .totals import Alone as Alone
from .totals import Share as Share

"""Choose the cheapest model that certainly takes a request, and explain the choice."""

from __future__ import annotations

from .decide import decide as decide
from .decision import Decision as Decision
from .decision import SameSize as SameSize
from .filters import Rejection as Rejection
from .headroom import Cut as Cut
from .headroom import Headroom as Headroom
from .headroom import headroom as headroom
from .intervals import Interval as Interval
from .judge import Ranked as Ranked
from .judge import SizeFor as SizeFor
from .judge import served_as as served_as
from .question import Question as Question
from .record import to_record as to_record
from .requirement_options import RequirementOptions as RequirementOptions
from .requirement_options import requirements_from as requirements_from
from .requirements import MODALITIES as MODALITIES
from .requirements import Requirements as Requirements
from .routing_table import RoutingTable as RoutingTable
from .settle import settle as settle
from .sizing import Arrange as Arrange
from .sizing import Effort as Effort
from .sizing import MeasurerFor as MeasurerFor
from .sizing import Sizing as Sizing
from .uncertainty import Contender as Contender
from .unknown_words import refuse_unknown_words as refuse_unknown_words
from .way_out import way_out as way_out

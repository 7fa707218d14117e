"""How large a request is, whether it fits, and what it costs."""

from __future__ import annotations

from .bulk_totals import count_chats as count_chats
from .common_prefix import count_beginning as count_beginning
from .control_tokens import ControlToken as ControlToken
from .conversation import Conversation as Conversation
from .documents import count_document as count_document
from .fare import CacheHits as CacheHits
from .fare import Fare as Fare
from .fare import amounts_of as amounts_of
from .fare import billed as billed
from .fare import expected_fare as expected_fare
from .fare import fare_of as fare_of
from .fit import DEFAULT_MAX_OUTPUT_TOKENS as DEFAULT_MAX_OUTPUT_TOKENS
from .fit import Fit as Fit
from .fit import Verdict as Verdict
from .fit import check_input as check_input
from .fit import check_output as check_output
from .fit import fit as fit
from .fit import input_room as input_room
from .fit import largest_answer as largest_answer
from .images import image_tokens as image_tokens
from .images import most_tokens as most_tokens
from .options import NO_OPTIONS as NO_OPTIONS
from .options import OPTION_NAMES as OPTION_NAMES
from .options import Options as Options
from .options import check_room as check_room
from .options import options_of as options_of
from .request import count_request as count_request
from .request_count import Part as Part
from .request_count import RequestCount as RequestCount
from .rules import Rules as Rules
from .rules import rules_of as rules_of
from .rules import rules_of_template as rules_of_template
from .transport import PreparedRequest as PreparedRequest
from .transport import RequestPreparer as RequestPreparer
from .transport import counting_key as counting_key
from .transport import prepare as prepare
from .trim import Dropped as Dropped
from .trim import Shortened as Shortened
from .trim import Trimmed as Trimmed
from .trim import TrimPolicy as TrimPolicy
from .trim import trim as trim

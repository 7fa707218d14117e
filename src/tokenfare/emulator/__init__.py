"""An offline emulator of the provider on loopback, for tests of applications and of this library.

    with running(Emulator(Catalog.load(), tokenizer)) as base_url:
        ...

It enforces each model's limits and rates, bills by counting the chat as the model reads it, answers
in the provider's formats, and fails as it is told to. It shares no counting or sending code with
this library: the tokenizer is passed in. Importing this loads no server; the first use does, and
needs `tokenfare[emulator]`.
"""

from __future__ import annotations

from .call_log import Call as Call
from .call_log import CallLog as CallLog
from .emulator import Emulator as Emulator
from .fault_names import named as named
from .faults import Attempt as Attempt
from .faults import Break as Break
from .faults import Delay as Delay
from .faults import Drop as Drop
from .faults import Interrupt as Interrupt
from .faults import Misbill as Misbill
from .faults import Page as Page
from .faults import Parse as Parse
from .faults import Refuse as Refuse
from .faults import Spoil as Spoil
from .faults import Stall as Stall
from .faults import Trickle as Trickle
from .faults import both as both
from .faults import scripted as scripted
from .faults import throttled as throttled
from .rates import RateRules as RateRules
from .replies import AcceptedRequest as AcceptedRequest
from .replies import Reply as Reply
from .replies import echo as echo
from .script import FaultScript as FaultScript
from .script import Rule as Rule
from .script import rule as rule
from .script import worst_day as worst_day
from .server import GRACE_SECONDS as GRACE_SECONDS
from .server import running as running
from .server import serve as serve
from .tokenizer import Tokenizer as Tokenizer
from .tokenizer import TooHardToCount as TooHardToCount
from .via_tiktoken import TiktokenTokenizer as TiktokenTokenizer

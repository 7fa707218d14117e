"""Jobs of many requests: what they cost, on which models, the files to send, and what came back.

`plan` sends nothing. `submit`, `wait` and `collect` are the way through the provider's batch
service, `run` the one through its ordinary endpoint; each can be killed and called again.
"""

from __future__ import annotations

from .arrow import batch_schema as batch_schema
from .arrow import plan_batches as plan_batches
from .assembling import assemble as assemble
from .bills import Bill as Bill
from .bills import Collected as Collected
from .bills import Outside as Outside
from .choosing import Service as Service
from .collecting import collect as collect
from .deadline import Deadline as Deadline
from .deadline import Lane as Lane
from .direct import Sending as Sending
from .direct import run as run
from .folder import Written as Written
from .plan import Longest as Longest
from .plan import Plan as Plan
from .planning import Progress as Progress
from .planning import plan as plan
from .reading import Columns as Columns
from .reading import Form as Form
from .reading import SetAside as SetAside
from .report import report as report
from .retrying import replan as replan
from .sampling import Estimate as Estimate
from .sampling import Interval as Interval
from .sampling import estimate as estimate
from .shared import Prefix as Prefix
from .shared import Repeat as Repeat
from .shared import Shared as Shared
from .submitting import submit as submit
from .totals import Alone as Alone
from .totals import Share as Share
from .watching import FileState as FileState
from .watching import Status as Status
from .watching import cancel as cancel
from .watching import status as status
from .watching import wait as wait

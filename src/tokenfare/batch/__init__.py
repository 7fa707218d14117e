"""Jobs of many requests: plan them, send them, collect the answers, and check the bill.

`plan` chooses a model for each request and writes the files to send; it sends nothing. `submit`,
`wait` and `collect` go through the provider's batch service, and `run` through its ordinary
endpoint. Each can be killed at any point and called again.
"""

from __future__ import annotations

from .choice.services import Service as Service
from .choice.totals import OnOneModel as OnOneModel
from .choice.totals import Share as Share
from .deadlines.deadline import Deadline as Deadline
from .deadlines.deadline import Lane as Lane
from .engines.arrow import batch_schema as batch_schema
from .engines.arrow import plan_batches as plan_batches
from .engines.assembling import assemble as assemble
from .finished_plan import LongestRequest as LongestRequest
from .finished_plan import Plan as Plan
from .inputs.reading import Form as Form
from .inputs.record import Columns as Columns
from .inputs.record import SetAside as SetAside
from .output.folder import PlanFile as PlanFile
from .planning import Progress as Progress
from .planning import plan as plan
from .prefixes.savings import Prefix as Prefix
from .prefixes.savings import Repeat as Repeat
from .prefixes.savings import SharedPrefixes as SharedPrefixes
from .reports.report import report as report
from .runs.billing import Bill as Bill
from .runs.billing import Collected as Collected
from .runs.billing import OffPrediction as OffPrediction
from .runs.collecting import collect as collect
from .runs.direct import Sending as Sending
from .runs.direct import run as run
from .runs.fetching import Fetching as Fetching
from .runs.polling import FileState as FileState
from .runs.polling import Status as Status
from .runs.polling import cancel as cancel
from .runs.polling import status as status
from .runs.polling import wait as wait
from .runs.replanning import replan as replan
from .runs.submitting import submit as submit
from .sampling import ConfidenceInterval as ConfidenceInterval
from .sampling import Estimate as Estimate
from .sampling import estimate as estimate

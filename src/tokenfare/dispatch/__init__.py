"""Send calls to an OpenAI-compatible endpoint, with retries, streaming and uploads.

A flow (`chat`, `chat_stream`, `upload`) is written once, without I/O; `drive` runs it on an
`httpx.Client`, `adrive` on an `httpx.AsyncClient`, or on those of httpx2. Errors are classified by
meaning, not by status, and raised after every retry that may help. The model is chosen elsewhere;
nothing here knows prices or counts tokens. Importing this imports no HTTP library.
"""

from tokenfare.messages import NEUTRAL_ROLE as NEUTRAL_ROLE

from .admission import Admission as Admission
from .batches import BatchFile as BatchFile
from .batches import Job as Job
from .batches import cancel_job as cancel_job
from .batches import cancel_others as cancel_others
from .batches import create_job as create_job
from .batches import find_jobs as find_jobs
from .batches import get_job as get_job
from .batches import upload_batch as upload_batch
from .call import Answer as Answer
from .call import Attachment as Attachment
from .call import Attempt as Attempt
from .call import Call as Call
from .call import Delta as Delta
from .call import Outcome as Outcome
from .call import UploadedFile as UploadedFile
from .call import UploadProgress as UploadProgress
from .chat import chat as chat
from .chat import chat_stream as chat_stream
from .documents import delete as delete
from .documents import upload as upload
from .downloads import PartialFile as PartialFile
from .downloads import Sink as Sink
from .downloads import download as download
from .drivers import AsyncStream as AsyncStream
from .drivers import Stream as Stream
from .drivers import adrive as adrive
from .drivers import drive as drive
from .effects import Emit as Emit
from .effects import Flow as Flow
from .effects import RunBlocking as RunBlocking
from .effects import WaitFor as WaitFor
from .endpoint import Endpoint as Endpoint
from .endpoint import Timeouts as Timeouts
from .endpoint import endpoint_for as endpoint_for
from .error_meaning import error_from_response as error_from_response
from .exchange import Channel as Channel
from .exchange import Runtime as Runtime
from .key_file import KeyFile as KeyFile
from .pauses import OnWait as OnWait
from .pauses import Pause as Pause
from .pauses import RateWait as RateWait
from .pauses import Retry as Retry
from .retry_policy import NO_RETRIES as NO_RETRIES
from .retry_policy import RetryPolicy as RetryPolicy
from .secret import Secret as Secret
from .secret import key_from as key_from
from .shared_uploads import SharedUploads as SharedUploads
from .upload_policy import Claims as Claims
from .upload_policy import FileHandling as FileHandling
from .upload_policy import FileMemory as FileMemory

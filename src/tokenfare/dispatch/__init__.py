"""Send calls to an OpenAI-compatible endpoint, with retries, streaming and uploads.

A flow (`chat`, `chat_stream`, `upload`) is written once, without I/O; `drive` runs it on an
`httpx.Client`, `adrive` on an `httpx.AsyncClient`, or on those of httpx2. Errors are classified by
meaning, not by status, and raised after every retry that may help. The model is chosen elsewhere;
nothing here knows prices or counts tokens. Importing this imports no HTTP library.
"""

from tokenfare.messages import NEUTRAL_ROLE

from .admission import Admission
from .batches import (
    BatchFile,
    Job,
    cancel_job,
    cancel_others,
    create_job,
    find_jobs,
    get_job,
    upload_batch,
)
from .call import (
    Answer,
    Attachment,
    Attempt,
    Call,
    Delta,
    Outcome,
    UploadedFile,
    UploadProgress,
)
from .chat import chat, chat_stream
from .documents import delete, upload
from .downloads import PartialFile, Sink, download
from .drivers import AsyncStream, Stream, adrive, drive
from .effects import Emit, Flow, RunBlocking, WaitFor
from .endpoint import Endpoint, Timeouts, endpoint_for
from .error_meaning import error_from_response
from .exchange import Channel, Runtime
from .key_file import KeyFile
from .pauses import OnWait, Pause, RateWait, Retry
from .retry_policy import NO_RETRIES, RetryPolicy
from .secret import Secret, key_from
from .shared_uploads import SharedUploads
from .upload_policy import Claims, FileHandling, FileMemory

__all__ = [
    "NEUTRAL_ROLE",
    "NO_RETRIES",
    "Admission",
    "Answer",
    "AsyncStream",
    "Attachment",
    "Attempt",
    "BatchFile",
    "Call",
    "Channel",
    "Claims",
    "Delta",
    "Emit",
    "Endpoint",
    "FileHandling",
    "FileMemory",
    "Flow",
    "Job",
    "KeyFile",
    "OnWait",
    "Outcome",
    "PartialFile",
    "Pause",
    "RateWait",
    "Retry",
    "RetryPolicy",
    "RunBlocking",
    "Runtime",
    "Secret",
    "SharedUploads",
    "Sink",
    "Stream",
    "Timeouts",
    "UploadProgress",
    "UploadedFile",
    "WaitFor",
    "adrive",
    "cancel_job",
    "cancel_others",
    "chat",
    "chat_stream",
    "create_job",
    "delete",
    "download",
    "drive",
    "endpoint_for",
    "error_from_response",
    "find_jobs",
    "get_job",
    "key_from",
    "upload",
    "upload_batch",
]

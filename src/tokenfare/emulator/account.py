"""One customer's account at the provider: keys, files, what may be called, and what was billed.

Everything that could differ between two runs is handed in: the day comes with the catalogue, the
time from `clock`, the answers from `replies`, mishaps from `faults`. Knows no HTTP.
"""

from __future__ import annotations

import itertools
import sys
import threading
import time
import uuid
from collections.abc import Callable, Collection, Iterable
from dataclasses import replace

from tokenfare.catalog import Catalog
from tokenfare.usage import Usage

from . import faults as no_faults
from .answer import Completion, choice
from .batch import Batch
from .bill import input_tokens, room
from .call_log import CallLog
from .faults import Faults
from .files import FileStore
from .rates import Meter, RateRules
from .refusal import wrong_key, wrong_purpose
from .replies import AcceptedRequest, Replies, Reply, echo, scripted
from .request_body import ChatRequest
from .tokenizer import Tokenizer

PROVIDER = "dashscope"


class Account:
    """What the provider knows of its customer, with the facts of one day.

    Attributes:
        keys: The API keys that are accepted; `None` for any key.
        replies: A function that answers, or a list of answers.
        faults: A hook that is asked before each call is answered.
        granted: Ids that may be called although they need an approval or a trial quota.
        looks_until_parsed: How many queries of a new file report that it is being parsed.
        batch_looks_until_checked: How many queries of a new batch report that it is being checked.
        batch_lines_a_look: How many lines of a batch are answered at each query.
        rates: The rate limits that are enforced; `None` for none.
        ranges: Whether parts of a file can be requested.
        calls: The log of the calls, with their bills.
    """

    def __init__(  # noqa: PLR0913 - every seam is an argument, and all but two have a default
        self,
        catalog: Catalog,
        tokenizer: Tokenizer,
        *,
        keys: Collection[str] | None = None,
        replies: Replies | Iterable[Reply | str] = echo,
        faults: Faults = no_faults.none,
        granted: Collection[str] = (),
        looks_until_parsed: int = 1,
        batch_looks_until_checked: int = 1,
        batch_lines_a_look: int = 50_000,
        rates: RateRules | None = None,
        ranges: bool = True,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Start without files and calls. Nothing listens yet."""
        self.catalog = catalog
        self.tokenizer = tokenizer
        self.faults = faults
        self.granted: frozenset[str] = frozenset(granted)
        self.files: FileStore = FileStore(clock, looks_until_parsed)
        self.batches: dict[str, Batch] = {}
        self.batch_looks_until_checked = batch_looks_until_checked
        self.batch_lines_a_look = batch_lines_a_look
        self.batch_lock: threading.Lock = threading.Lock()
        self.calls: CallLog = CallLog()
        self.meter: Meter = Meter(rates)
        self.ranges = ranges
        self.clock = clock
        self.arrivals: itertools.count[int] = itertools.count(1)
        self._keys = None if keys is None else frozenset(keys)
        self.replies = replies

    def check_key(self, authorization: str) -> None:
        """Raise the provider's 401 unless the header carries an accepted key."""
        scheme, _, key = authorization.partition(" ")
        key = key.strip()
        known = bool(key) if self._keys is None else key in self._keys
        if scheme.lower() != "bearer" or not known:
            raise wrong_key()

    @property
    def replies(self) -> Replies:
        """What chats are answered with. Assign a function, or a list of answers, one for each."""
        return self._replies

    @replies.setter
    def replies(self, replies: Replies | Iterable[Reply | str]) -> None:
        self._replies: Replies = replies if callable(replies) else scripted(replies)

    @property
    def max_body_bytes(self) -> int:
        """The largest request body by the catalogue, in bytes; `None` for no limit."""
        most = self.catalog.provider(PROVIDER).max_body_bytes
        return sys.maxsize if most is None else most

    def file_limit(self, purpose: str) -> int:
        """The largest file of a purpose, in bytes. Raises `Refusal` for an unknown purpose."""
        limits = {
            rules.purpose: rules.max_file_bytes
            for model in self.catalog.models()
            if (rules := model.documents) is not None
        }
        batch = self.catalog.provider(PROVIDER).batch
        if batch is not None:
            limits["batch"] = batch.max_file_bytes
        if purpose not in limits:
            raise wrong_purpose(sorted(limits, reverse=True))
        return limits[purpose]

    def complete(self, request: ChatRequest, *, metered: bool = True) -> Completion:
        """Bill a chat and answer it. Raises `Refusal` if the model would not take it.

        Chats that are not `metered` (lines of a batch) do not count towards rate limits.
        """
        billed = input_tokens(request, self.files, self.tokenizer)
        most = room(request, billed)
        if metered:
            self.meter.admit(request.model, billed, self.clock())
        accepted = AcceptedRequest(
            request.name,
            request.messages,
            request.tools,
            billed,
            request.json_mode,
            request.thinking,
        )
        choices = tuple(
            choice(self._reply(accepted), most, request.stop, self.tokenizer)
            for _ in range(request.choices)
        )
        usage = Usage(
            billed,
            sum(c.tokens for c in choices),
            reasoning=sum(c.reasoning_tokens for c in choices),
        )
        if metered:
            self.meter.settle(request.model, usage.output_tokens, self.clock())
        return Completion(
            id=f"chatcmpl-{uuid.uuid4()}",
            created=int(self.clock()),
            model=request.name,
            choices=choices,
            usage=usage,
        )

    def _reply(self, request: AcceptedRequest) -> Reply:
        reply = self._replies(request)
        reply = Reply(reply) if isinstance(reply, str) else reply
        return reply if request.thinking else replace(reply, reasoning="")

"""The provider, offline, on loopback: for tests of applications that call it, and for ours.

    with running(Emulator(Catalog.load(), tokenizer)) as base_url:
        ...

It enforces each model's limits, bills by counting the chat as the model reads it, and answers in
the provider's shapes. It imports nothing that counts or sends for this library: the tokenizer is
handed in. Importing this loads no server; the first use does, and needs `tokenfare[emulator]`.
"""

from __future__ import annotations

from .books import Books as Books
from .books import Call as Call
from .emulator import Emulator as Emulator
from .emulator import create_app as create_app
from .faults import Attempt as Attempt
from .faults import Delay as Delay
from .faults import Drop as Drop
from .faults import Refuse as Refuse
from .faults import scripted as scripted
from .faults import throttled as throttled
from .rates import RateRules as RateRules
from .replies import Asked as Asked
from .replies import Reply as Reply
from .replies import echo as echo
from .server import running as running
from .server import serve as serve
from .tokenizer import Tokenizer as Tokenizer
from .tokenizer import TooHardToCount as TooHardToCount
from .via_tiktoken import TiktokenTokenizer as TiktokenTokenizer

__all__ = [
    "Asked",
    "Attempt",
    "Books",
    "Call",
    "Delay",
    "Drop",
    "Emulator",
    "RateRules",
    "Refuse",
    "Reply",
    "TiktokenTokenizer",
    "Tokenizer",
    "TooHardToCount",
    "create_app",
    "echo",
    "running",
    "scripted",
    "serve",
    "throttled",
]

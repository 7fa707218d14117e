"""An OpenAI-compatible server in front of the provider, for applications in any language.

    async with AsyncClient() as client:
        ... Gateway(client) ...          # an ASGI application

An application changes its base URL; the gateway chooses the model, keeps to rates and ceilings,
tries again, writes the ledger, and answers in OpenAI's form. It is a client (`tokenfare.client`)
and a way to reach it: nothing is decided, counted or sent here. Importing this loads no server; the
first use does, and needs `tokenfare[gateway]`.
"""

from __future__ import annotations

from .gateway import MAX_BODY_BYTES as MAX_BODY_BYTES
from .gateway import ROOM as ROOM
from .gateway import Gateway as Gateway
from .keys import TOKENS_VARIABLE as TOKENS_VARIABLE
from .keys import Token as Token
from .keys import tokens_in as tokens_in
from .keys import tokens_of as tokens_of
from .server import GRACE_SECONDS as GRACE_SECONDS
from .server import check_reach as check_reach
from .server import running as running
from .server import serve as serve

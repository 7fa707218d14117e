"""One call from its first model to its reply, as a flow: no I/O here, both clients run it.

A failure that another model may mend moves on to the next of the ranking. A stream that has begun
is never followed by another model's answer: its error ends the call.
"""

from __future__ import annotations

from tokenfare import dispatch
from tokenfare.dispatch import Answer, Flow
from tokenfare.errors import ProviderError

from .plan import Climb, Ladder, Reply, Step
from .settings import Settings


def conversation(ladder: Ladder, settings: Settings, *, streamed: bool) -> Flow[Reply]:
    """Ask the models of a ladder until one answers; with `streamed`, emit the answer's pieces."""
    climb = Climb(ladder)
    while True:
        step = climb.next()
        try:
            answer = yield from _asked(step, settings, streamed=streamed)
        except ProviderError as error:
            climb.failed(error)
        else:
            return climb.answered(step, answer)


def _asked(step: Step, settings: Settings, *, streamed: bool) -> Flow[Answer]:
    ask = dispatch.chat_stream if streamed else dispatch.chat
    return ask(step.call, settings.line, settings.files)

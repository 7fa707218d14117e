"""One call from its first model to its reply, as a flow: no I/O here, both clients run it.

After a failure that another model may not have, the next model of the ranking is called. A stream
that has begun is never continued by another model: its error ends the call. However a call ends, it
is one entry in the ledger, with one bill at most.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from tokenfare import dispatch
from tokenfare.dispatch import Answer, Flow, RunBlocking
from tokenfare.errors import ProviderError
from tokenfare.ledger import Intent
from tokenfare.limiter import Claim

from .bookkeeping import Entry
from .escalation import Escalation
from .instrumentation import Observation
from .model_ladder import Ladder, Step
from .reply import Reply
from .settings import Settings


def call_flow(ladder: Ladder, settings: Settings, *, streamed: bool) -> Flow[Reply]:
    """Ask the models of a ladder until one answers; with `streamed`, emit the answer's pieces."""
    entry = Entry(settings.books)
    seen = Observation(ladder, settings, streamed=streamed)
    try:
        reply = yield from seen.over(_climbed(ladder, settings, entry, seen, streamed=streamed))
        seen.answered(reply)
        yield from entry.answered(reply)
    except GeneratorExit as left:  # the flow is discarded, and its effects are not run any more
        seen.failed(left)
        entry.dropped()
        raise
    except BaseException as error:
        seen.failed(error)
        yield from entry.failed(error)
        raise
    return reply


def _climbed(
    ladder: Ladder, settings: Settings, entry: Entry, seen: Observation, *, streamed: bool
) -> Flow[Reply]:
    escalation = Escalation(ladder, settings.learning, filtered_too=settings.escalate_filtered)
    clock = settings.channel.runtime.clock
    until = clock() + settings.channel.endpoint.timeouts.total
    while True:
        step = escalation.next()
        yield from entry.intend(_intent(step, ladder, settings))
        try:
            answer = yield from _asked(step, settings, seen, until, streamed=streamed)
        except ProviderError as error:
            escalation.failed(error, step)
            if clock() >= until:
                raise
        else:
            return escalation.answered(step, answer)


def _asked(
    step: Step, settings: Settings, seen: Observation, until: float, *, streamed: bool
) -> Flow[Answer]:
    """One model's answer, within the time of the whole call; uploads have their own timeouts."""
    ask = dispatch.chat_stream if streamed else dispatch.chat
    room = step.answers * (step.call.max_output_tokens or 0)
    claim = Claim(step.prepared.count.total.high, room)
    channel = replace(
        settings.channel,
        until=None if step.call.documents else until,
        admission=settings.pace.admission(
            step.model, claim, settings.channel.on_wait, seen.on_turn
        ),
    )
    return ask(step.call, channel, settings.files)


def _intent(step: Step, ladder: Ladder, settings: Settings) -> Intent:
    decision, count = ladder.decision, step.prepared.count
    return Intent(
        model=step.model.id,
        predicted=count.total,
        max_output_tokens=step.answers * decision.requirements.max_output_tokens,
        fare=step.fare.high,
        decided=decision.model.id,
        decision=f"{decision.day} {decision.digest}",
        parts={part.kind: count.of(part.kind).value for part in count.parts},
        project=settings.books.project,
        endpoint=settings.books.endpoint,
    )


def cleaned_up(settings: Settings) -> Flow[tuple[str, ...]]:
    """Delete and forget every remembered upload. Returns the ids of those that are left."""
    files = yield RunBlocking(settings.uploads.all)
    models = settings.learning.catalog.models(all=True)
    reader = next((model for model in models if model.documents is not None), None)
    if reader is None:
        return ()
    left = yield from dispatch.delete(files, reader, settings.channel)
    for file in files:
        if file.id not in left:
            yield RunBlocking(partial(settings.uploads.forget, file))
    return left

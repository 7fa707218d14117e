"""A chat as it will be asked: by which client, what is asked of the model, with how much room.

Where a request does not say how long its answer may be, the room that was taken for it gives way to
what models have: as at the provider, an answer may then be as long as is left beside the input.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import anyio.to_thread

from tokenfare import api
from tokenfare.budget import largest_answer
from tokenfare.client import AsyncClient
from tokenfare.errors import NoModelFits
from tokenfare.router import Decision, Rejection, Requirements, served_as

from .asked import Chat
from .names import as_keywords


@dataclass(frozen=True, slots=True)
class Question:
    """A chat and all that is decided of it before its size is known."""

    chat: Chat
    client: AsyncClient
    asked: Requirements
    room: int

    def keywords(self) -> dict[str, Any]:
        """What is asked, as a client's calls take it."""
        return as_keywords(replace(self.asked, max_output_tokens=self.room))

    async def decision(self) -> Decision:
        """What it would be routed to, counted to the end; one without a model if none takes it."""
        try:
            return await anyio.to_thread.run_sync(self._counted)
        except NoModelFits as none:
            found = none.decision
            if not isinstance(found, Decision):
                raise
        room = self._less(found)
        return found if room is None else await replace(self, room=room).decision()

    async def smaller(self, none: NoModelFits) -> Question:
        """The same with room that a model has; raises `none` if there is no other way.

        A call counts no further than it must to refuse, so how much there is, is counted now.
        """
        if self.chat.room is not None:
            raise none
        decision = await self.decision()
        if not decision.found:
            raise NoModelFits(str(none), decision) from None
        return replace(self, room=decision.asked.max_output_tokens)

    def _counted(self) -> Decision:
        return api.route(
            self.chat.messages,
            parameters=self.chat.extra,
            exact=True,
            profile=self.client.requirements(**self.keywords()),
            catalog=self.client.catalog,
        )

    def _less(self, decision: Decision) -> int | None:
        """The most room that a model has which was refused for want of it."""
        if self.chat.room is not None:
            return None
        rooms = (_most(refusal, decision) for refusal in decision.rejected if refusal.over)
        return max((room for room in rooms if 0 < room < self.room), default=None)


def _most(refusal: Rejection, decision: Decision) -> int:
    model = served_as(refusal.model, decision.asked)
    return largest_answer(model, decision.sizes(refusal.model)) or 0

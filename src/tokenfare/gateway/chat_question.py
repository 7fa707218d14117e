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

from .chat_body import Chat
from .model_names import as_keywords


@dataclass(frozen=True, slots=True)
class Question:
    """A chat and all that is decided of it before its size is known.

    `beyond` is what is asked of the model where none does that meets `requirements`.
    """

    chat: Chat
    client: AsyncClient
    requirements: Requirements
    beyond: Requirements | None = None

    def keywords(self) -> dict[str, Any]:
        """What is asked, as a client's calls take it."""
        return as_keywords(self.requirements)

    async def decision(self) -> Decision:
        """What it would be routed to, counted to the end; one without a model if none takes it."""
        decision = await self._decision()
        if decision.found or self.beyond is None:
            return decision
        return await replace(self, requirements=self.beyond, beyond=None).decision()

    async def instead(self, none: NoModelFits) -> Question:
        """What to ask where no model takes this; raises `none` if there is no other way.

        That is the same with room that a model has, or what is asked beyond. A call counts no
        further than it must to refuse, so how much room there is, is counted now.
        """
        if self.chat.room is None:
            decision = await self._decision()
            if decision.found:
                return self._with_room(decision.requirements.max_output_tokens)
            none = NoModelFits(str(none), decision)
        if self.beyond is None:
            raise none from None
        return replace(self, requirements=self.beyond, beyond=None)

    async def _decision(self) -> Decision:
        try:
            return await anyio.to_thread.run_sync(self._counted)
        except NoModelFits as none:
            found = none.decision
            if not isinstance(found, Decision):
                raise
        room = self._less(found)
        if room is None:
            return found
        return await replace(self._with_room(room), beyond=None).decision()

    def _with_room(self, room: int) -> Question:
        expected = self.requirements.expected_output_tokens
        if expected is not None:
            expected = min(expected, room)
        requirements = replace(
            self.requirements, max_output_tokens=room, expected_output_tokens=expected
        )
        return replace(self, requirements=requirements)

    def _counted(self) -> Decision:
        return api.route(
            self.chat.messages,
            parameters=self.chat.parameters,
            exact=True,
            profile=self.client.requirements(**self.keywords()),
            catalog=self.client.catalog,
        )

    def _less(self, decision: Decision) -> int | None:
        """The most room that a model has which was refused for want of it."""
        if self.chat.room is not None:
            return None
        rooms = (_most(refusal, decision) for refusal in decision.rejected if refusal.over)
        return max(
            (room for room in rooms if 0 < room < self.requirements.max_output_tokens), default=None
        )


def _most(refusal: Rejection, decision: Decision) -> int:
    model = served_as(refusal.model, decision.requirements)
    return largest_answer(model, decision.sizes(refusal.model)) or 0

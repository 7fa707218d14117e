"""A chat as the gateway asks it: with which client, requirements and room for the answer.

If a request does not limit its answer, the room that the gateway assumes is reduced to what models
have: as at the provider, the answer may be as long as the limits leave beside the input.
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
    """A chat, and everything that is decided about it before its size is known.

    `beyond` are the requirements to use if no model meets `requirements`.
    """

    chat: Chat
    client: AsyncClient
    requirements: Requirements
    beyond: Requirements | None = None

    def keywords(self) -> dict[str, Any]:
        """The arguments of the client's call."""
        return as_keywords(self.requirements)

    async def decision(self) -> Decision:
        """The routing decision, counted exactly; without a model if none takes the request."""
        decision = await self._decision()
        if decision.found or self.beyond is None:
            return decision
        return await replace(self, requirements=self.beyond, beyond=None).decision()

    async def instead(self, none: NoModelFits) -> Question:
        """The question to ask if no model takes this one; raises `none` if there is no other.

        That is the same one with the room that a model has, or with the requirements `beyond`. A
        call counts only as far as it needs to refuse, so the request is counted here.
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
        """The most room that any model has which was rejected for too little of it."""
        if self.chat.room is not None:
            return None
        rooms = (_most(refusal, decision) for refusal in decision.rejected if refusal.over)
        return max(
            (room for room in rooms if 0 < room < self.requirements.max_output_tokens), default=None
        )


def _most(refusal: Rejection, decision: Decision) -> int:
    model = served_as(refusal.model, decision.requirements)
    return largest_answer(model, decision.sizes(refusal.model)) or 0

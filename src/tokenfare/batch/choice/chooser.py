"""How a request's model is chosen: by default the cheapest one, for each request by itself."""

from __future__ import annotations

from typing import Protocol

from .services import Choice
from .totals import Cell


class Chooser(Protocol):
    """Chooses models for requests in the order of the input.

    It is called with the sizes in the batch service first and, if it chooses none there, with those
    of the live service. `batch_cell` has the sizes in the batch service each time.
    """

    def choose(self, cell: Cell, batch_cell: Cell) -> Choice | None:
        """A model of the cell's service that takes the request, or `None`."""

    def refusal(self, cell: Cell) -> str:
        """Why no model was chosen, live either."""


class Cheapest:
    """Chooses the cheapest model that certainly takes a request."""

    def choose(self, cell: Cell, batch_cell: Cell) -> Choice | None:  # noqa: ARG002 - the protocol's
        """The cheapest model of the service."""
        return cell.service.choose(cell.sizes)

    def refusal(self, cell: Cell) -> str:
        """The nearest misses, with their numbers."""
        return cell.service.refusal(cell.sizes)

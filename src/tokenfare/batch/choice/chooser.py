"""Who chooses a request's model: by default each request for itself, at the least fare."""

from __future__ import annotations

from typing import Protocol

from .services import Choice
from .totals import Cell


class Chooser(Protocol):
    """Chooses for one request after the other, in the order of the input.

    Each is offered to the batch service first, and, where nothing is chosen there, live. `held` is
    the request as the batch service sees it: the cell itself at the first time.
    """

    def choose(self, cell: Cell, held: Cell) -> Choice | None:
        """A model of the cell's service that takes the request; `None` for none."""

    def refusal(self, cell: Cell) -> str:
        """Why nothing was chosen for a request, live."""


class Cheapest:
    """Each request on the cheapest model that certainly takes it."""

    def choose(self, cell: Cell, held: Cell) -> Choice | None:  # noqa: ARG002 - the protocol's
        """Choose as the service does."""
        return cell.service.choose(cell.sizes)

    def refusal(self, cell: Cell) -> str:
        """The nearest misses."""
        return cell.service.refusal(cell.sizes)

"""Fast decisions for many requests: prepared once, then one binary search for each request.

The decisions are the same as those of `decide`, which checks model by model; a property test
compares the two.
"""

from __future__ import annotations

from functools import cached_property

from tokenfare.budget import check_input
from tokenfare.tokenizers import Count

from .axis import Axis
from .decision import Decision, SameSize
from .intervals import Interval, intervals
from .question import Question


class RoutingTable:
    """The cheapest model for every input length on the same terms; made by `routing_table`."""

    def __init__(self, question: Question) -> None:
        """Run the filters, once; envelopes are computed when they are first needed."""
        self.question = question
        self._axis = Axis(question.candidates, question.scale)

    def __repr__(self) -> str:
        """Show the number of candidates and the day."""
        models = len(self.question.candidates)
        return f"<RoutingTable of {models} models on {self.question.day}>"

    @cached_property
    def intervals(self) -> tuple[Interval, ...]:
        """The lengths of input, in tokens, at which the cheapest model changes, in order."""
        return intervals(self._axis, self.question.requirements)

    def decide(self, size: Count | int) -> Decision:
        """Decide on a request of this many input tokens on every model.

        Where no model fits, the decision has no winner; nothing is raised.
        """
        if not isinstance(size, Count):
            size = check_input(size)
            return Decision(self.question, SameSize(Count.exactly(size)), self._axis.winner(size))
        if size.exact:
            return Decision(self.question, SameSize(size), self._axis.winner(size.high))
        best = self._axis.best(size, self.question.requirements)
        return Decision(self.question, SameSize(size), None if best is None else best[1])

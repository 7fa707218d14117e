"""Limits that a provider named in a refusal, laid over what the catalogue knows.

A refusal is better evidence than a page: it is this endpoint's, of this minute. It corrects one
number of one model, for as long as the program runs; the catalogue's files stay as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

from .model import Evidence, Model


@dataclass(frozen=True, slots=True)
class LearntLimits:
    """Bounds in tokens that `source` named on a day; `None` where it named none."""

    source: str
    day: date
    max_input: int | None = None
    max_output: int | None = None

    @property
    def bounds(self) -> tuple[int | None, int | None]:
        """`max_input` and `max_output`: all that a decision depends on."""
        return self.max_input, self.max_output

    def laid_over(self, model: Model) -> Model:
        """The model with these bounds, and where they are from in its evidence."""
        named = {
            name: bound
            for name in ("max_input", "max_output")
            if (bound := getattr(self, name)) is not None
        }
        thinking = model.thinking_limits
        evidence = Evidence("learnt", self.source, self.day, "high")
        return replace(
            model,
            limits=replace(model.limits, **named),
            thinking_limits=None if thinking is None else replace(thinking, **named),
            evidence={**model.evidence, **{f"limits.{name}": evidence for name in named}},
        )


def together(
    before: Mapping[str, LearntLimits], model_id: str, new: LearntLimits
) -> Mapping[str, LearntLimits]:
    """What was learnt so far, and this; of the same bound the last word holds."""
    old = before.get(model_id, new)
    both = replace(
        new,
        max_input=old.max_input if new.max_input is None else new.max_input,
        max_output=old.max_output if new.max_output is None else new.max_output,
    )
    return {**before, model_id: both}

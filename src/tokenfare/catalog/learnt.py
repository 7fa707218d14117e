"""Limits that a provider named when it refused a request, laid over the catalogue's.

A refusal is better evidence than a page: it comes from this endpoint, now. It corrects one number
of one model while the program runs; the catalogue's files do not change.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

from .model import Evidence, Model


@dataclass(frozen=True, slots=True)
class LearntLimits:
    """Bounds in tokens that `source` named on a day; `None` for a bound that it did not name."""

    source: str
    day: date
    max_input: int | None = None
    max_output: int | None = None

    @property
    def bounds(self) -> tuple[int | None, int | None]:
        """`max_input` and `max_output`, the only parts that a decision depends on."""
        return self.max_input, self.max_output

    def laid_over(self, model: Model) -> Model:
        """The model with these bounds, and their source in its evidence."""
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
    """All learnt limits together with a new one, which replaces older values of the same bound."""
    old = before.get(model_id, new)
    both = replace(
        new,
        max_input=old.max_input if new.max_input is None else new.max_input,
        max_output=old.max_output if new.max_output is None else new.max_output,
    )
    return {**before, model_id: both}

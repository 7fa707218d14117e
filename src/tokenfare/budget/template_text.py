"""Texts as a chat template writes them, cut where control tokens stand.

A control token is one token and nothing merges across it, so a written turn is its markers and the
texts between them. What the template writes may hold control tokens of the model's generation;
what users write is text, unless control tokens in it are to count as such.
"""

from __future__ import annotations

from tokenfare.tokenizers import Count, Measurer, added

from .control_tokens import pattern


class Writer:
    """Collects one stretch of a chat: texts, and how many control tokens part them."""

    def __init__(self, generation: str | None, *, control: bool = False) -> None:
        """Know the generation's control tokens; `control` finds them in users' texts too."""
        self._pattern = pattern(generation) if generation else None
        self._control = control
        self._texts: list[str] = [""]
        self.markers: int = 0

    def marker(self, number: int = 1) -> None:
        """Control tokens."""
        self.markers += number
        if self._texts[-1]:
            self._texts.append("")

    def template(self, text: str) -> None:
        """Words of the template."""
        if self._pattern is None:
            self._texts[-1] += text
            return
        first, *rest = self._pattern.split(text)
        self._texts[-1] += first
        for piece in rest:
            self.marker()
            self._texts[-1] += piece

    def user(self, text: str) -> None:
        """Words of a message."""
        if self._control:
            self.template(text)
        else:
            self._texts[-1] += text

    def count(self, measurer: Measurer) -> Count:
        """Tokens of all that was written."""
        texts = added(measurer.measure(text) for text in self._texts if text)
        return added((texts, Count.exactly(self.markers)))

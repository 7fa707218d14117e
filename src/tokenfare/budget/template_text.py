"""Counts texts as a chat template writes them, split at control tokens.

A control token is one token, and no other token spans it. So the size of a turn is its control
tokens plus the texts between them. The template's own words may contain control tokens of the
model's generation; the users' words are plain text, unless control tokens in them are to be
counted as such.
"""

from __future__ import annotations

from tokenfare.tokenizers import Count, Measurer, added

from .control_tokens import pattern


class Writer:
    """Collects a part of a chat: its texts, and the number of control tokens between them."""

    def __init__(self, generation: str | None, *, control: bool = False) -> None:
        """Recognize the generation's control tokens; with `control`, in users' texts too."""
        self._pattern = pattern(generation) if generation else None
        self._control = control
        self._texts: list[str] = [""]
        self.markers: int = 0

    def marker(self) -> None:
        """Append a control token."""
        self.markers += 1
        if self._texts[-1]:
            self._texts.append("")

    def template(self, text: str) -> None:
        """Append words of the template."""
        if self._pattern is None:
            self._texts[-1] += text
            return
        first, *rest = self._pattern.split(text)
        self._texts[-1] += first
        for piece in rest:
            self.marker()
            self._texts[-1] += piece

    def user(self, text: str) -> None:
        """Append words of a message."""
        if self._control:
            self.template(text)
        else:
            self._texts[-1] += text

    def count(self, measurer: Measurer) -> Count:
        """The tokens of everything that was appended."""
        texts = added(measurer.measure(text) for text in self._texts if text)
        return added((texts, Count.exactly(self.markers)))

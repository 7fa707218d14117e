"""A vocabulary as a file spells it out: what every reader gives, and what the core takes."""

from __future__ import annotations

from dataclasses import dataclass

from tokenfare.errors import VocabularyError


class NotRepresentable(VocabularyError):  # noqa: N818 - as UnknownModel
    """A vocabulary file is damaged, or asks for what the core cannot do exactly.

    `path` is the file as the caller named it, `where` the place in it, `problem` what is wrong
    there and, where there is one, the way out.
    """

    def __init__(self, path: str, where: str, problem: str) -> None:
        """Name the file, the place and what is wrong."""
        super().__init__(f"{path}: {where}: {problem}" if where else f"{path}: {problem}")
        self.path = path
        self.where = where
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Added:
    """A text that is a single token where special tokens are asked for.

    `normalized`: looked for in the normalized text, not in the text as it stands. `strips`: it also
    takes white space around it, or stands only between words, which is not done here; such a token
    can be decoded and not recognised.
    """

    text: str
    id: int
    normalized: bool = False
    strips: bool = False


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Tokens with ids, how they merge, how text is split before, and added tokens.

    `merges` are pairs of ids, the earlier first; `None` if neighbours merge whose bytes together
    are a token, the lowest id first. `whole_pieces`: a piece that is a token is that token, merges
    or not.
    """

    tokens: list[tuple[bytes, int]]
    merges: list[tuple[int, int]] | None
    whole_pieces: bool
    pattern: str
    nfc: bool
    added: tuple[Added, ...]

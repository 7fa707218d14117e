"""A vocabulary as a value: the readers of files return it, and the core is built from it."""

from __future__ import annotations

from dataclasses import dataclass

from tokenfare.errors import VocabularyError


class NotRepresentable(VocabularyError):  # noqa: N818 - as UnknownModel
    """A vocabulary file is damaged, or asks for something that the core cannot do exactly.

    `path` is the file as the caller named it, `where` the place in it, `problem` what is wrong
    there and, if there is one, the way out.
    """

    def __init__(self, path: str, where: str, problem: str) -> None:
        """Name the file, the place and what is wrong."""
        super().__init__(f"{path}: {where}: {problem}" if where else f"{path}: {problem}")
        self.path = path
        self.where = where
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Added:
    """An added token: a text that is a single token if special tokens are asked for.

    `normalized` means that it is looked for in the normalized text, not in the original. `strips`
    means that it takes white space around it or matches only between words; that is not supported
    here, so such a token can be decoded but not recognised.
    """

    text: str
    id: int
    normalized: bool = False
    strips: bool = False


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Tokens with ids, their merges, the split pattern, the normalization, and added tokens.

    `merges` are pairs of ids, in the order of priority. `None` means that two neighbours merge if
    their bytes together are a token, the lowest id first. `whole_pieces` means that a piece that is
    a token becomes that token, whatever the merges say.
    """

    tokens: list[tuple[bytes, int]]
    merges: list[tuple[int, int]] | None
    whole_pieces: bool
    pattern: str
    nfc: bool
    added: tuple[Added, ...]


def is_id(number: object) -> bool:
    """Whether a value from a file or a caller can be the id of a token."""
    return isinstance(number, int) and not isinstance(number, bool) and 0 <= number < 1 << 32


def holds_half_a_character(text: str) -> bool:
    """Whether a text has a lone surrogate, which no text as UTF-8 can have."""
    return any("\ud800" <= character < "\ue000" for character in text)

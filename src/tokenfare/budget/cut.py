"""Cut the text of a message so that the request with it fits.

How many tokens a text is in a message is not what it is alone: line ends at its beginning form one
piece with the line end that the template writes before them. So an ending that begins with line
ends is often a token less in its message, and may fit although its count alone says no. Those are
tried beside the longest that fits by its count alone. Nothing is known here of messages.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from unicodedata import category, east_asian_width

from tokenfare.errors import CharacterTooLong
from tokenfare.tokenizers import Count, Cutter, Keep

_SAVED_MOST = 3
"""By how many tokens an ending counts less in its message than alone; no white space that was
tried saves more."""

_LONGEST_RUN = 1_000
"""Line ends are tried if at most this many characters of white space follow a cut, since each try
counts them all."""


def longest_that_fits(
    cutter: Cutter, text: str, keep: Keep, limit: int, sized: Callable[[str], Count]
) -> tuple[str, Count] | None:
    """The longest beginning, end or both of `text` with which a request has at most `limit` tokens.

    `sized` is the size of the request with a text in its place. Returns the text that is kept and
    that size, or `None` if not even one character fits.
    """
    allowed = limit - (sized(text).high - cutter.measure(text).high)
    while allowed > 0:
        try:
            part = cutter.truncate(text, allowed, keep=keep)
        except CharacterTooLong:
            return None
        count = sized(part)
        if count.high <= limit:
            if keep != "end":
                return part, count
            reach = cutter.truncate(text, allowed + _SAVED_MOST, keep=keep)
            places = _line_ends(text, len(text) - len(reach), len(text) - len(part))
            return _first_that_fits(cutter, text, places, limit, sized) or (part, count)
        allowed -= max(1, count.high - limit)  # cutting can add tokens at the text's new ends
    return None


def _first_that_fits(
    cutter: Cutter,
    text: str,
    places: Iterator[tuple[int, int]],
    limit: int,
    sized: Callable[[str], Count],
) -> tuple[str, Count] | None:
    """The text from the first of these places on with which the request fits.

    Line ends form a piece with the one before them, so they add as many tokens as they do behind a
    line end, and the text after them counts as it does alone. A place is counted as a whole only if
    that sum fits.
    """
    size_from = cache(lambda at: sized(text[at:]))
    for at, after in places:
        added = cutter.measure("\n" + text[at:after]).high - cutter.measure("\n").high
        if size_from(after).high + added <= limit and size_from(at).high <= limit:
            return text[at:], size_from(at)
    return None


def _line_ends(text: str, first: int, end: int) -> Iterator[tuple[int, int]]:
    """The places from `first` to `end` where white space with a line end begins, in order.

    Each has with it the place after the last of these line ends. There are none if so much white
    space follows that counting it for each would take long.
    """
    after = end
    while after < len(text) and text[after].isspace():
        after += 1
        if after - end > _LONGEST_RUN:
            return iter(())
    found = []
    ahead: int | None = None
    for at in reversed(range(first, after)):
        if not text[at].isspace():
            ahead = None
        elif ahead is None and text[at] in "\r\n":
            ahead = at + 1
        if ahead is not None and at < end and _is_place(text, at):
            found.append((at, ahead))
    return reversed(found)


def _is_place(text: str, at: int) -> bool:
    """Whether white space at `at` certainly begins a grapheme cluster.

    Line ends do, except in CRLF; a space does not after a few letters and format characters.
    """
    before = text[at - 1] if at else "\n"
    if text[at] in "\r\n":
        return before != "\r" or text[at] == "\r"
    return category(before) not in {"Cf", "Lo"} or east_asian_width(before) in {"F", "W"}

"""The lowest of many lines, against looking at each number."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from tokenfare.router.envelope import Piece, lowest

REACH = 40


@st.composite
def one_owner(draw: st.DrawFn, owner: int) -> list[Piece]:
    """Pieces in order that do not overlap, with gaps and jumps, rising and falling."""
    ends = sorted(draw(st.sets(st.integers(0, REACH), max_size=8)))
    return [
        Piece(first, last, draw(st.integers(-30, 30)), draw(st.integers(-3, 3)), owner)
        for first, last in zip(ends[::2], ends[1::2], strict=False)
    ]


owners = st.integers(0, 6).flatmap(lambda n: st.tuples(*(one_owner(i) for i in range(n))))


@given(owners)
def test_at_every_number_the_lowest_piece_is_found(pieces: tuple[list[Piece], ...]) -> None:
    envelope = lowest(pieces)
    for x in range(REACH + 2):
        over = [p for each in pieces for p in each if p.first <= x <= p.last]
        expected = min(((p.at(x), p.owner) for p in over), default=None)
        found = envelope.at(x)
        assert (found and (found.at(x), found.owner)) == expected


@given(owners)
def test_pieces_are_in_order_apart_and_as_few_as_can_be(pieces: tuple[list[Piece], ...]) -> None:
    merged = lowest(pieces).pieces
    for before, after in pairwise(merged):
        assert before.last < after.first
        joined = before.last + 1 == after.first and before[2:] == after[2:]
        assert not joined
    assert all(piece.first <= piece.last for piece in merged)


@given(owners, st.integers(0, REACH), st.integers(0, REACH))
def test_between_gives_the_pieces_that_reach_into_a_range(
    pieces: tuple[list[Piece], ...], one: int, other: int
) -> None:
    low, high = sorted((one, other))
    envelope = lowest(pieces)
    expected = {p for x in range(low, high + 1) if (p := envelope.at(x))}
    assert set(envelope.between(low, high)) == expected


def test_an_equal_line_goes_to_the_smaller_owner_whatever_the_order() -> None:
    one, other = Piece(0, 9, 5, 1, 0), Piece(0, 9, 5, 1, 1)
    for order in ([[one], [other]], [[other], [one]]):
        assert lowest(order).pieces == (one,)

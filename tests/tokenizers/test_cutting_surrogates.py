"""Cutting texts with lone halves of surrogate pairs, which may meet where two ends are joined."""

from __future__ import annotations

from types import SimpleNamespace

from hypothesis import given
from hypothesis import strategies as st

from tokenfare.errors import CharacterTooLong
from tokenfare.tokenizers import cutting


@given(text=st.text(st.sampled_from("\ud83d\ud801\ude00\udcec a\nб"), max_size=30), data=st.data())
def test_both_ends_fit_where_halves_of_surrogate_pairs_meet(qwen, text, data):
    limit = data.draw(st.integers(1, qwen.count(text) + 1))
    try:
        kept = qwen.truncate(text, limit, keep="ends")
    except CharacterTooLong:
        return
    assert qwen.count(kept) <= limit
    assert any(
        text.startswith(kept[:at]) and text.endswith(kept[at:]) for at in range(len(kept) + 1)
    )


def test_of_two_halves_that_would_meet_the_first_goes(qwen):
    """Each is a token, as U+FFFD; the one character that they would be is three."""
    assert [qwen.count(text) for text in ("\ud801", "\udc2a", "\ud801\udc2a")] == [1, 1, 3]
    assert qwen.truncate("\ud801ЯЯЯ\udc2a", 2, keep="ends") == "\udc2a"
    assert qwen.truncate("zЯ\ud801\ud801ЯЯЯЯЯ\udc2aq", 5, keep="ends") == "zЯ\udc2aq"


def test_where_even_that_is_too_long_the_end_alone_is_kept():
    """Fewer characters may be more tokens, though no text was found where they are here."""

    core = SimpleNamespace(
        longest_token=128,
        truncate=lambda *asked: (2, 3) if asked[-1] == "ends" else (0, 3),
        count=lambda _: 3,
    )
    assert cutting.truncated(core, "a\ud801b\udc2a", 2, "ends") == "\udc2a"

"""Where the part begins that a piece of a split repeats of the one before it."""

import pytest


@pytest.mark.parametrize(
    ("text", "limit", "overlap", "pieces"),
    [
        (
            "It is late. We go home. They stay here. So it goes.",
            11,
            9,
            [
                "It is late. We go home. ",
                "We go home. They stay here. ",
                "They stay here. So it goes.",
            ],
        ),
        # Four words fit, of which the last one alone is a sentence.
        (
            "One two three four five six seven eight. Go! Then nine ten",
            13,
            7,
            [
                "One two three four five six seven eight. Go! ",
                "six seven eight. Go! Then nine ten",
            ],
        ),
        (
            "    b = c\n    d = e\n    f = g\n    h = i\n",
            15,
            12,
            ["    b = c\n    d = e\n    f = g\n", "    d = e\n    f = g\n    h = i\n"],
        ),
        ("你好。今天很好。明天再来。", 7, 5, ["你好。今天很好。", "今天很好。明天再来。"]),
    ],
    ids=["sentences", "a sentence that leaves little", "lines", "Chinese"],
)
def test_an_overlap_starts_with_a_sentence_or_a_line(qwen, text, limit, overlap, pieces):
    assert qwen.split(text, limit, overlap=overlap) == pieces


def test_an_overlap_starts_with_a_word_where_no_sentence_starts(qwen):
    text = "one two three four five six seven eight nine"  # a word is a token, a last space too
    assert qwen.split(text, 4, overlap=2) == [
        "one two three ",
        "three four five ",
        "five six seven ",
        "seven eight nine",
    ]

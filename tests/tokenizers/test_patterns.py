"""Split patterns: the core's scanners against the engines that run the regular expressions.

The ids of a vocabulary whose tokens reach across what patterns split show where a text was split.
"""

from __future__ import annotations

import base64
import random
import sys

import pytest
import tiktoken
from hypothesis import HealthCheck, given, settings
from token_texts import SNIPPETS, byte_letters, texts

from tokenfare.tokenizers import Tokenizer, load
from tokenfare.tokenizers.patterns import IN_JSON, PATTERNS

some = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture(scope="session")
def across() -> dict[bytes, int]:
    """Ranks that were learnt from text that nothing splits."""
    roll = random.Random(1)  # noqa: S311 - a test repeats
    lines = ["".join(roll.choices(SNIPPETS, k=12)) for _ in range(1500)]
    ranks = {bytes([byte]): byte for byte in range(256)}
    parts = [[bytes([byte]) for byte in line.encode()] for line in lines]
    while len(ranks) < 1500:
        # Any tokens do: a random neighbour of a random line, joined wherever it stands there.
        line = roll.choice(parts)
        i = roll.randrange(len(line) - 1)
        joined = line[i] + line[i + 1]
        if len(joined) <= 12 and joined not in ranks:
            ranks[joined] = len(ranks)
            line[i : i + 2] = [joined]
    return ranks


@pytest.fixture(scope="session")
def pair(across, tmp_path_factory):
    """Make the core and tiktoken of one pattern on these ranks."""
    path = tmp_path_factory.mktemp("ranks") / "across.tiktoken"
    path.write_bytes(
        b"".join(base64.b64encode(t) + f" {rank}\n".encode() for t, rank in across.items())
    )

    def make(name: str) -> tuple[Tokenizer, tiktoken.Encoding]:
        theirs = tiktoken.Encoding(
            name, pat_str=PATTERNS[name], mergeable_ranks=across, special_tokens={}
        )
        return load(path, pattern=name), theirs

    return make


@pytest.mark.parametrize("name", PATTERNS)
def test_any_text_is_split_as_tiktoken_splits_it(pair, name):
    ours, theirs = pair(name)

    @some
    @given(text=texts)
    def same(text):
        ids = theirs.encode_ordinary(text)
        assert ours.encode(text) == ids
        assert ours.count(text) == len(ids)

    same()


@pytest.mark.parametrize("name", PATTERNS)
def test_every_code_point_in_every_neighbourhood_is_split_as_tiktoken_splits_it(pair, name):
    ours, theirs = pair(name)
    for first in range(0, sys.maxunicode + 1, 512):
        block = [chr(c) for c in range(first, first + 512) if not 0xD800 <= c < 0xE000]
        text = "".join(f"a{c}B {c}1{c}{c}2 .{c}\n{c}\r\n  {c}'{c}s{c}T" for c in block)
        assert ours.encode(text) == theirs.encode_ordinary(text), hex(first)


@pytest.mark.parametrize("name", PATTERNS)
@pytest.mark.parametrize("text", ["a \n  ", "\n\n", " \n ", "a\t\n\t", "x\u3000\n\u3000", "\r\n "])
def test_white_space_at_the_end_is_split_as_tiktoken_splits_it(pair, name, text):
    """cl100k takes all of it together, the others do not."""
    ours, theirs = pair(name)
    assert ours.encode(text) == theirs.encode_ordinary(text)
    assert ours.encode(text + "b") == theirs.encode_ordinary(text + "b")


@pytest.mark.parametrize("regex", IN_JSON)
def test_every_pattern_of_a_tokenizer_json_is_split_as_hugging_face_splits_it(
    across, regex, tmp_path
):
    from tokenizers import Regex, pre_tokenizers

    theirs = hugging_face(across)
    theirs.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(regex), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    assert_same(theirs, tmp_path)


def test_the_pattern_that_byte_level_has_built_in_is_split_as_hugging_face_splits_it(
    across, tmp_path
):
    from tokenizers import pre_tokenizers

    theirs = hugging_face(across)
    theirs.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    assert_same(theirs, tmp_path)


def hugging_face(ranks: dict[bytes, int]):
    """List every pair that makes a token of the same vocabulary, by the rank of what it makes."""
    from tokenizers.models import BPE

    from tokenizers import Tokenizer as HuggingFace

    letters = byte_letters()
    name = {token: "".join(letters[b] for b in token) for token in ranks}
    merges = [
        (name[token[:i]], name[token[i:]])
        for token in ranks
        for i in range(1, len(token))
        if token[:i] in ranks and token[i:] in ranks
    ]
    return HuggingFace(
        BPE({name[token]: rank for token, rank in ranks.items()}, merges, ignore_merges=True)
    )


def assert_same(theirs, folder) -> None:
    theirs.save(str(folder / "tokenizer.json"))
    ours = load(folder / "tokenizer.json")
    blocks = [
        "".join(
            f"a{c}B {c}1{c}{c}2 .{c}\n{c}\r\n  {c}'{c}s{c}T"
            for c in map(chr, range(first, first + 64))
        )
        for first in range(0, sys.maxunicode + 1, 64)
        if not 0xD800 <= first < 0xE000 and not 0x3400 < first < 0x9F00 and first < 0x1FC00
    ]
    roll = random.Random(2)  # noqa: S311 - a test repeats
    mixed = ["".join(roll.choices(SNIPPETS, k=30)) for _ in range(300)]
    for text in [*blocks, *mixed]:
        assert ours.encode(text) == theirs.encode(text).ids, text

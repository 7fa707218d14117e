"""Vocabularies from files: the same ids as the library that the file is for."""

from __future__ import annotations

import base64
import hashlib
import json
import time
import unicodedata

import pytest
import tiktoken
from hypothesis import HealthCheck, given, settings
from token_texts import SNIPPETS, texts
from vocabulary_files import prose, rank_lines, ranks_of, saved, trained

from tokenfare.errors import InvalidRequestError
from tokenfare.tokenizers import convert, get_tokenizer, load
from tokenfare.tokenizers.patterns import IN_JSON, PATTERNS
from tokenfare.tokenizers.ranks import QWEN_FILE

some = settings(
    max_examples=200,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.mark.parametrize("regex", IN_JSON)
def test_a_trained_tokenizer_encodes_as_hugging_face_encodes(regex, tmp_path):
    """The special tokens have the first ids here, so ids are not ranks."""
    theirs = trained(regex)
    ours = load(saved(theirs, tmp_path))

    @some
    @given(text=texts)
    def same(text):
        expected = [i for i in theirs.encode(text).ids if i > 1]
        ids = ours.encode(text, special="all")
        assert [i for i in ids if i > 1] == expected
        assert ours.count(text) == len(ours.encode(text))
        assert ours.decode(ours.encode(text)) == text

    same()
    for text in prose()[:8]:
        assert ours.encode(text, special="all") == theirs.encode(text).ids


def test_the_shipped_vocabulary_as_a_tokenizer_json_counts_as_the_shipped_one(
    qwen, with_hugging_face, tmp_path
):
    ours = load(saved(with_hugging_face, tmp_path), "mine")
    assert (ours.name, ours.vocabulary_size) == ("mine", 151_643)

    @some
    @given(text=texts)
    def same(text):
        assert ours.encode(text) == qwen.encode(text)

    same()


def test_the_shipped_vocabulary_as_a_rank_file_is_known_by_its_digest(qwen, ranks, tmp_path):
    path = tmp_path / "qwen.tiktoken"
    lines = [base64.b64encode(token) + b" %d\n" % rank for token, rank in ranks.items()]
    path.write_bytes(b"".join(lines))
    ours = load(path)
    text = "".join(SNIPPETS) * 3
    assert ours.encode(text) == qwen.encode(text), "pattern and NFC, without being told"
    raw = load(path, normalization="none")
    nfd = unicodedata.normalize("NFD", "Überraschung 한국어")
    assert len(raw.encode(nfd)) > len(ours.encode(nfd))
    assert raw.decode(raw.encode(nfd)) == nfd


@pytest.mark.parametrize("name", PATTERNS)
def test_a_rank_file_encodes_as_tiktoken_encodes(small, name, tmp_path):
    ranks = ranks_of(saved(small, tmp_path))
    special = {"<|endoftext|>": len(ranks), "<|im_end|>": len(ranks) + 7}
    path = tmp_path / "small.tiktoken"
    path.write_bytes(rank_lines(ranks))
    ours = load(path, pattern=name, special_tokens=special)
    theirs = tiktoken.Encoding(
        "small", pat_str=PATTERNS[name], mergeable_ranks=ranks, special_tokens=special
    )

    @some
    @given(text=texts)
    def same(text):
        assert ours.encode(text) == theirs.encode_ordinary(text)
        assert ours.encode(text, special="all") == theirs.encode(text, allowed_special="all")

    same()
    for text in prose()[:8]:
        assert ours.encode(text) == theirs.encode_ordinary(text)
        assert ours.count(text) == ours.count(text, threads=2) == len(ours.encode(text))


@pytest.mark.parametrize("ignore_merges", [True, False])
def test_tokens_that_no_merge_makes_are_whole_pieces_or_nothing(small, ignore_merges, tmp_path):
    """As in Llama 3 (whole pieces) and in Qwen 3.5 (never met in text)."""
    from tokenizers import Tokenizer as HuggingFace

    path = saved(small, tmp_path)
    file = json.loads(path.read_text())
    model = file["model"]
    model["ignore_merges"] = ignore_merges
    model["merges"] = model["merges"][:1500]
    free = max(model["vocab"].values()) + 1
    model["vocab"]["qzxj"] = free
    path.write_text(json.dumps(file))
    theirs, ours = HuggingFace.from_file(str(path)), load(path)
    for text in ["qzxj", " qzxj", "qzxjq", "def qzxj():", *prose()[:8]]:
        assert ours.encode(text) == theirs.encode(text).ids
    assert ours.decode([free]) == "qzxj"
    assert (ours.count("qzxj") == 1) is ignore_merges


def test_added_tokens_are_found_in_the_text_or_in_its_normalized_form_as_the_file_says(
    small, tmp_path
):
    from tokenizers import AddedToken, normalizers
    from tokenizers import Tokenizer as HuggingFace

    theirs = HuggingFace.from_str(small.to_str())
    theirs.normalizer = normalizers.NFC()
    theirs.add_tokens([AddedToken("<caf\u00e9>", normalized=True)])
    theirs.add_special_tokens([AddedToken("<tool>", normalized=False)])
    ours = load(saved(theirs, tmp_path))

    @some
    @given(text=texts)
    def same(text):
        for mixed in (text, f"{text}<tool>{text}<cafe\u0301>", f"<tool>\u0338<caf\u00e9>{text}"):
            assert ours.encode(mixed, special="all") == theirs.encode(mixed).ids

    text = "a<tool>\u0338<cafe\u0301> <|im_end|>"
    assert ours.encode(text, special="all") == theirs.encode(text).ids
    assert ours.encode(text, special=["<tool>"]) != ours.encode(text)
    assert ours.decode(ours.encode(text, special="all")) == "a<tool>\u0338<caf\u00e9> <|im_end|>"
    assert ours.special_tokens["<tool>"] == theirs.token_to_id("<tool>")
    with pytest.raises(InvalidRequestError, match="<nope>"):
        ours.encode(text, special=["<nope>"])
    with pytest.raises(InvalidRequestError, match="known: ordinary, all"):
        ours.encode(text, special="qwen3")


def test_an_added_token_that_nfc_changes_is_found_by_its_normal_form(small, tmp_path):
    from tokenizers import AddedToken, normalizers
    from tokenizers import Tokenizer as HuggingFace

    theirs = HuggingFace.from_str(small.to_str())
    theirs.normalizer = normalizers.NFC()
    theirs.add_tokens([AddedToken("<cafe\u0301>", normalized=True)])
    text = "a<caf\u00e9><cafe\u0301>"
    ours = load(saved(theirs, tmp_path))
    assert ours.encode(text, special="all") == theirs.encode(text).ids
    assert ours.decode(ours.encode(text, special="all")) == "a<cafe\u0301><cafe\u0301>"
    theirs.normalizer = normalizers.Sequence([])
    theirs = HuggingFace.from_str(theirs.to_str())  # 0.22 would still look for the form of NFC
    ours = load(saved(theirs, tmp_path))
    assert ours.encode(text, special="all") == theirs.encode(text).ids


def test_a_pair_that_is_listed_twice_merges_as_in_hugging_face(small, tmp_path):
    from tokenizers import Tokenizer as HuggingFace

    path = saved(small, tmp_path)
    file = json.loads(path.read_text())
    merges = file["model"]["merges"]
    merges += merges[:200:3]
    merges[:0] = merges[-1:-900:-7]
    path.write_text(json.dumps(file))
    theirs, ours = HuggingFace.from_file(str(path)), load(path)
    for text in prose()[:8]:
        assert ours.encode(text) == theirs.encode(text).ids
        assert ours.encode(text) != small.encode(text).ids


@pytest.mark.parametrize(
    ("stated", "given"),
    [
        ({"<a>": 3000, "<b>": 3001}, {"<a>": 3000, "<b>": 3001}),
        ({"<a>": 3000, "<b>": 3100}, {"<a>": 3000, "<b>": 3001}),
        ({"<a>": 4000, "<b>": 3999}, {"<a>": 3000, "<b>": 3001}),
        ({"<b>": 3001, "<a>": 3000}, {"<b>": 3000, "<a>": 3001}),
    ],
    ids=["no gap", "a gap between", "a gap before", "another order"],
)
def test_added_tokens_are_numbered_as_hugging_face_numbers_them(small, tmp_path, stated, given):
    """In the order of the list, after the 3,000 tokens of the vocabulary, without a gap."""
    from tokenizers import Tokenizer as HuggingFace

    path = saved(small, tmp_path)
    file = json.loads(path.read_text())
    one = file["added_tokens"][0]
    file["added_tokens"] += [{**one, "content": name, "id": at} for name, at in stated.items()]
    path.write_text(json.dumps(file))
    theirs, ours = HuggingFace.from_file(str(path)), load(path)
    assert {name: theirs.token_to_id(name) for name in given} == given
    assert ours.special_tokens == {"<|endoftext|>": 0, "<|im_end|>": 1, **given}
    text = "a<b><a> <|im_end|>"
    assert ours.encode(text, special="all") == theirs.encode(text).ids
    assert ours.decode([3000, 3001]) == "".join(given)


def test_an_added_token_that_strips_can_be_decoded_and_is_refused_in_text(small, tmp_path):
    from tokenizers import AddedToken
    from tokenizers import Tokenizer as HuggingFace

    theirs = HuggingFace.from_str(small.to_str())
    theirs.add_special_tokens([AddedToken("<strip>", lstrip=True)])
    ours = load(saved(theirs, tmp_path))
    assert ours.count("a <strip>") == len(ours.encode("a <strip>"))
    assert ours.decode([theirs.token_to_id("<strip>")]) == "<strip>"
    with pytest.raises(InvalidRequestError, match=r"<strip>.*list the others"):
        ours.encode("a <strip>", special="all")
    assert ours.encode("<|im_end|>", special=["<|im_end|>"]) == [1]


def test_the_compact_form_is_the_tokenizer_and_loads_fast(with_hugging_face, qwen, tmp_path):
    source = saved(with_hugging_face, tmp_path)
    compact = tmp_path / "kept.bpe"
    compact.write_bytes(convert(source, name="qwen-again"))
    assert compact.read_bytes() == convert(source, name="qwen-again"), "a function of the file"
    digest = hashlib.sha256(source.read_bytes()).hexdigest()
    assert digest in compact.read_bytes()[:400].decode(errors="replace")
    seconds = []
    for _ in range(5):
        start = time.perf_counter()
        ours = load(compact)
        seconds.append(time.perf_counter() - start)
    assert ours.name == "qwen-again"
    assert ours.encode("Hello, 世界") == qwen.encode("Hello, 世界")
    assert min(seconds) < 0.25, "about 0.03 on a machine that is not busy"


def test_the_table_of_the_core_loads_too():
    assert load(QWEN_FILE).encode("你好") == get_tokenizer("qwen").encode("你好")
    assert load(QWEN_FILE).name == "qwen"


@pytest.mark.parametrize(
    "unit", ["a", "ab", "the", " ", "\n ", "=", "中", "é", "\u0301", "A中", "1"]
)
@pytest.mark.parametrize("name", PATTERNS)
def test_no_input_is_quadratic(small, tmp_path_factory, name, unit):
    path = tmp_path_factory.mktemp("ranks") / "small.tiktoken"
    path.write_bytes(rank_lines(ranks_of(saved(small, path.parent))))
    ours = load(path, pattern=name)

    def seconds(length: int) -> float:
        text = unit * (length // len(unit))
        times = []
        for _ in range(3):
            start = time.process_time()
            ours.count(text)
            times.append(time.process_time() - start)
        return max(min(times), 2e-3)

    assert seconds(400_000) < 9 * seconds(100_000)

"""Vocabulary files that are damaged, foreign or beyond what is done exactly: a clear refusal."""

from __future__ import annotations

import base64
import copy
import hashlib
import json

import pytest
from vocabulary_files import rank_lines, saved

from tokenfare.errors import InputError, InvalidRequestError, VocabularyError
from tokenfare.tokenizers import convert, load, rank_file


@pytest.mark.parametrize("at", [0, 30, 90, 200, 2000, -1])
def test_a_damaged_compact_file_is_refused(small, tmp_path, at):
    data = bytearray(convert(saved(small, tmp_path)))
    data[at] ^= 1
    path = tmp_path / "damaged.bpe"
    path.write_bytes(data)
    with pytest.raises(VocabularyError, match=r"damaged\.bpe"):
        load(path)
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(VocabularyError, match=r"damaged\.bpe"):
        load(path)


def test_a_file_that_is_not_there_or_a_folder_is_named(tmp_path):
    with pytest.raises(InputError, match=r"nothing\.json: No such file"):
        load(tmp_path / "nothing.json")
    with pytest.raises(InputError, match=r"a folder: name the tokenizer\.json"):
        load(tmp_path)
    with pytest.raises(InputError, match=r"null byte"):
        load(f"{tmp_path}\0")


def test_a_digest_that_differs_is_named(small, tmp_path):
    path = saved(small, tmp_path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert load(path, sha256=digest).vocabulary_size == load(path).vocabulary_size
    with pytest.raises(VocabularyError, match=f"its sha256 is {digest}, not 00"):
        load(path, sha256="00")
    with pytest.raises(InvalidRequestError, match="sha256 is a digest in hex, not 0"):
        load(path, sha256=0)


def json_with(change):
    def changed(file):
        change(file)
        return json.dumps(file).encode()

    return changed


def put(*path_and_value):
    *path, last, value = path_and_value

    def change(file):
        for key in path:
            file = file[key]
        file[last] = value

    return json_with(change)


SPLIT = {"type": "Split", "pattern": {"Regex": r"\p{L}+|."}, "behavior": "Isolated"}
BYTES = {"type": "ByteLevel", "add_prefix_space": False, "use_regex": False}


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        (lambda _: b"", "an empty file"),
        (lambda _: b"{", "not JSON"),
        (lambda _: b"{" * 100_000, "not JSON"),
        (lambda _: b'{"model": 1, "model": 2}', "'model' is there twice"),
        (lambda _: b"{}", "model: there is none"),
        (put("model", "type", "Unigram"), r"model\.type: 'Unigram'"),
        (put("model", "dropout", 0.1), r"model\.dropout"),
        (put("model", "end_of_word_suffix", "</w>"), r"model\.end_of_word_suffix: '</w>'"),
        (put("model", "vocab", []), r"model\.vocab: not an object"),
        (put("model", "vocab", "the", -1), r"model\.vocab\['the'\]: -1 is not an id"),
        (put("model", "vocab", "the", 5), r"model\.vocab\['the'\]: .* has the id 5 too"),
        (put("model", "vocab", "th e", 9000), r"model\.vocab\['th e'\]: not in the letters"),
        (put("model", "vocab", "中", 9000), r"model\.vocab\['中'\]: not in the letters"),
        (put("model", "merges", 3, "x"), r"model\.merges\[3\]: 'x' is not two tokens"),
        (put("model", "merges", 3, ["q", "ĠĠĠq"]), r"model\.merges\[3\]"),
        (put("model", "merges", 3, 7), r"model\.merges\[3\]: 7 is not"),
        (json_with(lambda f: f["model"]["vocab"].pop("b")), r"model\.merges\[\d+\]"),
        (json_with(lambda f: f["model"]["vocab"].pop("ÿ")), "byte 0xff is not the token"),
        (put("normalizer", {"type": "NFKC"}), "normalizer: 'NFKC'; NFC or none"),
        (
            put("normalizer", {"type": "Sequence", "normalizers": [{"type": "NFC"}, "X"]}),
            r"normalizer\.normalizers\[1\]: 'X'",
        ),
        (put("pre_tokenizer", None), r"pre_tokenizer: \[None\]"),
        (put("pre_tokenizer", {"type": "Metaspace"}), r"pre_tokenizer: \['Metaspace'\]"),
        (put("pre_tokenizer", {**BYTES, "use_regex": True, "add_prefix_space": True}), "a space"),
        (put("pre_tokenizer", BYTES), "nothing splits the text"),
        (
            put("pre_tokenizer", "pretokenizers", 0, SPLIT),
            r"Split\.pattern\.Regex: .* is not one of",
        ),
        (put("pre_tokenizer", "pretokenizers", 0, "behavior", "Removed"), r"Split\.behavior"),
        (put("pre_tokenizer", "pretokenizers", 1, "use_regex", True), "a second time"),
        (put("added_tokens", 0, "id", 1), r"added_tokens\[0\]: the id 1 is .* already"),
        (put("added_tokens", 0, "content", ""), r"added_tokens\[0\]: '' with id 0 is not a token"),
        (put("added_tokens", 0, {"id": 0}), r"added_tokens\[0\]: not an object"),
        (put("added_tokens", 0, "id", True), "with id True is not a token"),
        (put("added_tokens", 0, "id", -1), "with id -1 is not a token"),
        (put("added_tokens", 0, "id", 1 << 32), "with id 4294967296 is not a token"),
        (
            put("added_tokens", 1, {"content": "<|endoftext|>", "id": 3001}),
            r"added_tokens\[1\]: '<\|endoftext\|>' is added_tokens\[0\] already",
        ),
        (put("model", "ignore_merges", "true"), r"model\.ignore_merges: 'true' is neither"),
        (
            put("added_tokens", 0, "normalized", "false"),
            r"added_tokens\[0\]\.normalized: 'false' is neither true nor false",
        ),
        (put("added_tokens", 0, "lstrip", 0), r"added_tokens\[0\]\.lstrip: 0 is neither"),
        (
            put("pre_tokenizer", "pretokenizers", 1, "use_regex", "false"),
            r"ByteLevel\.use_regex: 'false' is neither",
        ),
        (put("normalizer", "NFC"), "normalizer: 'NFC'; NFC or none"),
        (put("pre_tokenizer", "ByteLevel"), r"pre_tokenizer: \['ByteLevel'\]"),
        (put("pre_tokenizer", "pretokenizers", ["Split", "ByteLevel"]), r"pre_tokenizer: \['Split"),
    ],
)
def test_a_tokenizer_json_that_cannot_be_taken_exactly_is_refused_by_its_place(
    small, tmp_path, changed, reason
):
    path = saved(small, tmp_path)
    path.write_bytes(changed(copy.deepcopy(json.loads(path.read_text()))))
    with pytest.raises(VocabularyError, match=reason) as refusal:
        load(path)
    assert str(path) in str(refusal.value)


@pytest.mark.parametrize(
    "change",
    [
        put("model", "type", "Unigram"),
        put("model", "end_of_word_suffix", "</w>"),
        put("normalizer", {"type": "NFKC"}),
        put("pre_tokenizer", {"type": "Metaspace"}),
        put("pre_tokenizer", {**BYTES, "use_regex": True, "add_prefix_space": True}),
        put("pre_tokenizer", BYTES),
        put("pre_tokenizer", "pretokenizers", 0, SPLIT),
        put("pre_tokenizer", "pretokenizers", 0, "behavior", "Removed"),
        put("pre_tokenizer", "pretokenizers", 1, "use_regex", True),
    ],
)
def test_a_sound_file_of_another_kind_is_refused_with_the_way_that_takes_it(
    small, tmp_path, change
):
    path = saved(small, tmp_path)
    path.write_bytes(change(json.loads(path.read_text())))
    with pytest.raises(VocabularyError, match="tokenizers add FOLDER --name NAME"):
        load(path)


def test_an_added_token_that_would_share_an_id_is_refused(small, tmp_path):
    """Of 3,000 tokens the last has the id 3000; the next is 3000 too as Hugging Face numbers."""
    path = saved(small, tmp_path)
    file = json.loads(path.read_text())
    last = max(file["model"]["vocab"], key=file["model"]["vocab"].get)
    file["model"]["vocab"][last] = 3000
    file["added_tokens"].append({**file["added_tokens"][0], "content": "<a>", "id": 2999})
    path.write_text(json.dumps(file))
    with pytest.raises(VocabularyError, match=r"added_tokens\[2\]: '<a>' is numbered 3000 by Hug"):
        load(path)


def test_an_added_token_that_versions_number_differently_is_refused(small, tmp_path):
    """The next of 3,001 tokens: 3001 since tokenizers 0.22.2, 3006 before, behind `<in>`."""
    path = saved(small, tmp_path)
    file = json.loads(path.read_text())
    file["model"]["vocab"]["<in>"] = 3005
    one = file["added_tokens"][0]
    more = [{**one, "content": "<in>", "id": 3005}, {**one, "content": "<a>", "id": 3006}]
    file["added_tokens"] += more
    path.write_text(json.dumps(file))
    with pytest.raises(VocabularyError, match=r"added_tokens\[3\]: '<a>' is numbered 3001 or 3006"):
        load(path)


def test_of_a_damaged_file_no_other_way_is_named(small, tmp_path):
    path = saved(small, tmp_path)
    path.write_bytes(put("model", "merges", 3, "x")(json.loads(path.read_text())))
    with pytest.raises(VocabularyError) as refusal:
        load(path)
    assert "FOLDER" not in str(refusal.value)


BYTE_LINES = rank_lines({bytes([byte]): byte for byte in range(256)})


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"not base64 at all\n", r"line 1: not a token in base64"),
        (b"\x0a\x09\x80\x00\xff<unk>", r"line 2: not a token .*SentencePiece"),
        (BYTE_LINES + b"YWI= x\n", r"line 257: not a token"),
        (BYTE_LINES + b"YWI= 97\n", r"line 257: rank 97 is on line 98 too"),
        (BYTE_LINES + b"YQ== 256\n", r"line 257: the token b'a' has two ranks, 97 and 256"),
        (BYTE_LINES + b"YWI= 258\n", r"rank 256 is missing, and there are ranks up to 258"),
        (BYTE_LINES + b"YWI= -1\n", r"a rank below zero"),
        (BYTE_LINES + b"YWI= 99999999\n", r"rank 256 is missing"),
        (rank_lines({bytes([b]): b for b in range(255)}), r"byte 0xff is not the token"),
        (BYTE_LINES + base64.b64encode(b"a" * 2000) + b" 256\n", r"token 256 has 2000 bytes"),
    ],
)
def test_a_rank_file_that_is_damaged_is_refused_by_its_place(tmp_path, data, reason):
    path = tmp_path / "damaged.tiktoken"
    path.write_bytes(data)
    with pytest.raises(VocabularyError, match=reason) as refusal:
        load(path, pattern="cl100k")
    assert str(path) in str(refusal.value)


def test_a_binary_file_is_not_asked_for_its_pattern(tmp_path):
    path = tmp_path / "tokenizer.model"
    path.write_bytes(b"\x0a\x09\x80\x00\xff<unk>")
    with pytest.raises(VocabularyError, match=r"line 2: not a token .*SentencePiece"):
        load(path)


def test_a_gap_may_be_a_special_token(tmp_path):
    path = tmp_path / "gap.tiktoken"
    path.write_bytes(BYTE_LINES + b"YWI= 257\n")
    ours = load(path, pattern="gpt2", special_tokens={"<|endoftext|>": 256})
    assert ours.encode("ab<|endoftext|>", special="all") == [257, 256]
    assert ours.decode([257, 256, 97]) == "ab<|endoftext|>a"
    with pytest.raises(VocabularyError, match="special token '<x>': 97 is the rank of a token"):
        load(path, pattern="gpt2", special_tokens={"<x>": 97})
    with pytest.raises(InvalidRequestError, match="300"):
        ours.decode([300])


def test_a_published_file_needs_nothing_said_and_another_of_its_name_is_not_taken_for_it(
    tmp_path, monkeypatch
):
    """p50k's special token stands amid its ranks, so without it the file would have a gap."""
    path = tmp_path / "p50k_base.tiktoken"
    path.write_bytes(BYTE_LINES + b"YWI= 257\n")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    (published,) = [one for one, known in rank_file._KNOWN.items() if known.file == path.name]
    with pytest.raises(VocabularyError, match=f"its sha256 is {digest}, not {published}; it is"):
        load(path)
    known = rank_file._Known(path.name, "gpt2", special=(("<|endoftext|>", 256),))
    monkeypatch.setitem(rank_file._KNOWN, digest, known)
    assert load(path).encode("ab<|endoftext|>", special="all") == [257, 256]
    assert rank_file._KNOWN[published].special == (("<|endoftext|>", 50_256),)


@pytest.mark.parametrize("name", ["cl100k_base.tiktoken", "tokenizer.json"])
@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n", "git lfs pull"),
        (b"<!DOCTYPE html><title>404</title>", "an HTML or XML page, not a vocabulary"),
        (b" \n", "an empty file"),
        (b"\xef\xbb\xbfAA== 0\n", "begins with a byte order mark, .* as UTF-8 without"),
        ('{"model": {}}'.encode("utf-16"), "begins with a byte order mark"),
    ],
)
def test_what_lies_in_place_of_a_vocabulary_is_named(tmp_path, name, data, reason):
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(VocabularyError, match=reason):
        load(path)


def test_what_a_file_does_not_say_has_to_be_said_and_what_it_says_not(small, tmp_path):
    rank_file = tmp_path / "bytes.tiktoken"
    rank_file.write_bytes(BYTE_LINES)
    with pytest.raises(VocabularyError, match=r"pass pattern=, one of qwen, qwen3\.5"):
        load(rank_file)
    with pytest.raises(InvalidRequestError, match="no split pattern is called 'gpt5'"):
        load(rank_file, pattern="gpt5")
    with pytest.raises(InvalidRequestError, match="'NFC' or 'none', not 'NFKC'"):
        load(rank_file, pattern="qwen", normalization="NFKC")
    for special in (
        ["<x>"],
        {"": 256},
        {"<x>": "a"},
        {"<x>": -1},
        {"<x>": True},
        {"<x>": 1 << 32},
        {"<\ud83d>": 256},
        {"<x>": 256, "<y>": 256},
    ):
        with pytest.raises(InvalidRequestError, match="special_tokens"):
            load(rank_file, pattern="qwen", special_tokens=special)
    path = saved(small, tmp_path)
    with pytest.raises(InvalidRequestError, match="says its pattern"):
        load(path, pattern="qwen")
    compact = tmp_path / "compact.bpe"
    compact.write_bytes(convert(path))
    with pytest.raises(InvalidRequestError, match="says how its text is split"):
        load(compact, pattern="qwen")
    with pytest.raises(VocabularyError, match="converted already"):
        convert(compact)

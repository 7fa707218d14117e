"""Twins: the core against a slow reference, against tiktoken and against Hugging Face."""

from __future__ import annotations

import sys
import sysconfig
import unicodedata
from pathlib import Path

import bpe_reference
import pytest
import tiktoken
from hypothesis import HealthCheck, assume, example, given, settings
from token_texts import SNIPPETS, texts

from tokenfare.tokenizers import Tokenizer

many = settings(
    max_examples=400,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def test_the_official_example(qwen: Tokenizer):
    """From QwenLM/Qwen's documentation of its tokenizer."""
    expected = [31935, 64559, 99320, 56007, 100629, 104795, 99788, 1773]
    assert qwen.encode("通义千问具有强大的能力。") == expected


@many
@given(text=texts)
@example(text="".join(SNIPPETS))
@example(text=" ".join(SNIPPETS))
def test_the_core_equals_the_readable_reference(qwen, ranks, text):
    assume(bpe_reference.known(text))
    assert qwen.encode(text) == bpe_reference.encode(text, ranks)


@many
@given(text=texts)
@example(text="".join(SNIPPETS))
@example(text="a".join(SNIPPETS))
@example(text="\n".join(SNIPPETS))
def test_the_core_equals_tiktoken_on_normalized_text(qwen, with_tiktoken, text):
    """Unknown characters included. Ids carry the whole text, so decoding them gives what the core
    normalized; that this is NFC is the next test."""
    ids = qwen.encode(text)
    assert ids == with_tiktoken.encode_ordinary(qwen.decode(ids))


@many
@given(text=texts)
@example(text="".join(SNIPPETS))
def test_what_is_encoded_is_the_text_in_nfc(qwen, text):
    """Where the interpreter's Unicode is older than 16.0 it cannot say what NFC is."""
    assume(bpe_reference.known(text))
    assert qwen.decode(qwen.encode(text)) == unicodedata.normalize("NFC", text)


@many
@given(text=texts)
@example(text="".join(SNIPPETS))
def test_the_core_equals_hugging_face(qwen, with_hugging_face, text):
    """Hugging Face orders some marks by the combining classes of Unicode 9, where they were not yet
    assigned; where its NFC is another text, its ids are that text's."""
    from tokenizers import normalizers

    ids = qwen.encode(text)
    assume(normalizers.NFC().normalize_str(text) == qwen.decode(ids))
    assert ids == with_hugging_face.encode(text).ids


def test_hugging_face_normalizes_otherwise_only_marks_that_it_does_not_know(qwen):
    """The interpreter has no tables of Unicode 9; those of 3.2 must not know them either."""
    from tokenizers import normalizers

    theirs = normalizers.NFC()
    differing = []
    for code in range(sys.maxunicode + 1):
        c = chr(code)
        if unicodedata.combining(c) == 0:
            continue
        text = f"a{c}\u0301{c}\u0323"
        if theirs.normalize_str(text) != qwen.decode(qwen.encode(text)):
            differing.append(c)
    assert "\u0898" in differing
    assert all(unicodedata.ucd_3_2_0.category(c) == "Cn" for c in differing)


def test_every_code_point_in_every_neighbourhood_equals_tiktoken(qwen, with_tiktoken):
    """All of Unicode, assigned or not, beside letters, digits, space, line ends and itself."""
    for first in range(0, sys.maxunicode + 1, 512):
        block = [chr(c) for c in range(first, first + 512) if not 0xD800 <= c < 0xE000]
        text = "".join(f"a{c}b {c}1{c}{c} .{c}\n{c}\r\n  {c}'{c}s" for c in block)
        ids = qwen.encode(text)
        assert ids == with_tiktoken.encode_ordinary(qwen.decode(ids)), hex(first)


def installed_files() -> list[Path]:
    """Real text: the standard library's sources, and the longest of each other kind there is."""
    root = Path(sys.prefix).resolve()
    library = Path(sysconfig.get_paths()["stdlib"])
    sources = sorted(library.glob("*.py"))[:40]
    rest = [
        p for kind in ("*.txt", "*.md", "*.rst", "*.json") for p in sorted(root.rglob(kind))[:25]
    ]
    return [p for p in (*sources, *rest) if p.is_file()]


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_files_of_this_installation_equal_tiktoken(
    qwen: Tokenizer, with_tiktoken: tiktoken.Encoding, newline: str
):
    files = installed_files()
    assert len(files) >= 20
    for path in files:
        text = path.read_text(encoding="utf-8", errors="replace")[:200_000].replace("\n", newline)
        normalized = unicodedata.normalize("NFC", text)
        assert qwen.encode(text) == with_tiktoken.encode_ordinary(normalized), path

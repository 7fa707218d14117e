"""Vocabularies from files: converted once, loaded in milliseconds.

`load` takes a rank file (`.tiktoken`, Llama 3's `tokenizer.model`), a `tokenizer.json` or the
result of `convert`. `convert` makes the compact form, which is one file: a line with the digest of
all that follows, a line of JSON (name, origin, added tokens), and the merge table of the core.
"""

from __future__ import annotations

import json
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Mapping
from dataclasses import astuple
from pathlib import Path
from typing import Literal

from tokenfare.errors import InputError, InvalidRequestError, VocabularyError

from . import rank_file, tokenizer_json
from .patterns import PATTERNS
from .special import SpecialSets
from .tokenizer import Tokenizer
from .vocabulary import Added, NotRepresentable, Vocabulary

_MAGIC = b"tokenfare vocabulary 1 "
_BARE = b"TFBPE\0\0"  # the core's merge table alone

Normalization = Literal["NFC", "none"]


def convert(  # noqa: PLR0913 - a rank file leaves much unsaid
    path: str | Path,
    *,
    name: str | None = None,
    sha256: str | None = None,
    pattern: str | None = None,
    normalization: Normalization | None = None,
    special_tokens: Mapping[str, int] | None = None,
) -> bytes:
    """Convert a vocabulary file to the compact form, which `load` reads in milliseconds.

    It takes a second or two. The last three arguments are for rank files, which do not state them.

    Args:
        path: A `tokenizer.json`, a rank file (`.tiktoken`), or Llama 3's `tokenizer.model`.
        name: The name of the tokenizer; by default that of the file.
        sha256: The digest that the file must have, in hex.
        pattern: The split pattern: `"qwen"`, `"qwen3.5"`, `"cl100k"`, `"llama3"`, `"o200k"` or
            `"gpt2"`; not needed for a file whose digest is known.
        normalization: `"NFC"` or `"none"`.
        special_tokens: Special tokens, with their ids.

    Raises:
        InputError: The file cannot be read.
        VocabularyError: The file is damaged or cannot be counted exactly; the error names the
            place.
    """
    data = _read(path)
    digest = _checked_digest(str(path), data, sha256)
    if data.startswith((_MAGIC, _BARE)):
        raise NotRepresentable(str(path), "", "converted already: tokenizers.load reads it")
    given = (pattern, normalization, special_tokens)
    vocabulary = _read_vocabulary(str(path), data, digest, given)
    return _written(vocabulary, name or _name(path), digest, str(path))


def load(  # noqa: PLR0913 - as `convert`
    path: str | Path,
    name: str | None = None,
    *,
    sha256: str | None = None,
    pattern: str | None = None,
    normalization: Normalization | None = None,
    special_tokens: Mapping[str, int] | None = None,
) -> Tokenizer:
    """Load a tokenizer from a vocabulary file, or from what `convert` wrote.

    Files that were not converted are converted each time, which takes a second or two. The
    arguments and errors are those of `convert`.
    """
    data = _read(path)
    if data.startswith(_MAGIC):
        if (pattern, normalization, special_tokens) != (None, None, None):
            raise InvalidRequestError(
                f"{path}: a compact vocabulary says how its text is split; leave "
                "pattern, normalization and special_tokens out"
            )
        _checked_digest(str(path), data, sha256)
        return _loaded(str(path), data, name)
    if data.startswith(_BARE):
        _checked_digest(str(path), data, sha256)
        return Tokenizer(name or _name(path), data)
    compact = convert(
        path,
        name=name,
        sha256=sha256,
        pattern=pattern,
        normalization=normalization,
        special_tokens=special_tokens,
    )
    return _loaded(str(path), compact, name)


def _read(path: str | Path) -> bytes:
    try:
        return Path(path).read_bytes()
    except IsADirectoryError:
        raise InputError(
            str(path), "a folder: name the tokenizer.json or rank file in it"
        ) from None
    except OSError as error:
        raise InputError(str(path), error.strerror or str(error)) from error
    except ValueError as error:  # a NUL in the path
        raise InputError(str(path), str(error)) from error


def _name(path: str | Path) -> str:
    path = Path(path)
    # All files are called tokenizer.json or tokenizer.model, so the folder's name tells more.
    return path.absolute().parent.name if path.stem == "tokenizer" else path.stem


def _sha256(data: bytes) -> str:
    import hashlib  # 3.6 MB, since it loads OpenSSL; needed only for files

    return hashlib.sha256(data).hexdigest()


def _checked_digest(path: str, data: bytes, expected: str | None) -> str:
    given: object = expected  # what a caller without a type checker may have given
    if not isinstance(given, str | None):
        raise InvalidRequestError(f"sha256 is a digest in hex, not {given!r}")
    digest = _sha256(data)
    if expected is not None and digest != expected.lower():
        problem = f"its sha256 is {digest}, not {expected}: another file, or a damaged one"
        raise NotRepresentable(path, "", problem)
    return digest


def _read_vocabulary(
    path: str,
    data: bytes,
    digest: str,
    given: tuple[str | None, Normalization | None, Mapping[str, int] | None],
) -> Vocabulary:
    pattern, normalization, special_tokens = given
    if pattern is not None and pattern not in PATTERNS:
        known = ", ".join(PATTERNS)
        raise InvalidRequestError(f"no split pattern is called {pattern!r}; known: {known}")
    if normalization not in {None, "NFC", "none"}:
        raise InvalidRequestError(f"normalization is 'NFC' or 'none', not {normalization!r}")
    if not isinstance(special_tokens, Mapping | None):
        raise InvalidRequestError(f"special_tokens are texts and their ids, not {special_tokens!r}")
    stand_in = _stand_in(data)
    if stand_in is not None:
        raise NotRepresentable(path, "", stand_in)
    if data.lstrip()[:1] != b"{":
        return rank_file.read(
            path,
            data,
            digest,
            pattern=pattern,
            nfc=None if normalization is None else normalization == "NFC",
            special_tokens=special_tokens or {},
        )
    if given != (None, None, None):
        raise InvalidRequestError(
            f"{path}: a tokenizer.json says its pattern, normalization and added tokens itself; "
            "leave pattern, normalization and special_tokens out"
        )
    return tokenizer_json.read(path, data)


def _stand_in(data: bytes) -> str | None:
    """What the file is if it is a common stand-in: empty, a Git LFS pointer, an error page."""
    if not data.strip():
        return "an empty file"
    if data.startswith(b"version https://git-lfs"):
        return "a pointer of Git LFS, not the file itself: `git lfs pull` fetches that"
    if data.lstrip()[:1] == b"<":
        return "an HTML or XML page, not a vocabulary: the download went wrong"
    if data.startswith((BOM_UTF8, BOM_UTF16_LE, BOM_UTF16_BE)):
        return (
            "it begins with a byte order mark, so an editor has rewritten it: take the file as it "
            "was published, or save it as UTF-8 without that mark"
        )
    return None


def _written(vocabulary: Vocabulary, name: str, digest: str, path: str) -> bytes:
    from tokenfare import _core

    try:
        table = _core.to_compact(
            vocabulary.tokens,
            vocabulary.merges,
            whole_pieces=vocabulary.whole_pieces,
            pattern=vocabulary.pattern,
            nfc=vocabulary.nfc,
        )
    except (_core.Refused, OverflowError) as error:
        raise NotRepresentable(path, "", str(error)) from error
    about = {
        "name": name,
        "source_sha256": digest,
        "pattern": vocabulary.pattern,
        "normalization": "NFC" if vocabulary.nfc else "none",
        "tokens": len(vocabulary.tokens),
        "added": [astuple(token) for token in vocabulary.added],
    }
    body = json.dumps(about).encode() + b"\n" + table
    return _MAGIC + _sha256(body).encode() + b"\n" + body


def _loaded(path: str, data: bytes, name: str | None) -> Tokenizer:
    first, _, body = data.partition(b"\n")
    if first[len(_MAGIC) :] != _sha256(body).encode():
        raise NotRepresentable(path, "", "damaged since it was written: convert the source again")
    line, _, table = body.partition(b"\n")
    try:
        about = json.loads(line)
        added = [Added(*token) for token in about["added"]]
        found, nfc = str(about["name"]), about["normalization"] == "NFC"
    except (ValueError, TypeError, KeyError) as error:
        raise NotRepresentable(path, "line 2", f"not what `convert` writes: {error}") from error
    try:
        return Tokenizer(name or found, table, SpecialSets.of_file(added, nfc=nfc))
    except VocabularyError as error:
        raise NotRepresentable(path, "", str(error)) from error

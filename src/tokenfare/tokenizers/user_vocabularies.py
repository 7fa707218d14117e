"""The user's own vocabularies: converted once, and kept with the digest of their source.

They are in a folder of the user's (`TOKENFARE_TOKENIZERS` names another), one file for each
tokenizer: the compact form of a vocabulary, or a note that names a folder for `transformers`.
Nothing is ever downloaded. A vocabulary is kept under the name of a known tokenizer only if its
split pattern and size are that tokenizer's.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from tokenfare.errors import InputError, InvalidRequestError

from .known import KNOWN, named_by
from .special import QWEN_SIZE

FOLDER_VARIABLE = "TOKENFARE_TOKENIZERS"
_VOCABULARY, _NOTE = ".vocabulary", ".folder.json"
# `transformers` starts from one of these files; the second names the folder's own code.
_OF_A_TOKENIZER = (
    "tokenizer.json",
    "tokenizer_config.json",
    "tokenizer.model",
    "spiece.model",
    "vocab.json",
    "vocab.txt",
)


@dataclass(frozen=True, slots=True)
class UserVocabulary:
    """A tokenizer that the user added.

    `path` is a compact vocabulary, or the folder that `transformers` reads; `trusted` allows it to
    run the code that comes with the folder. `sha256` is the digest of the file that was converted.
    """

    name: str
    path: Path
    sha256: str | None = None
    folder: bool = False
    trusted: bool = False


def folder() -> Path:
    """The folder of this user's vocabularies; it may not exist yet.

    Raises `InputError` if there is no home directory to put it in.
    """
    found = _folder()
    if found is None:
        raise InputError("tokenizers", f"no home directory is known; set HOME or {FOLDER_VARIABLE}")
    return found


def _folder() -> Path | None:
    given = os.environ.get(FOLDER_VARIABLE)
    if given:
        return Path(given)
    from platformdirs import user_data_path

    try:
        found = user_data_path("tokenfare") / "tokenizers"
    except RuntimeError:  # no HOME, and a user without an entry in passwd, as in containers
        return None
    # An older platformdirs returns a path that begins with `~`.
    return found if found.is_absolute() else None


def user_vocabulary(name: str) -> UserVocabulary | None:
    """The vocabulary that the user added under this name, if there is one."""
    _check_name(name)
    kept = _folder()
    if kept is None:
        return None
    path = kept / f"{name}{_VOCABULARY}"
    if path.is_file():
        return UserVocabulary(name, path, _about(path).get("source_sha256"))
    note = kept / f"{name}{_NOTE}"
    if not note.is_file():
        return None
    try:
        said = json.loads(note.read_text(encoding="utf-8"))
        return UserVocabulary(
            name, Path(said["folder"]), None, folder=True, trusted=bool(said["trusted"])
        )
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(str(note), f"not a note of this program: {error}; remove it") from error


def user_vocabulary_names() -> tuple[str, ...]:
    """The names of all vocabularies that the user added."""
    try:
        files = [path.name for path in folder().iterdir()]
    except (InputError, OSError):
        return ()
    endings = (_VOCABULARY, _NOTE)
    names = {f.removesuffix(end) for end in endings for f in files if f.endswith(end)}
    return tuple(sorted(names))


def add_file(path: Path, name: str | None = None) -> UserVocabulary:
    """Convert a vocabulary file and keep it, as `tokenfare tokenizers add` does.

    A vocabulary that is recognised by its content needs no name. Raises `InvalidRequestError` for
    the name of a known tokenizer with another vocabulary, and the errors of `convert`.
    """
    from .files import convert

    compact = convert(path)
    about = _metadata(compact)
    pattern, size = str(about.get("pattern")), int(str(about.get("tokens", 0)))
    name = name or named_by(pattern, size)
    if name is None and (pattern, size) == ("qwen", QWEN_SIZE):
        raise InvalidRequestError(f"{path}: the vocabulary of 'qwen', which ships with the package")
    if name is None:
        raise InvalidRequestError(
            f"{path}: a vocabulary of {size:,} tokens, split as {pattern!r}, is not a known "
            "one; give it a name with --name"
        )
    _check_fits(path, name, pattern, size)
    target = folder() / f"{name}{_VOCABULARY}"
    _write(target, compact)
    (folder() / f"{name}{_NOTE}").unlink(missing_ok=True)
    return UserVocabulary(name, target, str(about.get("source_sha256")))


def add_folder(path: Path, name: str, *, trusted: bool = False) -> UserVocabulary:
    """Remember a folder from which `transformers` loads a tokenizer when it is needed.

    Raises `InputError` for a folder without tokenizer files, and `VocabularyError` for one that
    `transformers` (if installed) cannot read: otherwise every count with that name would fail.
    """
    _check_name(name)
    if not any((path / file).is_file() for file in _OF_A_TOKENIZER):
        expected = ", ".join(_OF_A_TOKENIZER)
        raise InputError(str(path), f"holds no tokenizer: none of {expected} is in it")
    known = KNOWN.get(name)
    if name == "qwen" or (known is not None and not known.by_transformers):
        raise InvalidRequestError(f"{name} is read from a file: add the tokenizer.json in {path}")
    if find_spec("transformers") is not None:
        from .via_transformers import ByTransformers

        ByTransformers(name, path, trusted=trusted).count("Hello")
    said = {"folder": str(path.absolute()), "trusted": trusted}
    _write(folder() / f"{name}{_NOTE}", json.dumps(said).encode())
    (folder() / f"{name}{_VOCABULARY}").unlink(missing_ok=True)
    return UserVocabulary(name, path, None, folder=True, trusted=trusted)


def forget(name: str) -> None:
    """Remove the vocabulary that the user added under this name.

    A converted vocabulary is deleted; of an added folder, only the note. Raises
    `InvalidRequestError` if nothing was added under the name.
    """
    _check_name(name)
    there = [path for end in (_VOCABULARY, _NOTE) if (path := folder() / f"{name}{end}").exists()]
    if not there:
        added = ", ".join(user_vocabulary_names()) or "nothing"
        raise InvalidRequestError(f"{name!r} was not added; added: {added}")
    for path in there:
        try:
            path.unlink()
        except OSError as error:
            problem = f"cannot be removed: {error.strerror or error}"
            raise InputError(str(path), problem) from error


def _check_fits(path: Path, name: str, pattern: str, size: int) -> None:
    _check_name(name)
    if name == "qwen":
        raise InvalidRequestError(f"{path}: the vocabulary of 'qwen' ships with the package")
    known = KNOWN.get(name)
    if known is None:
        return
    if known.pattern is not None and (pattern, size) != (known.pattern, *known.sizes):
        (expected,) = known.sizes
        raise InvalidRequestError(
            f"{path}: not the vocabulary of {name!r}: {size:,} tokens split as {pattern!r}, "
            f"where {expected:,} split as {known.pattern!r} are expected"
        )
    if not known.by_transformers and known.pattern is None:
        raise InvalidRequestError(
            f"{name!r} stands for tokenizers that are not known; choose another name"
        )


def _check_name(name: str) -> None:
    if not name or not all(c.isalnum() or c in "-_." for c in name) or name.startswith("."):
        raise InvalidRequestError(f"{name!r} is not a name: letters, digits, '-', '_' and '.'")


def _about(path: Path) -> dict[str, str]:
    with path.open("rb") as file:
        return _metadata(file.readline() + file.readline())


def _metadata(compact: bytes) -> dict[str, str]:
    """The second line of the compact form, with facts about the vocabulary; empty if damaged."""
    try:
        said = json.loads(compact.split(b"\n", 2)[1])
    except (ValueError, IndexError):
        return {}
    return said if isinstance(said, dict) else {}


def _write(path: Path, content: bytes) -> None:
    """Write a file as a whole or not at all, so that no reader finds half of it."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f".{path.name}.{os.getpid()}")
        partial.write_bytes(content)
        partial.replace(path)
    except OSError as error:
        raise InputError(str(path), f"cannot be written: {error.strerror or error}") from error

"""Finds vocabularies in the caches of other programs: Hugging Face's and tiktoken's.

The caches are only read; nothing is imported from those programs, and nothing is downloaded.
"""

from __future__ import annotations

import os
from pathlib import Path

from .known import Known

_JSON = "tokenizer.json"
_MODEL = "tokenizer.model"


def find_vocabulary(known: Known) -> Path | None:
    """Find a vocabulary file for the core, or a folder for `transformers`, in a cache."""
    if known.tiktoken is not None:
        return _of_tiktoken(*known.tiktoken)
    for repository in known.hub:
        for folder in _snapshots(repository):
            if known.by_transformers:
                if (folder / _JSON).is_file() or (folder / _MODEL).is_file():
                    return folder
            elif (folder / _JSON).is_file():
                return folder / _JSON
    return None


def hub_folder() -> Path:
    """The folder of Hugging Face's cache, found in the way of `huggingface_hub`."""
    if "HF_HUB_CACHE" in os.environ:
        return Path(os.environ["HF_HUB_CACHE"])
    if "HF_HOME" in os.environ:
        return Path(os.environ["HF_HOME"]) / "hub"
    cache = os.environ.get("XDG_CACHE_HOME")
    return (Path(cache) if cache else Path.home() / ".cache") / "huggingface" / "hub"


def _snapshots(repository: str) -> list[Path]:
    try:
        folder = hub_folder() / f"models--{repository.replace('/', '--')}" / "snapshots"
        return sorted(folder.iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)
    except (OSError, RuntimeError):  # RuntimeError: no home directory is known
        return []


def _of_tiktoken(url: str, sha256: str) -> Path | None:
    """The file in tiktoken's cache, if it is undamaged. It is named by the SHA-1 of the URL."""
    import hashlib  # 3.6 MB, since it loads OpenSSL
    import tempfile

    folder = os.environ.get("TIKTOKEN_CACHE_DIR") or os.environ.get("DATA_GYM_CACHE_DIR")
    name = hashlib.sha1(url.encode(), usedforsecurity=False).hexdigest()
    path = (Path(folder) if folder else Path(tempfile.gettempdir()) / "data-gym-cache") / name
    try:
        whole = hashlib.sha256(path.read_bytes()).hexdigest() == sha256
    except OSError:
        return None
    return path if whole else None

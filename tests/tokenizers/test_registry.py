"""Tokenizers by name: what ships, what was added, what lies in a cache, and bounds otherwise."""

from __future__ import annotations

import ast
import base64
import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from published import write_tokenizer

from tokenfare import tokenizers
from tokenfare.errors import (
    InputError,
    InvalidRequestError,
    MissingExtra,
    UnknownTokenizer,
    VocabularyError,
    VocabularyMissing,
)
from tokenfare.tokenizers import (
    Bounds,
    Tokenizer,
    add_file,
    add_folder,
    get_tokenizer,
    measurer,
    tokenizer_info,
    tokenizer_names,
)
from tokenfare.tokenizers import known as known_module
from tokenfare.tokenizers.known import KNOWN, Known
from tokenfare.tokenizers.ranks import qwen_ranks
from tokenfare.tokenizers.via_transformers import ByTransformers

TEXT = "Hello, world! 通义千问具有强大的能力。 def f(x): return x + 1"


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No vocabularies of whoever runs this."""
    from tokenfare.tokenizers import registry

    monkeypatch.setenv("TOKENFARE_TOKENIZERS", str(tmp_path / "kept"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path / "tiktoken"))
    registry._from_cache_or_bounds.cache_clear()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as `transformers` reads it, with Qwen's vocabulary."""
    path = tmp_path_factory.mktemp("published")
    write_tokenizer(path, "qwen2.5")
    return path


@pytest.fixture
def ranks(tmp_path: Path) -> Path:
    """A rank file of 300 tokens: the bytes and the first merges of Qwen's."""
    path = tmp_path / "small.tiktoken"
    lines = [
        f"{base64.b64encode(token).decode()} {rank}"
        for token, rank in qwen_ranks().items()
        if rank < 300
    ]
    path.write_text("\n".join(lines))
    return path


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another tokenizer that is known: of 300 tokens, with Llama 3's split pattern."""
    fits = Known(lambda text: len(text.encode()), "give it", "llama3", frozenset({300}))
    monkeypatch.setattr(known_module, "KNOWN", {**KNOWN, "small": fits})
    for module in ("origins", "user_vocabularies"):
        monkeypatch.setattr(f"tokenfare.tokenizers.{module}.KNOWN", {**KNOWN, "small": fits})


@pytest.mark.parametrize("name", ["qwen3.5", "llama3", "llama2", "cl100k", "yi", "abab"])
def test_without_a_vocabulary_there_are_bounds_and_a_way_to_get_it(name: str) -> None:
    assert isinstance(measurer(name), Bounds)
    found = tokenizer_info(name)
    assert (found.origin, found.path) == ("bounds only", None)
    assert found.get
    with pytest.raises(VocabularyMissing, match=r"gives bounds that hold"):
        get_tokenizer(name)


def test_qwen_ships() -> None:
    assert tokenizer_info("qwen").origin == "ships"
    assert tokenizer_names()[0] == "qwen"


def test_an_unknown_name_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UnknownTokenizer, match=r"known: qwen, qwen3\.5, llama3"):
        measurer("gpt9")
    with pytest.raises(UnknownTokenizer):
        tokenizer_info("gpt9")


def test_a_file_that_was_added_is_exact_and_keeps_its_digest(folder: Path) -> None:
    kept = add_file(folder / "tokenizer.json", "mine")
    assert kept.sha256 == hashlib.sha256((folder / "tokenizer.json").read_bytes()).hexdigest()
    assert tokenizer_info("mine").origin == "added"
    assert tokenizer_info("mine").sha256 == kept.sha256
    assert "mine" in tokenizer_names()
    assert get_tokenizer("mine").count(TEXT) == get_tokenizer("qwen").count(TEXT)


def test_a_known_vocabulary_is_known_by_its_pattern_and_size(
    small: None, folder: Path, tmp_path: Path
) -> None:
    content = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
    tokens = list(content["model"]["vocab"])[:300]
    made = {a + b for a, b in content["model"]["merges"]}
    content["model"]["vocab"] = {token: i for i, token in enumerate(tokens)}
    content["model"]["merges"] = [
        pair for pair in content["model"]["merges"] if "".join(pair) in set(tokens[256:])
    ]
    assert made
    content["added_tokens"], content["normalizer"] = [], None
    regex = content["pre_tokenizer"]["pretokenizers"][0]["pattern"]
    regex["Regex"] = regex["Regex"].replace(r"\p{N}|", r"\p{N}{1,3}|", 1)
    (tmp_path / "tokenizer.json").write_text(json.dumps(content), encoding="utf-8")
    assert add_file(tmp_path / "tokenizer.json").name == "small"
    assert isinstance(measurer("small"), Tokenizer)
    assert measurer("small").measure(TEXT).exact


@pytest.mark.parametrize("name", ["qwen3.5", "llama3", "cl100k"])
def test_one_vocabulary_never_passes_for_another(folder: Path, name: str) -> None:
    with pytest.raises(
        InvalidRequestError, match=f"not the vocabulary of '{name}': 151,643 tokens"
    ):
        add_file(folder / "tokenizer.json", name)
    assert isinstance(measurer(name), Bounds)


def test_a_vocabulary_that_is_none_that_is_known_needs_a_name(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(InvalidRequestError, match="'qwen', which ships with the package"):
        add_file(folder / "tokenizer.json")
    monkeypatch.setattr("tokenfare.tokenizers.user_vocabularies.QWEN_SIZE", 7)
    with pytest.raises(InvalidRequestError, match="not a known one; give it a name with --name"):
        add_file(folder / "tokenizer.json")


@pytest.mark.parametrize("name", ["qwen", "unknown", "abab", "../up", "", ".hidden"])
def test_a_name_that_cannot_be_given_is_refused(folder: Path, name: str) -> None:
    with pytest.raises(InvalidRequestError):
        add_file(folder / "tokenizer.json", name or "a/b")


def test_a_file_that_was_damaged_since_is_an_error_and_no_other_count(folder: Path) -> None:
    kept = add_file(folder / "tokenizer.json", "mine")
    content = bytearray(kept.path.read_bytes())
    content[-1] ^= 1
    kept.path.write_bytes(content)
    with pytest.raises(VocabularyError, match="damaged"):
        measurer("mine")


def test_a_folder_is_counted_by_transformers_and_only_when_needed(folder: Path) -> None:
    add_folder(folder, "yi")
    found = measurer("yi")
    assert isinstance(found, ByTransformers)
    assert found.measure(TEXT).exact
    assert found.count(TEXT) == get_tokenizer("qwen").count(TEXT)
    assert found.count("<|im_end|>") > 1  # text is text
    assert found.count("a\ud800b") == found.count("a\ufffdb")
    with pytest.raises(VocabularyMissing, match="counts it, through transformers"):
        get_tokenizer("yi")


def test_a_folder_of_which_the_core_could_read_the_file_is_refused(folder: Path) -> None:
    with pytest.raises(InvalidRequestError, match=r"add the tokenizer\.json in"):
        add_folder(folder, "llama3")


def test_a_folder_of_a_broken_tokenizer_is_refused_and_not_remembered(tmp_path: Path) -> None:
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(VocabularyError, match="no tokenizer that transformers can read"):
        add_folder(tmp_path, "yi")
    assert tokenizer_info("yi").path is None


def test_a_folder_that_broke_since_is_said_when_it_is_needed(folder: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    shutil.copytree(folder, mine)
    add_folder(mine, "yi")
    (mine / "tokenizer.json").write_text("{}")
    with pytest.raises(VocabularyError, match="`tokenfare tokenizers remove yi` forgets it"):
        measurer("yi").measure("Hello")


def test_without_transformers_the_extra_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tokenizer.json").write_text("{}")
    monkeypatch.setitem(sys.modules, "transformers", None)
    add_folder(tmp_path, "yi")  # on trust
    with pytest.raises(MissingExtra, match=r"pip install 'tokenfare\[transformers\]'"):
        measurer("yi").measure("Hello")


def test_adding_a_file_replaces_a_folder_and_the_other_way_round(folder: Path) -> None:
    add_folder(folder, "mine")
    add_file(folder / "tokenizer.json", "mine")
    assert isinstance(measurer("mine"), Tokenizer)
    add_folder(folder, "mine")
    assert isinstance(measurer("mine"), ByTransformers)


def test_a_copy_in_hugging_faces_cache_is_taken(folder: Path, tmp_path: Path) -> None:
    snapshot = tmp_path / "hub" / "models--01-ai--Yi-34B-Chat" / "snapshots" / "abc"
    snapshot.parent.mkdir(parents=True)
    snapshot.symlink_to(folder)
    assert (tokenizer_info("yi").origin, tokenizer_info("yi").path) == (
        "found in a cache",
        snapshot,
    )
    assert int(measurer("yi").measure(TEXT)) == get_tokenizer("qwen").count(TEXT)


def test_a_copy_of_another_vocabulary_is_not_taken(folder: Path, tmp_path: Path) -> None:
    snapshot = tmp_path / "hub" / "models--Qwen--Qwen3.5-4B" / "snapshots" / "abc"
    snapshot.parent.mkdir(parents=True)
    snapshot.symlink_to(folder)
    assert isinstance(measurer("qwen3.5"), Bounds)


def test_tiktokens_cache_is_read_only_where_the_file_is_whole(tmp_path: Path) -> None:
    url, _ = KNOWN["cl100k"].tiktoken or ("", "")
    path = tmp_path / "tiktoken" / hashlib.sha1(url.encode(), usedforsecurity=False).hexdigest()
    path.parent.mkdir()
    path.write_bytes(b"half of it")
    assert tokenizer_info("cl100k").origin == "bounds only"


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No such file"):
        add_file(tmp_path / "tokenizer.json")


def test_a_note_that_was_damaged_is_said_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "yi.folder.json").write_text("{")
    with pytest.raises(InputError, match=r"yi\.folder\.json: not a note of this program"):
        measurer("yi")


@pytest.mark.parametrize("name", ["qwen", "qwen3.5", "llama2"])
def test_asking_for_a_tokenizer_loads_no_other_library(name: str) -> None:
    code = f"from tokenfare.tokenizers import measurer; measurer({name!r}).measure('hello')"
    script = f"{code}\nimport sys; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert {"transformers", "tiktoken", "tokenizers", "httpx"} & set(done.stdout.split()) == set()


def test_what_is_imported_later_is_there_and_is_what_type_checkers_see() -> None:
    tree = ast.parse(Path(tokenizers.__file__).read_text(encoding="utf-8"))
    (checked,) = (node for node in tree.body if isinstance(node, ast.If))
    imports = [node for node in checked.body if isinstance(node, ast.ImportFrom)]
    seen = {alias.asname: node.module for node in imports for alias in node.names}
    assert seen == tokenizers._HOMES
    assert set(tokenizers.__all__) <= set(dir(tokenizers))
    for name in tokenizers.__all__:
        assert getattr(tokenizers, name) is getattr(tokenizers, name)
    assert not hasattr(tokenizers, "no_such_name")

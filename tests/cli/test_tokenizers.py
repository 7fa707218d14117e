"""`tokenfare tokenizers`: what is here, what is not, and taking what the user has."""

from __future__ import annotations

import json
import shutil
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from published import write_tokenizer

Run = Callable[..., Any]


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from tokenfare.tokenizers import registry

    monkeypatch.setenv("TOKENFARE_TOKENIZERS", str(tmp_path / "kept"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path / "tiktoken"))
    registry._from_cache_or_bounds.cache_clear()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("published")
    write_tokenizer(path, "qwen2.5")
    return path


def test_the_list_says_what_is_here_and_how_to_get_the_rest(run: Run) -> None:
    lines = run("tokenizers").out.splitlines()
    assert lines[0].split() == ["tokenizer", "counts", "vocabulary", "to", "get", "it"]
    assert lines[1].split() == ["qwen", "exactly", "ships"]
    (missing,) = [line for line in lines if line.startswith("qwen3.5")]
    assert "within bounds" in missing
    assert "tokenfare tokenizers add tokenizer.json" in missing


def test_the_list_as_json_has_the_errors_of_the_estimates(run: Run) -> None:
    found = {one["name"]: one for one in json.loads(run("tokenizers", "--json").out)}
    assert found["qwen"]["exact"] is True
    assert found["llama3"]["estimate_errors"]["en_prose"]["mean"] < 0.02
    assert found["yi"]["estimate_errors"] is None


def test_a_file_is_taken_once_and_exact_from_then_on(run: Run, folder: Path) -> None:
    ended = run("tokenizers", "add", str(folder / "tokenizer.json"), "--name", "mine")
    assert (ended.code, ended.out.split(":")[0]) == (0, "mine")
    assert (
        run("count", "--tokenizer", "mine", stdin="通义千问具有强大的能力。".encode()).out == "8\n"
    )
    assert "mine" in run("tokenizers").out


def test_a_rank_file_that_no_option_can_explain_is_led_to_what_can(
    run: Run, tmp_path: Path
) -> None:
    """`tokenizers add` has no option for a pattern: the way out is in Python, named whole."""
    ranks = tmp_path / "mine.tiktoken"
    ranks.write_text("".join(f"{b64encode(bytes([i])).decode()} {i}\n" for i in range(256)))
    ended = run("tokenizers", "add", str(ranks), "--name", "mine")
    assert (ended.code, ended.out) == (2, "")
    assert "pass pattern=, one of qwen, " in ended.err
    assert ended.err.rstrip().endswith("to tokenfare.tokenizers.load")


def test_a_folder_is_not_yet_counted_by_where_what_reads_it_is_not_installed(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tokenfare.tokenizers import origins, user_vocabularies

    for module in (origins, user_vocabularies):
        monkeypatch.setattr(module, "find_spec", lambda _: None)
    assert run("tokenizers", "add", str(folder), "--name", "llama2").code == 0
    (line,) = [line for line in run("tokenizers").out.splitlines() if line.startswith("llama2")]
    assert line.split(maxsplit=4) == [
        "llama2", "not", "yet", "added", "pip install 'tokenfare[transformers]'",
    ]  # fmt: skip
    found = {one["name"]: one for one in json.loads(run("tokenizers", "--json").out)}
    assert found["llama2"]["exact"] is False


def test_a_folder_is_remembered(run: Run, folder: Path) -> None:
    ended = run("tokenizers", "add", str(folder), "--name", "llama2")
    assert "will be read from" in ended.out
    (line,) = [one for one in run("tokenizers").out.splitlines() if one.startswith("llama2")]
    assert line.split()[1:] == ["exactly", "added"]


def test_a_folder_without_a_tokenizer_is_refused(run: Run, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no tokenizer")
    ended = run("tokenizers", "add", str(tmp_path), "--name", "llama2")
    assert ended.code == 2
    assert "holds no tokenizer: none of tokenizer.json, " in ended.err


def test_a_folder_that_transformers_cannot_read_is_refused_and_not_remembered(
    run: Run, tmp_path: Path
) -> None:
    """It would stand in the way of every count of that name."""
    (tmp_path / "tokenizer.json").write_text("{}")
    ended = run("tokenizers", "add", str(tmp_path), "--name", "llama2")
    assert ended.code == 2
    assert f"{tmp_path}: no tokenizer that transformers can read" in ended.err
    assert run("count", "--tokenizer", "llama2", stdin=b"abc").out == "1..4\n"


def test_what_was_added_can_be_forgotten(run: Run, folder: Path) -> None:
    run("tokenizers", "add", str(folder / "tokenizer.json"), "--name", "mine")
    run("tokenizers", "add", str(folder), "--name", "llama2")
    for name in ("mine", "llama2"):
        assert run("tokenizers", "remove", name).out == f"{name}: forgotten\n"
    assert "mine" not in run("tokenizers").out
    assert run("count", "--tokenizer", "llama2", stdin=b"abc").out == "1..4\n"
    assert (folder / "tokenizer.json").exists()
    again = run("tokenizers", "remove", "mine")
    assert (again.code, again.err) == (2, "tokenfare: 'mine' was not added; added: nothing\n")


def test_a_folder_that_went_away_says_how_to_go_on(run: Run, folder: Path, tmp_path: Path) -> None:
    lent = tmp_path / "lent"
    shutil.copytree(folder, lent)
    run("tokenizers", "add", str(lent), "--name", "llama2")
    shutil.rmtree(lent)
    ended = run("count", "--tokenizer", "llama2", stdin=b"abc")
    assert ended.code == 2
    assert "`tokenfare tokenizers remove llama2` forgets it" in ended.err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["{}"], "a folder needs --name"),
        (["{}/tokenizer.json"], "the vocabulary of 'qwen', which ships"),
        (["{}/tokenizer.json", "--name", "qwen3.5"], "not the vocabulary of 'qwen3.5'"),
        (["{}/tokenizer.json", "--name", "mine", "--trust-code"], "--trust-code is for a folder"),
        (["{}/gone.json"], "No such file"),
    ],
)
def test_what_cannot_be_taken_is_said(
    run: Run, folder: Path, arguments: list[str], says: str
) -> None:
    ended = run("tokenizers", "add", *(one.format(folder) for one in arguments))
    assert ended.code == 2
    assert says in ended.err

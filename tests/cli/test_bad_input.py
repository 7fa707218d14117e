"""Bad input: one clear line on standard error, the documented exit code, no traceback."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tokenfare import RetryPolicy

Run = Callable[..., Any]


@pytest.mark.parametrize(
    ("arguments", "stdin", "code", "says"),
    [
        (["count", "missing.txt"], b"", 2, "missing.txt: no such file"),
        (["count", "."], b"", 2, ".: is a directory, not a file"),
        (["count"], b"ab\xffcd", 2, "-: not UTF-8: byte 0xff at offset 2"),
        (["count", "--model", "qwen-pluss"], b"x", 2, "'qwen-pluss'; nearest: qwen-plus"),
        (["count", "--model", "gpt-4o"], b"x", 2, "'gpt-4o'; `tokenfare models --all` lists those"),
        (["count", "--tokenizer", "gpt2"], b"x", 2, "no tokenizer is called 'gpt2'"),
        (["count", "--model", ""], b"x", 2, "no model is called ''"),  # a variable that is not set
        (["count", "--tokenizer", ""], b"x", 2, "'' is not a name"),
        (["count", "-", "-"], b"x", 2, "standard input can be read once"),
        (["count", ""], b"x", 2, "a file's name is empty; a dash is standard input"),
        (["route", ""], b"x", 2, "a file's name is empty; a dash is standard input"),
        (["fit", "--limit", "5", ""], b"x", 2, "a file's name is empty"),
        (["send", "--dry-run", ""], b"x", 2, "a file's name is empty"),
        (["route", "--tools", ""], b"x", 2, "a file's name is empty"),
        (["fit", "--model", "qwen-plus", "--parameters", ""], b"x", 2, "a file's name is empty"),
        (["route", "--tokens", "5", "--tools", ""], b"x", 2, "--tokens replaces FILE"),
        (["route", "--tokens", "5", ""], b"x", 2, "--tokens replaces FILE"),
        (["count", "--messages", "--model", "qwen-plus"], b"[{}]", 2, "-: messages[0]"),
        (["count", "--messages"], b"[]", 2, "-: the list of messages is empty"),
        (["count", "--messages", "--tokenizer", "llama3"], b"[]", 2, "instead of --tokenizer"),
        (["route"], b"", 2, "-: empty; a request needs at least one character"),
        (["route", "--tokens", "0"], b"", 2, "--tokens is 0; a request has at least 1"),
        (["route", "--tokens", "-5"], b"", 2, "--tokens is -5"),
        (["route", "--tokens", "many"], b"", 2, "'many' is not a valid integer"),
        (["route", "--tokens", "5", "--max-output", "0"], b"", 2, "at least 1 token"),
        (["route", "--tokens", "5", "--as-of", "2024-13-01"], b"", 2, "write it as 2024-12-18"),
        (["route", "--tokens", "5", "--needs", "smell"], b"", 2, "'smell' is not one of audio"),
        (["route", "--tokens", "5", "--max-fare", "cheap"], b"", 2, "'cheap' is not an amount"),
        (["route", "--tokens", "5", "--max-fare", "-1"], b"", 2, "a ceiling is not below zero"),
        (["route", "--tokens", "5", "--max-fare", "0"], b"", 3, "no model takes this"),
        (
            ["route", "--tokens", "5", "--purpose", "cod"],
            b"",
            2,
            "'cod' is not known; nearest: code",
        ),
        (["route", "--tokens", "5", "--allow", "qwne-max"], b"", 2, "nearest: qwen-max"),
        (
            ["route", "--tokens", "5", "--allow", "qwen-max", "--deny", "qwen-max"],
            b"",
            2,
            "--allow and --deny both say 'qwen-max'",
        ),
        (["route", "--tokens", "5", "--kind", "new"], b"", 2, "'new' is not one of"),
        (["route", "--tokens", "5", "--profile", "x"], b"", 2, "set TOKENFARE_PROFILES"),
        (
            ["route", "--tokens", "5", "--profile", "x", "--profiles", "none.toml"],
            b"",
            2,
            "none.toml: no such file",
        ),
        (["route", "--messages"], b"{", 2, "-: not JSON: Expecting property name"),
        (["route", "--messages"], b"{}", 2, "-: a JSON array of messages is expected"),
        (["route", "--messages"], b"[]", 2, "list of messages is empty"),
        (["route", "--messages"], b"[" * 100_000, 2, "-: not messages: JSON nested too deeply"),
        (["route", "--messages"], b'[{"role":"me"}]', 2, "messages[0].role: 'me' is not one of"),
        (["fit", "--limit", "0"], b"x", 2, "--limit is 0; a limit is at least 1 token"),
        (["fit"], b"x", 2, "give --limit or --model"),
        (["fit", "--limit", "5", "--max-output", "7"], b"x", 2, "--max-output needs --model"),
        (["route", "--chart", "--json"], b"", 2, "--chart and --svg draw: take one"),
        (["spend", "--json", "--csv"], b"", 2, "three forms of the same: take one"),
        (["spend", "--project", "\udcff"], b"", 2, "--project: '\\udcff' cannot be written as"),
        (
            ["spend", "--since", "2026-02-01", "--until", "2026-01-01"],
            b"",
            2,
            "--since 2026-02-01 is after --until 2026-01-01",
        ),
        (["models", "show", "gpt-4"], b"", 2, "no model is called 'gpt-4'"),
        (["nonsense"], b"", 2, "No such command 'nonsense'"),
        (["emulate", "--host", "0.0.0.0"], b"", 2, "remote access is allowed (--allow-remote)"),  # noqa: S104
        (["emulate", "--grace", "nan"], b"", 2, "'nan' is not a valid number of seconds"),
        (["serve", "--grace", "nan"], b"", 2, "'nan' is not a valid number of seconds"),
    ],
    ids=lambda value: None if isinstance(value, int) else str(value)[:40],
)
def test_bad_input_is_one_line_and_an_exit_code(
    run: Run, arguments: list[str], stdin: bytes, code: int, says: str
) -> None:
    ended = run(*arguments, stdin=stdin)
    assert ended.code == code
    assert says in ended.err
    assert "Traceback" not in ended.err


@pytest.mark.parametrize("arguments", [["count", "missing.txt"], ["route", "--tokens", "0"]])
def test_the_error_is_a_single_line(run: Run, arguments: list[str]) -> None:
    assert len(run(*arguments).err.splitlines()) == 1


def test_a_name_cannot_move_the_cursor(run: Run) -> None:
    assert "\x1b" not in run("count", "\x1b[2Jname").err


def test_no_key_is_said_with_the_variable_to_set(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DASHSCOPE_API_KEY", raising=False)
    ended = run("send", stdin=b"hello")
    assert ended.code == 2
    assert "DASHSCOPE_API_KEY" in ended.err


def test_an_endpoint_that_is_not_there_is_named(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DASHSCOPE_API_KEY", "sk-very-secret")

    def soon(self: RetryPolicy, _error: object, attempt: int, *_: object) -> float | None:
        return 0.01 if attempt < self.attempts else None

    monkeypatch.setattr(RetryPolicy, "wait_after", soon)
    ended = run("send", "--base-url", "http://127.0.0.1:9/v1", stdin=b"hello")
    assert ended.code == 4
    *waits, error = ended.err.splitlines()
    assert error.startswith("tokenfare: nothing answers at http://127.0.0.1:9/v1")
    assert "(5 attempts in " in error
    assert [line.partition("attempt ")[2][:6] for line in waits] == ["2 of 5", "3 of 5", "4 of 5"]
    assert "sk-very-secret" not in ended.err
    told = run("send", "-v", "--base-url", "http://127.0.0.1:9/v1", stdin=b"hello")
    assert len(told.err.splitlines()) == 5, "with the first one, of which only -v speaks"


def test_a_broken_catalogue_file_names_file_and_key(tmp_path: Path) -> None:
    from tokenfare import Catalog
    from tokenfare.errors import CatalogError

    path = tmp_path / "mine.toml"
    path.write_text('[[model]]\nid = "x"\ncolour = "red"\n', encoding="utf-8")
    with pytest.raises(CatalogError, match=r"mine\.toml: model\[0\] x"):
        Catalog.load([path])


def test_a_dry_run_needs_no_key(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DASHSCOPE_API_KEY", raising=False)
    ended = run("send", "--dry-run", "--json", stdin=b"hello")
    assert ended.code == 0
    assert json.loads(ended.out)["model"]


def test_a_dry_run_is_as_brief_as_route(run: Run) -> None:
    assert run("send", "--dry-run", stdin=b"hello").out == run("route", stdin=b"hello").out


def test_a_dry_run_decides_as_the_call_would(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """`send` calls one provider: a cheaper model of another is no choice of its dry run either."""
    other = tmp_path / "other.toml"
    other.write_text(OTHER_PROVIDER, encoding="utf-8")
    monkeypatch.setenv("TOKENFARE_CATALOG", str(other))
    assert (
        json.loads(run("route", "--json", stdin=b"hello").out)["model"] == "elsewhere/nearly-free"
    )
    dry = json.loads(run("send", "--dry-run", "--json", stdin=b"hello").out)
    assert dry["model"].startswith("qwen")
    there = run("send", "--dry-run", "--provider", "elsewhere", "--json", stdin=b"hello")
    assert json.loads(there.out)["model"] == "elsewhere/nearly-free"
    ended = run("send", "--dry-run", "--provider", "else*", stdin=b"hello")
    assert (ended.code, "calls dashscope, not else*" in ended.err) == (2, True)
    ended = run("send", "--provider", "elsewhere", stdin=b"hello")
    assert (ended.code, "no variable is known for the key of Elsewhere" in ended.err) == (2, True)


@pytest.mark.parametrize("command", ["emulate", "demo"])
def test_a_missing_extra_is_named(run: Run, monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    monkeypatch.setitem(sys.modules, "tiktoken", None)  # as if it were not installed
    ended = run(command)
    assert ended.code == 2
    assert "pip install 'tokenfare[emulator]'" in ended.err.splitlines()[-1]


OTHER_PROVIDER = """
from = 2024-01-01
source = "me"
provider = "elsewhere"
[sources.me]
title = "made up"
where = "here"
as_of = 2024-01-01
[[providers]]
id = "elsewhere"
name = "Elsewhere"
default_region = "there"
[[model]]
id = "elsewhere/nearly-free"
family = "made up"
kind = "stable"
limits = [{ context = 10_000, max_input = 9_000, max_output = 5_000 }]
prices = [{ currency = "CNY", per = 1_000_000, input = "0.001", output = "0.001" }]
access = [{ kind = "paid" }]
modalities = [{ takes = ["text"] }]
purposes = [{ made_for = ["general"] }]
regions = [{ served_in = ["there"] }]
tokenizer = [{ name = "qwen" }]
chat = [{ per_message = 5, per_reply = 3 }]
"""
DEEP_TOML = b"x = " + b"[" * 100_000
LONG_TOML = b"x = " + b"1" * 5_000


@pytest.mark.parametrize("content", [DEEP_TOML, LONG_TOML], ids=["deep", "long"])
@pytest.mark.parametrize(
    "arguments",
    [
        ("catalog", "check"),
        ("route", "--tokens", "5", "--profile", "x", "--profiles"),
        ("emulate", "--faults"),
    ],
    ids=lambda arguments: arguments[0],
)
def test_toml_that_python_cannot_hold_is_named(
    run: Run, tmp_path: Path, arguments: tuple[str, ...], content: bytes
) -> None:
    file = tmp_path / "mine.toml"
    file.write_bytes(content)
    ended = run(*arguments, str(file))
    assert ended.code == 2
    assert ended.err.startswith(f"tokenfare: {file}: ")
    assert len(ended.err.splitlines()) == 1


@pytest.mark.parametrize("content", [b"[" * 100_000, b"1" * 5_000], ids=["deep", "long"])
@pytest.mark.parametrize(
    "arguments",
    [
        ("route", "--messages"),
        ("replay",),
        ("catalog", "check"),
        ("catalog", "import", "litellm", "--out", "out.json"),
    ],
    ids=lambda arguments: "-".join(arguments[:2]),
)
def test_json_that_python_cannot_hold_is_named(
    run: Run, tmp_path: Path, arguments: tuple[str, ...], content: bytes
) -> None:
    file = tmp_path / "mine.json"
    file.write_bytes(content)
    ended = run(*arguments, str(file))
    assert ended.code == 2
    assert ended.err.startswith(f"tokenfare: {file}: ")
    assert len(ended.err.splitlines()) == 1


def test_a_record_of_a_model_that_it_does_not_rank_is_refused(run: Run) -> None:
    record = json.loads(run("route", "--tokens", "5", "--json").out)
    ended = run("replay", stdin=json.dumps(record | {"model": "gone"}).encode())
    assert ended.code == 2
    assert "-: not a decision: model: 'gone' is not among the models" in ended.err


@pytest.mark.parametrize("amount", ["NaN", "Infinity", "much"])
def test_a_record_with_a_fare_that_is_no_amount_is_refused(run: Run, amount: str) -> None:
    record = json.loads(run("route", "--tokens", "5", "--json").out)
    record["ranked"][0]["fare"]["high"] = amount
    ended = run("replay", stdin=json.dumps(record).encode())
    assert ended.code == 2
    assert ended.err.startswith("tokenfare: -: not a decision: ")


def test_a_bug_is_shown_and_is_not_the_answer_no(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("a mistake of ours")

    monkeypatch.setattr("tokenfare.api.count", broken)
    ended = run("fit", "--limit", "1", stdin=b"two words")
    assert ended.code == 2
    assert "RuntimeError: a mistake of ours" in ended.err
    assert ended.err.splitlines()[-1].startswith("tokenfare: this is a bug")


def test_an_empty_base_url_does_not_mean_the_provider(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DASHSCOPE_API_KEY", "sk-of-nobody")
    ended = run("send", "--base-url", "", stdin=b"hello")
    assert ended.code == 2
    assert "the base URL has the form https://host[:port]/path" in ended.err

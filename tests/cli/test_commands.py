"""What each command prints and how it ends. The counts are those of the published example."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

# 8 tokens: the provider's own example, see tests/tokenizers.
EXAMPLE = "通义千问具有强大的能力。"
SEED_DAY = ("--as-of", "2024-12-18")

Run = Callable[..., Any]


def test_one_file_gives_the_bare_number(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text(EXAMPLE, encoding="utf-8")
    ended = run("count", str(path))
    assert (ended.code, ended.out) == (0, "8\n")


def test_standard_input_is_counted_when_no_file_is_named(run: Run) -> None:
    assert run("count", stdin=EXAMPLE.encode()).out == "8\n"
    assert run("count", "-", stdin=b"").out == "0\n"


def test_several_files_are_listed_with_their_total(run: Run, tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_text(EXAMPLE, encoding="utf-8")
    two.write_text(EXAMPLE + "56", encoding="utf-8")  # a digit is a token
    assert run("count", str(one), str(two)).out.splitlines() == [
        f" 8 {one}",
        f"10 {two}",
        "18 total",
    ]


@pytest.mark.parametrize("bad", ["missing", ".", "latin-1"])
def test_one_unreadable_file_does_not_take_the_counts_of_the_others(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bad: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("one").write_text(EXAMPLE, encoding="utf-8")
    Path("two").write_text(EXAMPLE + "56", encoding="utf-8")
    Path("latin-1").write_bytes(b"caf\xe9")
    ended = run("count", "one", bad, "two")
    assert ended.code == 2
    assert ended.out.splitlines() == [" 8 one", "10 two", "18 total"]
    assert ended.err.startswith(f"tokenfare: {bad}: ")
    assert len(ended.err.splitlines()) == 1
    ended = run("count", bad, "one")
    assert (ended.code, ended.out) == (2, "8 one\n8 total\n"), "listed although it is one count"
    found = json.loads(run("count", "--json", "two", bad).out)
    assert (found["total"]["value"], [one["name"] for one in found["inputs"]]) == (10, ["two"])
    ended = run("count", bad, bad)
    assert (ended.code, ended.out, len(ended.err.splitlines())) == (2, "", 2)


def test_one_unreadable_conversation_does_not_take_the_counts_of_the_others(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    messages = [{"role": "user", "content": EXAMPLE}]
    Path("one").write_text(json.dumps(messages), encoding="utf-8")
    Path("bad").write_text('[{"role": "me"}]', encoding="utf-8")
    arguments = ["count", "--messages", "--model", "qwen-plus", "bad", "one"]
    for more in ([], ["--explain"]):
        ended = run(*arguments, *more)
        assert ended.code == 2
        assert ended.err.startswith("tokenfare: bad: messages[0].role: 'me'")
        assert len(ended.err.splitlines()) == 1
        assert "one" in ended.out.splitlines()[-2]
        assert "total" in ended.out.splitlines()[-1]


def test_count_as_json_has_the_documented_keys(run: Run) -> None:
    assert json.loads(run("count", "--json", stdin=EXAMPLE.encode()).out) == {
        "tokenizer": "qwen",
        "how": "exact",
        "total": {"value": 8, "low": 8, "high": 8},
        "inputs": [{"name": "-", "bytes": 36, "value": 8, "low": 8, "high": 8}],
    }


def test_a_model_without_vocabulary_gives_bounds_and_says_so(run: Run) -> None:
    found = json.loads(run("count", "--model", "qwen3.5-plus", "--json", stdin=b"hello world").out)
    assert (found["tokenizer"], found["how"]) == ("qwen3.5", "bounds")
    assert (found["total"]["low"], found["total"]["high"]) == (1, 11)


def test_messages_are_counted_with_the_chat_template(run: Run) -> None:
    messages = [{"role": "user", "content": EXAMPLE}]
    ended = run("count", "--messages", "--model", "qwen-plus", stdin=json.dumps(messages).encode())
    assert ended.out == f"{8 + 5 + 3}\n"


def test_route_as_json_has_the_documented_keys(run: Run) -> None:
    ended = run("route", "--json", *SEED_DAY, "--max-output", "500", stdin=EXAMPLE.encode())
    found = json.loads(ended.out)
    assert ended.code == 0
    assert found["model"] == "qwen-turbo"
    assert found["as_of"] == "2024-12-18"
    assert found["tokens"] == {"value": 16, "low": 16, "high": 16}
    # 0.016 x 0.0003 + 0.5 x 0.0006
    assert found["fare"] == {"low": "0.0000054", "high": "0.0003048", "currency": "CNY"}
    judged = [entry["model"] for entry in found["ranked"] + found["rejected"]]
    assert len(judged) == len(set(judged)) >= 76
    assert all(refusal["reason"] and refusal["detail"] for refusal in found["rejected"])


@pytest.mark.parametrize(
    ("tokens", "chosen"),
    [
        ("1000", "qwen-turbo"),
        ("129024", "qwen-turbo"),
        ("129025", "qwen-turbo-latest"),
        ("999000", "qwen-turbo-latest"),
        ("1000001", "qwen-long"),
        ("10000000", "qwen-long"),
    ],
)
def test_the_ladder_of_the_seed(run: Run, tokens: str, chosen: str) -> None:
    found = json.loads(run("route", "--tokens", tokens, "--json", *SEED_DAY).out)
    assert found["model"] == chosen


def test_one_token_more_than_the_longest_fits_nowhere(run: Run) -> None:
    ended = run("route", "--tokens", "10000001", "--json", *SEED_DAY)
    assert ended.code == 3
    assert "qwen-long: 10,000,001 tokens asked, 10,000,000 accepted (1 too many)" in ended.err
    found = json.loads(ended.out)
    assert found["model"] is None
    assert found["rejected"][0]["model"] == "qwen-long"


def test_route_is_brief_and_explains_when_asked(run: Run) -> None:
    arguments = ("route", "--tokens", "1000", *SEED_DAY)
    brief = run(*arguments).out.splitlines()
    assert brief[0].startswith("qwen-turbo on 2024-12-18: 1,000 tokens in, up to 1,000 out")
    assert brief[-1].endswith("do not")
    assert len(brief) == 4
    told = run(*arguments, "--explain").out
    assert "from 1,000,001 tokens on, qwen-long" in told
    assert "not qwen-audio-turbo: only a trial quota" in told


def test_where_nothing_fits_route_shows_what_came_nearest_and_explains_when_asked(
    run: Run,
) -> None:
    arguments = ("route", "--tokens", "10000001", *SEED_DAY)
    brief, told = run(*arguments), run(*arguments, "--explain")
    assert brief.code == told.code == 3
    lines = brief.out.splitlines()
    assert len(lines) == 1 + 5 + 1
    assert lines[1].startswith("  not qwen-long: 10,000,001 tokens asked")
    # Of the seed's 76, 28 are no paid ones, and 4 say no largest input; 5 of the others are shown.
    assert lines[-1] == (
        f"  91 more do not take it: {76 - 28 - 4 - 5} max_input, 28 access, "
        "20 not released, 4 context"
    )
    assert "not yi-large:" in told.out
    assert "not yi-large:" not in brief.out


def test_a_profile_asks_what_no_option_does(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "profiles.toml"
    path.write_text('[code]\npurpose = "code"\nmax_output_tokens = 7\n', encoding="utf-8")
    monkeypatch.setenv("TOKENFARE_PROFILES", str(path))
    arguments = ("route", "--tokens", "1000", "--json", "--profile", "code", *SEED_DAY)
    found = json.loads(run(*arguments).out)
    assert (found["model"], found["max_output_tokens"]) == ("qwen-coder-turbo", 7)
    assert json.loads(run(*arguments, "--max-output", "8").out)["max_output_tokens"] == 8


def test_pictures_go_to_a_model_that_takes_them(run: Run) -> None:
    found = json.loads(run("route", "--tokens", "900", "--needs", "image", "--json", *SEED_DAY).out)
    assert found["model"].startswith("qwen-vl-plus")
    refused = {entry["model"]: entry["reason"] for entry in found["rejected"]}
    assert refused["qwen-turbo"] == "modality"


def test_allow_and_deny_are_patterns(run: Run) -> None:
    arguments = ("route", "--tokens", "100", "--json", *SEED_DAY)
    assert json.loads(run(*arguments, "--allow", "qwen-max*").out)["model"] == "qwen-max"
    assert json.loads(run(*arguments, "--deny", "qwen-turbo*").out)["model"] == "qwen-long"


@pytest.mark.parametrize(
    ("tokens", "code", "says"),
    [("8", 0, "fits"), ("7", 1, "8 tokens asked, 7 accepted (1 too many)")],
)
def test_fit_answers_with_its_exit_code(run: Run, tokens: str, code: int, says: str) -> None:
    ended = run("fit", "--limit", tokens, stdin=EXAMPLE.encode())
    assert ended.code == code
    assert says in ended.out


def test_fit_holds_a_model_to_its_limits(run: Run) -> None:
    ended = run("fit", "--model", "qwen-max", "--max-output", "9000", "--json", stdin=b"hello")
    found = json.loads(ended.out)
    assert ended.code == 1
    assert (found["fits"], found["binding"], found["limit"]) == (False, "max_output", 8192)
    assert found["over"] == 9000 - 8192


def test_fit_holds_a_model_to_the_limits_of_a_day(run: Run) -> None:
    """qwen-plus took 129,024 tokens in 2024 and takes 997,952 now."""
    text = ("word " * 200_000).encode()
    assert run("fit", "--model", "qwen-plus", "--as-of", "2024-12-18", stdin=text).code == 1
    assert run("fit", "--model", "qwen-plus", "--as-of", "2026-11-24", stdin=text).code == 0
    ended = run("fit", "--limit", "5", "--as-of", "2024-12-18", stdin=b"x")
    assert (ended.code, "--as-of needs --model" in ended.err) == (2, True)


def test_models_lists_what_is_served_on_the_day(run: Run) -> None:
    found = {entry["id"]: entry for entry in json.loads(run("models", "--json", *SEED_DAY).out)}
    assert found["qwen-plus"]["price"]["input"] == "0.0008"
    assert found["qwen-plus"]["points_to"] == "qwen-plus-2024-09-19"
    assert found["qwen-plus-2024-08-06"]["sources"]["limits.max_input"]["mark"] == "derived"
    today = {entry["id"] for entry in json.loads(run("models", "--json").out)}
    assert "qwen-turbo" in set(found) - today


def test_the_package_is_the_command_too() -> None:
    command = [sys.executable, "-m", "tokenfare", "count"]
    done = subprocess.run(command, input="Hello, world", capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("3\n", "")


def test_names_of_files_cannot_write_on_a_terminal(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    names = ["red\x1b[31m", "two\nlines", "中 文"]
    for name in names:
        Path(name).write_text("a", encoding="utf-8")
    told = run("count", *names).out.splitlines()
    assert told == ["1 red\ufffd[31m", "1 two\ufffdlines", "1 中 文", "3 total"]


def test_a_file_name_that_is_not_utf_8_is_valid_json_and_cannot_write_on_a_terminal(
    tmp_path: Path,
) -> None:
    """It was printed as its bytes, which no JSON parser takes."""
    name = b"caf\xe9\x1b[2J"
    try:
        (Path(os.fsdecode(bytes(tmp_path) + b"/" + name))).write_text("a", encoding="utf-8")
    except OSError:
        pytest.skip("such a name cannot be given here")
    command = [sys.executable, "-m", "tokenfare"]
    out = [
        subprocess.run(
            [*command, *more, name], cwd=tmp_path, capture_output=True, check=True
        ).stdout
        for more in (["count", "--json"], ["fit", "--limit", "5"], ["fit", "--limit", "1"])
    ]
    assert json.loads(out[0].decode("utf-8"))["inputs"][0]["name"] == os.fsdecode(name)
    for said in out[1:]:
        assert said.startswith("caf\ufffd\ufffd[2J: fits".encode())


def test_show_names_the_source_of_every_number(run: Run) -> None:
    out = run("models", "show", "qwen-plus-2024-08-06", *SEED_DAY).out
    assert "128,000 tokens" in out
    assert "derived" in out
    assert "inherited from" in out


@pytest.mark.parametrize("encoding", ["cp1252", "cp936", "utf-8"])
def test_a_pipe_gets_utf_8_whatever_the_system_writes(encoding: str) -> None:
    """Windows gives a pipe cp1252: `send` had paid for an answer, and could not print it."""
    done = subprocess.run(
        [sys.executable, "-m", "tokenfare", "split", "--json", "--limit", "4"],
        input=EXAMPLE.encode(),
        env={**os.environ, "PYTHONIOENCODING": encoding},
        capture_output=True,
        check=False,
    )
    assert done.stderr == b""
    pieces = map(json.loads, done.stdout.decode("utf-8").splitlines())
    assert "".join(piece["text"] for piece in pieces) == EXAMPLE


def test_a_reader_that_stops_early_is_no_error() -> None:
    command = f"{sys.executable} -m tokenfare models --all | head -1"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    assert done.stdout.startswith("model ")
    assert done.stderr == ""


def test_an_interrupt_of_text_that_is_executed_ends_with_the_same_code(tmp_path: Path) -> None:
    """As when a dataclass is being imported: Python would end by the signal, caught or not."""
    (tmp_path / "sitecustomize.py").write_text(
        "import click\nclick.Command.main = lambda *_, **__: exec('raise KeyboardInterrupt')\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "tokenfare", "models"],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "tokenfare: interrupted\n")


def test_an_interrupt_that_comes_when_all_is_said_changes_nothing() -> None:
    late = "import atexit, signal; atexit.register(signal.raise_signal, signal.SIGINT)"
    command = [sys.executable, "-c", f"{late}; from tokenfare.cli import main; main()", "count"]
    done = subprocess.run(command, input="a b", capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "2\n", "")

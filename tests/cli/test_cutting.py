"""`tokenfare truncate`, `tokenfare split` and `tokenfare fit --limit`, as a user runs them."""

import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

Run = Callable[..., Any]

TEXT = "One two three. Four five six.\r\n\r\nSeven eight."


def test_truncate_prints_the_part_as_it_stands(run: Run) -> None:
    ended = run("truncate", "--limit", "4", stdin=TEXT.encode())
    assert (ended.code, ended.out) == (0, "One two three.")
    assert run("truncate", "--limit", "3", "--keep", "end", stdin=TEXT.encode()).out == (
        "Seven eight."
    )
    assert run("truncate", "--limit", "100", stdin=TEXT.encode()).out == TEXT


def test_truncate_as_json_says_tokens_and_what_was_dropped(run: Run) -> None:
    found = json.loads(run("truncate", "--limit", "4", "--json", stdin=TEXT.encode()).out)
    assert found == {
        "text": "One two three.",
        "tokens": {"value": 4, "low": 4, "high": 4},
        "dropped": len(TEXT) - len("One two three."),
    }


def test_split_prints_pieces_apart(run: Run) -> None:
    out = run("split", "--limit", "10", stdin=TEXT.encode()).out
    assert out == "One two three. Four five six.\r\n\r\n\n---\nSeven eight."
    out = run("split", "--limit", "10", "--separator", "|", stdin=TEXT.encode()).out
    assert out == "One two three. Four five six.\r\n\r\n|Seven eight."


def test_a_separator_is_printed_as_the_bytes_that_were_typed() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "tokenfare", "split", "--limit", "10", "--separator", b"\xff"],
        input=TEXT.encode(),
        capture_output=True,
        check=True,
    )
    assert ended.stdout == b"One two three. Four five six.\r\n\r\n\xffSeven eight."


def test_split_as_json_is_an_object_a_line(run: Run) -> None:
    lines = run("split", "--limit", "5", "--json", stdin=TEXT.encode()).out.splitlines()
    pieces = [json.loads(line) for line in lines]
    assert "".join(piece["text"] for piece in pieces) == TEXT
    assert [TEXT[piece["start"] : piece["end"]] for piece in pieces] == [
        piece["text"] for piece in pieces
    ]
    assert all(piece["tokens"]["high"] <= 5 for piece in pieces)
    assert run("split", "--limit", "5", "--json", stdin=b"").out == ""


def test_a_model_without_vocabulary_is_cut_by_its_bound(run: Run) -> None:
    arguments = ("truncate", "--limit", "9", "--model", "qwen3.5-plus", "--json")
    found = json.loads(run(*arguments, stdin=b"plain words").out)
    assert (found["text"], found["tokens"]["high"]) == ("plain wor", 9)


@pytest.mark.parametrize(
    ("arguments", "stdin", "says"),
    [
        (["truncate"], "x", "Missing option '--limit'"),
        (["truncate", "--limit", "0"], "x", "--limit is 0; a limit is at least 1 token"),
        (["split", "--limit", "-2"], "x", "--limit is -2; a limit is at least 1 token"),
        (["truncate", "--limit", "1", "--keep", "middle"], "x", "'middle' is not one of"),
        (["truncate", "--limit", "1"], "👩\u200d👧", "at position 0 is 4 tokens"),
        (["truncate", "--limit", "1", "missing"], "", "missing: no such file"),
        (
            ["split", "--limit", "5", "--overlap", "5"],
            "x",
            "--overlap is 5; it is at least 0 and less than --limit, 5",
        ),
        (["split", "--limit", "1"], "a 👩\u200d👧", "at position 2 is"),
        (
            ["split", "--limit", "5", "--model", "qwen-plus", "--tokenizer", "qwen"],
            "x",
            "give a model or a tokenizer",
        ),
    ],
)
def test_what_cannot_be_meant_is_one_line(
    run: Run, arguments: list[str], stdin: str, says: str
) -> None:
    ended = run(*arguments, stdin=stdin.encode())
    assert (ended.code, ended.out) == (2, "")
    assert says in ended.err
    assert "Traceback" not in ended.err


def test_fit_counts_nothing_where_the_bytes_settle_it(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def count(*_: object, **__: object) -> None:
        raise AssertionError("counted")

    monkeypatch.setattr("tokenfare.api.count", count)
    text = "e\u0301" * 10  # 30 bytes as it stands, 20 in NFC
    found = json.loads(run("fit", "--limit", "30", "--json", stdin=text.encode()).out)
    assert (found["fits"], found["over"]) == (True, 0)
    assert found["tokens"] == {
        "value": 20 // 4,
        "low": 1,
        "high": 30,
    }
    assert run("fit", "--limit", "40", stdin=text.encode()).out == (
        "-: fits, at least 10 tokens to spare\n"
    )
    assert run("fit", "--limit", "1", stdin=b"").code == 0


def test_fit_takes_the_bytes_after_nfc(run: Run) -> None:
    """U+0FB9 is 3 bytes and 6 in NFC: by its raw bytes a limit of 3 would seem to hold."""
    ended = run("fit", "--limit", "3", "--json", stdin="\u0fb9".encode())
    found = json.loads(ended.out)
    assert (ended.code, found["fits"]) == (1, False)
    assert found["tokens"]["low"] == found["tokens"]["high"] > 3

"""A deadline reads its inputs twice: what can be read once only is kept meanwhile."""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import sys
import threading
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from batch_plans import files_of
from tokenfare import batch
from tokenfare.errors import InputError

ASKED: dict[str, Any] = {
    "as_of": date(2026, 11, 25),
    "max_output_tokens": 300,
    "allow": ["qwen-turbo", "qwen-flash"],
    "deadline": timedelta(minutes=4),
}
LINES = "".join(
    ["no JSON\n", *(f'{{"prompt": "{"word " * (1 + 37 * i % 400)}"}}\n' for i in range(300))]
)

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="named pipes and limits of files")


def sent(folder: Path) -> dict[str, bytes]:
    """What is sent, and what was set aside without the name of its file."""
    found = files_of(folder)
    del found["plan.json"], found["requests.parquet"]
    asides = [json.loads(line) for line in found["set-aside.jsonl"].splitlines()]
    found["set-aside.jsonl"] = json.dumps([each | {"file": ""} for each in asides]).encode()
    return found


def expected(folder: Path) -> tuple[dict[str, bytes], batch.Plan]:
    """As from a file."""
    path = folder / "job.jsonl"
    path.write_text(LINES)
    plan = batch.plan(path, folder / "expected", **ASKED)
    return sent(folder / "expected"), plan


@pytest.mark.parametrize("packed", [False, True])
def test_standard_input_is_planned_by_a_deadline_as_a_file_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, packed: bool
) -> None:
    files, from_file = expected(tmp_path)
    content = LINES.encode()
    (tmp_path / "in").write_bytes(gzip.compress(content) if packed else content)
    seen: list[batch.Progress] = []
    with (tmp_path / "in").open() as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        plan = batch.plan("-", tmp_path / "plan", progress=seen.append, **ASKED)
    assert sent(tmp_path / "plan") == files
    assert (plan.deadline, plan.fare) == (from_file.deadline, from_file.fare)
    assert sorted(path.name for path in tmp_path.iterdir() if path.name[0] == ".") == []
    size = (tmp_path / "in").stat().st_size
    assert [each.bytes_read for each in seen] == sorted(each.bytes_read for each in seen)
    assert seen[0].requests == 0
    assert seen[-1] == batch.Progress(3 * size, 300)  # copied, and read twice


def test_named_pipes_are_kept_beside_each_other_and_a_file(tmp_path: Path) -> None:
    texts = {
        name: "".join(f'{{"custom_id": "{name}{i}", "prompt": "x"}}\n' for i in range(50))
        for name in "abc"
    }
    for name in "ac":
        os.mkfifo(tmp_path / name)
    (tmp_path / "b").write_text(texts["b"])

    def write() -> None:
        for name in "ac":
            (tmp_path / name).write_text(texts[name])

    writer = threading.Thread(target=write)
    writer.start()
    plan = batch.plan([tmp_path / name for name in "abc"], tmp_path / "plan", **ASKED)
    writer.join()
    files = [tmp_path / "plan" / each.name for each in plan.files]
    ids = [json.loads(line)["custom_id"] for f in files for line in f.read_text().splitlines()]
    assert sorted(ids) == sorted(f"{name}{i}" for name in "abc" for i in range(50))
    assert [path.name for path in tmp_path.iterdir() if path.name[0] == "."] == []


PLANNING = (
    "import sys\n"
    "from tokenfare.cli import main\n"
    "sys.argv[1:] = 'batch plan - --out plan --max-output 300 --deadline 1h'.split()\n"
    "sys.argv += ['--as-of', '2026-11-25']\n"
)


def test_an_interrupt_while_standard_input_comes_leaves_nothing(tmp_path: Path) -> None:
    command = [sys.executable, "-c", PLANNING + "sys.exit(main())"]
    with subprocess.Popen(
        command, cwd=tmp_path, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as running:
        assert running.stdin is not None
        assert running.stderr is not None
        running.stdin.write(LINES)
        running.stdin.flush()
        while not list(tmp_path.glob(".plan-*/.beside/*")):
            assert running.poll() is None
        running.send_signal(signal.SIGINT)  # more is to come, for all it knows
        running.wait(timeout=30)
        assert running.stderr.read() == "tokenfare: interrupted; nothing was written\n"
        assert running.returncode == 130
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_says_what_it_had_no_room_for(tmp_path: Path) -> None:
    """No file may grow beyond 50 kB, and the input is longer."""
    limited = (
        "import resource, signal\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))\n"
    )
    command = [sys.executable, "-c", PLANNING + limited + "sys.exit(main())"]
    ended = subprocess.run(
        command, cwd=tmp_path, input=LINES, capture_output=True, text=True, check=False
    )
    assert len(LINES) > 50_000
    assert ended.stderr == (
        f"tokenfare: {tmp_path / 'plan'}: standard input, which a deadline reads twice, cannot be "
        "kept beside it: File too large; write it into a file where there is room, and name that\n"
    )
    assert ended.returncode == 2
    assert list(tmp_path.iterdir()) == []


def test_a_stream_that_cannot_be_read_is_told_as_such(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken:
        class buffer:  # noqa: N801 - as a stream has it
            @staticmethod
            def read1(size: int) -> bytes:
                raise OSError(5, f"no {size} bytes")

    monkeypatch.setattr(sys, "stdin", Broken)
    with pytest.raises(InputError, match=r"-: cannot be read: no \d+ bytes"):
        batch.plan("-", tmp_path / "plan", **ASKED)
    assert list(tmp_path.iterdir()) == []


def test_an_input_that_is_not_there_is_told_before_any_is_kept(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        batch.plan(["-", tmp_path / "no"], tmp_path / "plan", **ASKED)

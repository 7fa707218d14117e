"""The folder of a plan: the provider's limits, and all or nothing on the disk."""

import errno
import json
import subprocess
import sys
import threading
import time
from dataclasses import replace
from datetime import date
from pathlib import Path
from unittest.mock import patch

import pytest

import tokenfare as tf
from tokenfare.api import default_catalog
from tokenfare.batch import Progress
from tokenfare.batch.blockwise import BlockPlanner
from tokenfare.batch.output.folder import Folder
from tokenfare.batch.output.table import Table
from tokenfare.catalog import BatchRules
from tokenfare.errors import InputError, InvalidRequestError

DAY = date(2024, 12, 18)
RULES = BatchRules(
    max_lines=2, max_file_bytes=25, max_line_bytes=20, min_window_hours=24, max_window_hours=336
)


@pytest.fixture
def job(tmp_path: Path) -> Path:
    path = tmp_path / "job.jsonl"
    path.write_text('{"prompt": "Hello"}\n', encoding="utf-8")
    return path


def test_no_file_is_above_the_lines_or_bytes_that_the_provider_takes(tmp_path: Path) -> None:
    lines = [b"a" * 9 + b"\n", b"b" * 9 + b"\n", b"c\n", b"d" * 19 + b"\n", b"e" * 9 + b"\n"]
    with Folder(tmp_path / "plan", []) as folder:
        for line in lines:
            folder.add("m", line, RULES)
        folder.add("other/model", b"f\n", RULES)
        folder.add("m", b"g" * 99, None)
        folder.finish({})
    files = {each.name: (tmp_path / "plan" / each.name).read_bytes() for each in folder.files}
    assert files == {
        "batch/m-0001.jsonl": lines[0] + lines[1],  # two lines
        "batch/m-0002.jsonl": lines[2] + lines[3],  # 22 bytes
        "batch/m-0003.jsonl": lines[4],
        "batch/other_model-0001.jsonl": b"f\n",
        "live/m-0001.jsonl": b"g" * 99,
    }
    assert [(each.lines, each.bytes) for each in folder.files[:3]] == [(2, 20), (2, 22), (1, 10)]


def test_a_plan_of_the_same_inputs_is_made_anew(job: Path, tmp_path: Path) -> None:
    first = tf.batch.plan(job, tmp_path / "plan", as_of=DAY)
    again = tf.batch.plan(job, tmp_path / "plan", as_of=DAY, max_output_tokens=2)
    assert again.fare.high < first.fare.high
    said = json.loads((tmp_path / "plan" / "plan.json").read_bytes())
    assert said["max_output_tokens"] == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["job.jsonl", "plan"]


def test_through_a_link_the_folder_that_it_leads_to_becomes_the_plan(
    job: Path, tmp_path: Path
) -> None:
    """As on a disk with more room; the link stays a link, also when the plan is made anew."""
    disk, link = tmp_path / "disk", tmp_path / "link"
    (disk / "empty").mkdir(parents=True)
    for target in (disk / "empty", disk / "nothing yet"):
        link.unlink(missing_ok=True)
        link.symlink_to(target)
        for _ in range(2):
            tf.batch.plan(job, link, as_of=DAY)
            assert link.is_symlink()
            assert (target / "plan.json").is_file()
    assert sorted(path.name for path in disk.iterdir()) == ["empty", "nothing yet"]


def test_a_path_that_can_be_no_folder_is_refused_before_anything_is_planned(tmp_path: Path) -> None:
    """And not when a plan of hours is to get its name."""
    loop, back = tmp_path / "loop", tmp_path / "back"
    loop.symlink_to(back)
    back.symlink_to(loop)
    with pytest.raises(InvalidRequestError, match="loop: is a link that leads to itself; name an"):
        Folder(loop, [])
    with pytest.raises(InputError, match="xxx: cannot be written: "):
        Folder(tmp_path / ("x" * 300), [])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["back", "loop"]


def test_an_empty_path_is_not_the_working_directory(
    job: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    with pytest.raises(InvalidRequestError, match="out: a path is empty"):
        tf.batch.plan(job, "", as_of=DAY)
    assert list(Path.cwd().iterdir()) == []


def test_a_folder_with_anything_else_in_it_is_refused(job: Path, tmp_path: Path) -> None:
    out = tmp_path / "plan"
    tf.batch.plan(job, out, as_of=DAY)
    (out / "notes.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(InvalidRequestError, match="is not empty"):
        tf.batch.plan(job, out, as_of=DAY)
    assert (out / "notes.txt").read_text("utf-8") == "mine"


def test_a_plan_of_other_inputs_is_refused(job: Path, tmp_path: Path) -> None:
    tf.batch.plan(job, tmp_path / "plan", as_of=DAY)
    other = tmp_path / "other.jsonl"
    other.write_bytes(job.read_bytes())
    with pytest.raises(InvalidRequestError, match="not a plan of these inputs"):
        tf.batch.plan(other, tmp_path / "plan", as_of=DAY)


def test_an_interrupted_plan_leaves_the_one_before_as_it_was(job: Path, tmp_path: Path) -> None:
    out = tmp_path / "plan"
    tf.batch.plan(job, out, as_of=DAY)
    before = {path: path.read_bytes() for path in out.rglob("*.json*")}

    def interrupt(_: Progress) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        tf.batch.plan(job, out, as_of=DAY, progress=interrupt)
    assert {path: path.read_bytes() for path in out.rglob("*.json*")} == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["job.jsonl", "plan"]


def test_a_folder_that_cannot_be_written_is_a_clear_error(job: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be written"):
        tf.batch.plan(job, tmp_path / "nowhere" / "plan", as_of=DAY)
    with pytest.raises(InvalidRequestError, match="is not a folder"):
        tf.batch.plan(job, job, as_of=DAY)


def test_whatever_ends_a_plan_leaves_nothing_behind(job: Path, tmp_path: Path) -> None:
    """Even if its files cannot be completed, and not for want of room on the disk."""

    def interrupt(_: Progress) -> None:
        raise KeyboardInterrupt

    with (
        patch.object(Table, "close", side_effect=ValueError("no such row")),
        pytest.raises(KeyboardInterrupt),
    ):
        tf.batch.plan(job, tmp_path / "plan", as_of=DAY, progress=interrupt)
    assert [path.name for path in tmp_path.iterdir()] == ["job.jsonl"]


@pytest.mark.skipif(sys.platform == "win32", reason="limits files by resource")
def test_a_disk_that_is_full_is_a_clear_error_and_leaves_nothing(tmp_path: Path) -> None:
    """No file may grow beyond 50 kB: what a full disk does to a buffered file, at its close."""
    job = tmp_path / "job.jsonl"
    job.write_text("".join(f'{{"prompt": "how do you do {i}"}}\n' for i in range(500)))
    out = tmp_path / "there" / "plan"
    out.parent.mkdir()
    planning = (
        "import resource, signal, tokenfare\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))\n"
        f"tokenfare.batch.plan({str(job)!r}, {str(out)!r})\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", planning], capture_output=True, text=True, check=False
    )
    assert f"InputError: {out}: cannot be written: File too large" in ended.stderr
    assert list(out.parent.iterdir()) == []


def _large(path: Path) -> Path:
    """A job of some blocks, each of which is written while those behind it are planned."""
    lines = (f'{{"prompt": "how do you do {i} {"x" * 900}"}}\n' for i in range(8_000))
    path.write_text("".join(lines), encoding="utf-8")
    return path


def _writers() -> list[str]:
    return [each.name for each in threading.enumerate() if each.name.startswith("tokenfare-batch")]


def test_what_cannot_be_written_ends_the_plan_though_others_write_it(tmp_path: Path) -> None:
    job = _large(tmp_path / "job.jsonl")
    written = Folder._add_lines
    blocks: list[bool] = []

    def fill(folder: Folder, *block: object) -> None:
        blocks.append(True)
        if len(blocks) > 3:
            raise OSError(errno.ENOSPC, "No space left on device")
        written(folder, *block)  # type: ignore[arg-type] # as it came

    with (
        patch.object(Folder, "_add_lines", fill),
        pytest.raises(InputError, match="plan: cannot be written: No space left on device"),
    ):
        tf.batch.plan(job, tmp_path / "plan", as_of=DAY)
    assert [path.name for path in tmp_path.iterdir()] == ["job.jsonl"]
    assert _writers() == []


def test_an_interrupt_waits_for_what_is_being_written(tmp_path: Path) -> None:
    """The folder is taken away behind the thread that writes into it, not below it."""
    job = _large(tmp_path / "job.jsonl")
    written = Folder._add_lines
    ended: list[bool] = []

    def slowly(folder: Folder, *block: object) -> None:
        time.sleep(0.05)
        written(folder, *block)  # type: ignore[arg-type] # as it came
        ended.append(folder._work.is_dir())

    def interrupt(progress: Progress) -> None:
        if progress.requests > 2_000:
            raise KeyboardInterrupt

    with patch.object(Folder, "_add_lines", slowly), pytest.raises(KeyboardInterrupt):
        tf.batch.plan(job, tmp_path / "plan", as_of=DAY, progress=interrupt)
    assert ended
    assert all(ended)
    assert _writers() == []
    assert [path.name for path in tmp_path.iterdir()] == ["job.jsonl"]


def test_files_are_parted_at_the_same_lines_however_these_came(tmp_path: Path) -> None:
    """A block that does not fit into the file that is open goes on in the next one."""
    job = _large(tmp_path / "job.jsonl")
    few = replace(
        default_catalog(DAY).provider("dashscope").batch, max_lines=1_700, max_file_bytes=900_000
    )
    with patch.object(BlockPlanner, "rules", lambda *_: few):
        by_blocks = tf.batch.plan(job, tmp_path / "blocks", as_of=DAY, allow=["qwen-turbo"])
        with patch.object(BlockPlanner, "takes_blocks", False):
            by_lines = tf.batch.plan(job, tmp_path / "lines", as_of=DAY, allow=["qwen-turbo"])
    assert by_blocks.files == by_lines.files
    assert len(by_blocks.files) > 8
    for each in by_blocks.files:
        assert each.lines <= 1_700
        assert each.bytes <= 900_000
        content = (tmp_path / "blocks" / each.name).read_bytes()
        assert content == (tmp_path / "lines" / each.name).read_bytes()
        assert (content.count(b"\n"), len(content)) == (each.lines, each.bytes)

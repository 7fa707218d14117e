"""Results that break off on their way: they go on where they were, also in another process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from batch_plans import finish, results
from tokenfare import batch
from tokenfare.batch.runs.fetching import RESULTS
from tokenfare.dispatch import NO_RETRIES
from tokenfare.emulator import Break, Drop, FaultScript, Rule, Stall
from tokenfare.errors import ProviderUnreachable

REQUESTS = 200


class Downloads:
    """A hook that gives each download of a file's content the next fault, and counts them."""

    def __init__(self, *faults: Any) -> None:
        self.faults = list(faults)
        self.number = 0

    def __call__(self, attempt: Any) -> Any:
        if not (attempt.method == "GET" and attempt.path.endswith("/content")):
            return None
        self.number += 1
        return self.faults.pop(0) if self.faults else None


@pytest.fixture
def done(emulate: Any, made: Any) -> Callable[..., tuple[Path, Any, dict[str, Any]]]:
    """A plan whose job has ended, and nothing of it is fetched."""

    def make(*faults: Any, **options: Any) -> tuple[Path, Any, dict[str, Any]]:
        emulator, given = emulate(**options)
        folder = made(*range(1, REQUESTS + 1))
        batch.submit(folder, **given)
        finish(folder, given)
        emulator.faults = Downloads(*faults)
        return folder, emulator, given

    return make


def output_of(emulator: Any) -> bytes:
    [file] = emulator.files.page(limit=9, purpose="batch_output")[0]
    return bytes(file.content)


def fetched(folder: Path) -> bytes:
    [path] = (folder / RESULTS).glob("*.output.jsonl")
    return path.read_bytes()


def assert_all_is_there(folder: Path, emulator: Any) -> None:
    assert fetched(folder) == output_of(emulator)
    assert [path.suffix for path in (folder / RESULTS).iterdir()] == [".jsonl"]
    assert [line["custom_id"] for line in results(folder)] == [f"r-{i}" for i in range(REQUESTS)]


def test_a_download_that_breaks_goes_on_and_is_whole(done: Any) -> None:
    folder, emulator, given = done(Break(10_000), Drop(), Break(20_000), Drop(after_events=1))
    assert batch.collect(folder, **given).complete
    assert_all_is_there(folder, emulator)
    contents = [call for call in emulator.calls if call.path.endswith("/content")]
    assert [call.status for call in contents] == [499, 499, 499, 499, 206]  # 499: lost on the way


def test_progress_is_told_by_bytes_also_of_what_goes_on(done: Any) -> None:
    folder, emulator, given = done(Break(10_000))
    whole, seen = len(output_of(emulator)), []
    batch.collect(folder, progress=seen.append, **given)
    assert {at.name for at in seen} == {"qwen-turbo-0001.output.jsonl"}
    assert {at.total for at in seen} == {whole}
    received = [at.received for at in seen]
    assert received[0] == 0
    assert received.count(10_000) == 2, "where it broke off it goes on"
    assert received == sorted(received)
    assert received[-1] == whole
    batch.collect(folder, progress=seen.append, **given)
    assert len(seen) == len(received), "what is there is not fetched again"


def test_a_provider_without_ranges_sends_it_again(done: Any) -> None:
    folder, emulator, given = done(Break(10_000), ranges=False)
    seen: list[batch.Fetching] = []
    assert batch.collect(folder, progress=seen.append, **given).complete
    assert [at.received for at in seen].count(0) == 2, "the bar begins anew too"
    assert_all_is_there(folder, emulator)


def test_what_came_is_kept_for_the_next_collect(done: Any) -> None:
    folder, emulator, given = done(Break(10_000), Break(5_000))
    once = given | {"retry_policy": NO_RETRIES}
    # A try that brought it further is followed by another, so it is the third that fails.
    emulator.faults.faults += [Drop()]
    with pytest.raises(ProviderUnreachable):
        batch.collect(folder, **once)
    [part] = (folder / RESULTS).glob("*.part")
    assert part.read_bytes() == output_of(emulator)[:15_000]
    assert not (folder / "results.jsonl").exists()
    assert batch.collect(folder, **once).complete
    assert emulator.faults.number == 4
    assert_all_is_there(folder, emulator)


def test_a_part_without_its_note_or_of_another_file_is_not_used(done: Any) -> None:
    folder, emulator, given = done(Break(10_000), Drop())
    with pytest.raises(ProviderUnreachable):
        batch.collect(folder, **given | {"retry_policy": NO_RETRIES})
    [part] = (folder / RESULTS).glob("*.part")
    [note] = (folder / RESULTS).glob("*.part.json")
    part.write_bytes(b"x" * 10_000)
    note.write_text(json.dumps(json.loads(note.read_text()) | {"id": "file-of-another-job"}))
    assert batch.collect(folder, **given).complete
    assert_all_is_there(folder, emulator)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_ended_in_the_middle_of_a_download_the_next_process_goes_on(
    done: Any, number: signal.Signals
) -> None:
    """The first half arrives, and then nothing: the process is ended while it waits."""
    folder, emulator, given = done(Stall(30.0))
    half = len(output_of(emulator)) // 2
    command = [sys.executable, "-m", "tokenfare", "batch", "collect", folder]
    process = subprocess.Popen(
        [*command, "--base-url", given["base_url"]],
        env={**os.environ, "DASHSCOPE_API_KEY": "sk-any", "TOKENFARE_LEDGER": "off"},
        stderr=subprocess.PIPE,
        text=True,
    )
    end = time.monotonic() + 30
    while not list((folder / RESULTS).glob("*.part.json")):
        assert time.monotonic() < end
        assert process.poll() is None
        time.sleep(0.01)
    time.sleep(0.3)
    process.send_signal(number)
    said = process.communicate(timeout=30)[1]
    if number == signal.SIGINT:
        words = f"nothing is lost: `tokenfare batch collect` goes on with {folder} where it was"
        assert (process.returncode, said) == (130, f"tokenfare: interrupted; {words}\n")
    [part] = (folder / RESULTS).glob("*.part")
    held = part.stat().st_size
    assert 0 < held <= half
    assert batch.collect(folder, **given).complete
    assert_all_is_there(folder, emulator)
    [last] = [call for call in emulator.calls if call.path.endswith("/content")][-1:]
    assert last.status == 206


def test_a_script_of_faults_cuts_downloads_and_nothing_else(emulate: Any, made: Any) -> None:
    emulator, given = emulate(faults=FaultScript([Rule(Break(100), on=(1,))]))
    folder = made(1, 2)
    batch.submit(folder, **given)
    finish(folder, given)
    assert batch.collect(folder, **given).complete
    contents = [call for call in emulator.calls if call.path.endswith("/content")]
    assert [call.status for call in contents] == [499, 206]

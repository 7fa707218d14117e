"""What can be wrong with the files that are collected from, and with the one written."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from batch_plans import finish, results
from tokenfare import batch
from tokenfare.errors import InputError


def ended(emulate: Any, made: Any) -> tuple[Any, dict[str, Any]]:
    _, given = emulate()
    folder = made(1, 2)
    batch.submit(folder, **given)
    finish(folder, given)
    return folder, given


def test_a_retry_that_was_not_collected_is_named(emulate: Any, made: Any) -> None:
    folder, given = ended(emulate, made)
    again = made(3, name="again")
    with pytest.raises(InputError, match=r"again/results\.jsonl: is not there; collect that plan"):
        batch.collect(folder, retries=[again], **given)
    assert not (folder / "results.jsonl").exists()


def test_lines_that_are_no_results_are_counted_and_left_out(
    emulate: Any, made: Any, caplog: pytest.LogCaptureFixture
) -> None:
    folder, given = ended(emulate, made)
    again = made(3, name="again")
    (again / "results.jsonl").write_text('{"custom_id": 1}\nno JSON\n')
    with caplog.at_level(logging.WARNING, "tokenfare"):
        assert batch.collect(folder, retries=[again], **given).complete
    said = f"{again / 'results.jsonl'}: 2 lines left out, which cannot be read as results"
    assert [record.message for record in caplog.records] == [said]
    caplog.clear()
    (again / "results.jsonl").write_text("")
    assert batch.collect(folder, retries=[again], **given).complete
    assert caplog.records == []


def test_results_that_cannot_be_written_are_an_error_that_names_them_and_leaves_no_part(
    emulate: Any, made: Any
) -> None:
    folder, given = ended(emulate, made)
    (folder / "results.jsonl").mkdir()
    with pytest.raises(InputError, match=r"plan/results\.jsonl: cannot be written: "):
        batch.collect(folder, **given)
    assert not (folder / "results.jsonl.part").exists()
    (folder / "results.jsonl").rmdir()
    assert batch.collect(folder, **given).complete
    assert len(results(folder)) == 2

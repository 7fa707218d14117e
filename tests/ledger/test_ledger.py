"""Rows and sums: each call once, exact, and in the file that was meant."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from threading import Thread
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.conftest import NOON, Clock, answered, intent, sums_of_rows, yuan
from tokenfare.database import Database
from tokenfare.errors import DatabaseError
from tokenfare.ledger import Ending, Ledger, Span, Unsettled, drifts, spent, unsettled
from tokenfare.ledger.owner import this_process
from tokenfare.ledger.schema import MIGRATIONS
from tokenfare.money import Money
from tokenfare.usage import Usage


def test_a_settled_call_is_in_the_sums(ledger: Ledger) -> None:
    ledger.settle(ledger.reserve(intent()), answered(billed=103, output=7, fare="0.25"))
    (row,) = spent(ledger, ["day", "model"])
    assert row.key == ("2025-11-25", "qwen-plus")
    assert (row.calls, row.answered, row.predicted) == (1, 1, 100)
    assert row.usage == Usage(103, 7)
    assert row.fare == yuan("0.25")


def test_a_call_is_billed_once_however_often_it_is_settled(ledger: Ledger) -> None:
    number = ledger.reserve(intent())
    assert ledger.settle(number, answered(fare="0.25"))
    assert not ledger.settle(number, answered(fare="0.25"))
    assert [(row.calls, row.fare) for row in spent(ledger)] == [(1, yuan("0.25"))]


def test_a_call_that_was_taken_for_abandoned_is_billed_when_its_answer_comes_after_all(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And once, with what was predicted for the part that was answered."""
    monkeypatch.setattr("tokenfare.ledger.ledger.this_process", ended_process)
    number = ledger.reserve(intent(tokens=100))
    assert ledger.give_up_the_dead() == 1
    assert unsettled(ledger).abandoned == 1
    assert ledger.settle(number, answered(billed=40, fare="0.25"), intent(tokens=40))
    assert not ledger.settle(number, answered(fare="0.25"))
    (row,) = spent(ledger)
    assert (row.calls, row.predicted, row.fare) == (1, 40, yuan("0.25"))
    assert unsettled(ledger).abandoned == 0


def test_a_settled_call_stays_as_it_was_settled(ledger: Ledger) -> None:
    number = ledger.reserve(intent(tokens=100))
    ledger.settle(number, answered(billed=100))
    with ledger.reading() as database:
        before = database.execute("SELECT * FROM calls").fetchall()
    assert not ledger.settle(number, answered(billed=7), intent(tokens=7))
    ledger.move(number, intent(model="qwen-max", tokens=7))
    ledger.hand_over(number, 7_200)
    with ledger.reading() as database:
        assert database.execute("SELECT * FROM calls").fetchall() == before


def test_a_failed_call_costs_nothing_and_is_counted(ledger: Ledger) -> None:
    ledger.settle(ledger.reserve(intent()), Ending("RateLimitError", attempts=5, broken=2))
    (row,) = spent(ledger)
    assert (row.calls, row.answered, row.fare) == (1, 0, yuan("0"))
    assert row.predicted == 0, "beside nothing billed it would look like drift"
    assert unsettled(ledger) == Unsettled(open=0, abandoned=0, cancelled=0, broken=2)


def test_an_open_call_is_told_apart(ledger: Ledger) -> None:
    ledger.reserve(intent())
    assert spent(ledger) == []
    assert unsettled(ledger) == Unsettled(open=1, abandoned=0, cancelled=0, broken=0)


def test_a_call_that_moved_on_is_one_row_of_the_model_that_answered(ledger: Ledger) -> None:
    number = ledger.reserve(intent())
    ledger.move(number, intent(model="qwen-max", tokens=99))
    ledger.settle(number, answered(billed=99))
    assert [row.key for row in spent(ledger, ["model"])] == [("qwen-max",)]
    assert unsettled(ledger).open == 0


def test_money_is_added_as_decimals(ledger: Ledger) -> None:
    for _ in range(10):
        ledger.settle(ledger.reserve(intent()), answered(fare="0.1"))
    assert spent(ledger, [])[0].fare.amount == Decimal("1.0")  # ten floats are 0.9999999999999999


def test_calls_of_a_quarter_of_an_hour_are_one_sum(ledger: Ledger, clock: Clock) -> None:
    """So that a ceiling is checked without adding up all calls of the day."""
    for minutes in (0, 14.99, 15, 29, 30):
        clock.now = NOON + minutes * 60
        ledger.settle(ledger.reserve(intent()), answered(fare="1"))
    with ledger.reading() as database:
        sums = database.execute("SELECT period_ms / 60000, calls FROM totals").fetchall()
    assert sums == [(NOON // 60, 2), (NOON // 60 + 15, 2), (NOON // 60 + 30, 1)]


def test_every_figure_of_a_sum_is_added_up(ledger: Ledger) -> None:
    endings = (
        answered(usage=Usage(100, 20, cached=30, reasoning=5), fare="0.2"),
        Ending("RateLimitError"),
        answered(usage=Usage(50, 8, cached=7, reasoning=2), fare="0.1"),
    )
    for ending, tokens in zip(endings, (90, 80, 70), strict=True):
        ledger.settle(ledger.reserve(intent(tokens=tokens)), ending)
    (row,) = spent(ledger)
    assert (row.calls, row.answered, row.predicted) == (3, 2, 90 + 70)
    assert row.usage == Usage(100 + 50, 20 + 8, cached=30 + 7, reasoning=5 + 2)
    assert row.fare == yuan("0.3")


def test_two_currencies_are_two_rows(ledger: Ledger) -> None:
    dollars = Money(Decimal("0.1"), "USD")
    ledger.settle(ledger.reserve(intent()), answered(fare="0.5"))
    number = ledger.reserve(replace(intent(), fare=dollars))
    ledger.settle(number, replace(answered(), fare=dollars))
    assert [row.fare for row in spent(ledger, [])] == [yuan("0.5"), dollars]


def test_a_day_is_one_of_the_zone(ledger: Ledger, clock: Clock) -> None:
    clock.now = NOON + 6 * 3600  # 18:00 in London, 02:00 of the next day in Shanghai
    ledger.settle(ledger.reserve(intent()), answered())
    shanghai = Span(zone=ZoneInfo("Asia/Shanghai"))
    assert [row.key for row in spent(ledger, ["day"])] == [("2025-11-25",)]
    assert [row.key for row in spent(ledger, ["day"], shanghai)] == [("2025-11-26",)]


def test_a_span_has_its_last_day(ledger: Ledger, clock: Clock) -> None:
    for days in range(4):
        clock.now = NOON + days * 86_400
        ledger.settle(ledger.reserve(intent()), answered())
    span = Span(date(2025, 11, 26), date(2025, 11, 27))
    assert [row.key for row in spent(ledger, ["day"], span)] == [("2025-11-26",), ("2025-11-27",)]


def test_one_project_can_be_asked_for(ledger: Ledger) -> None:
    for project in ("a", "b", "b"):
        ledger.settle(ledger.reserve(intent(project=project)), answered())
    assert [(r.key, r.calls) for r in spent(ledger, ["project"])] == [(("a",), 1), (("b",), 2)]
    assert [r.calls for r in spent(ledger, [], project="b")] == [2]


FARES = st.decimals(0, 10, places=9).map(str)
STEPS = st.lists(
    st.tuples(st.sampled_from("rmsf"), st.integers(0, 5), st.integers(0, 1000), FARES), max_size=25
)


@given(STEPS)
def test_the_sums_are_those_of_the_rows(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int, int, str]]
) -> None:
    """Any order of reserving, moving, settling and failing: totals and rows agree, to the digit."""
    with Ledger(tmp_path_factory.mktemp("any") / "l", clock=lambda: NOON) as ledger:
        numbers = [0]
        for what, which, tokens, fare in steps:
            number = numbers[which % len(numbers)]
            if what == "r":
                numbers.append(ledger.reserve(intent(tokens, fare)))
            elif what == "m":
                ledger.move(number, intent(tokens, fare, model="qwen-max"))
            elif what == "s":
                ledger.settle(number, answered(tokens, which, fare))
            else:
                ledger.settle(number, Ending("ProviderFaultError"))
        sums = spent(ledger, [])
        rows = sums_of_rows(ledger)
    found = [(s.calls, s.usage.input_tokens, s.usage.output_tokens, s.fare.amount) for s in sums]
    assert found == ([rows] if rows[0] else [])


def test_endpoints_are_told_apart(ledger: Ledger) -> None:
    """The emulator's bills are no money."""
    for endpoint in ("http://127.0.0.1:1/v1", "https://provider/v1"):
        ledger.settle(ledger.reserve(intent(endpoint=endpoint)), answered())
    found = [(row.key, row.calls) for row in spent(ledger, ["endpoint"])]
    assert found == [(("http://127.0.0.1:1/v1",), 1), (("https://provider/v1",), 1)]


def test_a_ledger_of_the_first_version_keeps_its_calls_and_their_sums(tmp_path: Path) -> None:
    """Its sums knew no endpoint, so they are made again from the rows."""
    path = tmp_path / "ledger"
    first = Database(path, "ledger", MIGRATIONS[:1])
    with first.writing() as database:
        for fare, outcome in (("0.1", "answered"), ("0.2", "answered"), (None, "abandoned")):
            database.execute(
                "INSERT INTO calls (started_ms, project, endpoint, model, decided, decision, "
                "predicted, predicted_low, predicted_high, predicted_how, predicted_parts, "
                "max_output_tokens, currency, fare_at_most, held_tokens, held_billionths, owner, "
                "lease_ms, outcome, input_tokens, output_tokens, fare) VALUES (?, '', 'there', "
                "'m', 'm', '', 9, 9, 9, 'exact', '{}', 5, 'CNY', '1', 14, 0, '', 0, ?, 9, 2, ?)",
                (int(NOON * 1_000), outcome, fare),
            )
    first.close()
    with Ledger(path) as ledger:
        (row,) = spent(ledger, ["endpoint"])
    assert (row.key, row.calls, row.usage, row.fare) == (("there",), 2, Usage(18, 4), yuan("0.3"))


def test_threads_share_a_ledger(ledger: Ledger) -> None:
    def work() -> None:
        for _ in range(50):
            ledger.settle(ledger.reserve(intent()), answered(fare="0.001"))

    threads = [Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [(s.calls, s.fare) for s in spent(ledger, [])] == [(400, yuan("0.4"))]


def test_a_closed_ledger_opens_again(ledger: Ledger) -> None:
    number = ledger.reserve(intent())
    ledger.close()
    assert ledger.settle(number, answered())


def test_a_ledger_that_is_left_is_closed(tmp_path: Path) -> None:
    """SQLite removes the log beside the file with the last connection."""
    log = tmp_path / "ledger-wal"
    with Ledger(tmp_path / "ledger") as ledger:
        ledger.reserve(intent())
        assert log.exists()
    assert not log.exists()
    assert repr(ledger) == f"<Ledger in {tmp_path / 'ledger'}>"


def test_a_bill_is_known_by_the_providers_id(ledger: Ledger) -> None:
    ledger.settle(ledger.reserve(intent()), answered(request_id="billed"))
    ledger.settle(ledger.reserve(intent()), Ending("ProviderFaultError", request_id="failed"))
    assert [ledger.has_bill(name) for name in ("billed", "failed", "another")] == [
        True,
        False,
        False,
    ]


def test_a_bill_for_a_part_is_held_to_what_was_predicted_for_that_part(ledger: Ledger) -> None:
    """Of a job of a thousand requests the provider answered four hundred."""
    number = ledger.reserve(intent(1_000, fare="10"))
    ledger.settle(number, answered(billed=400, fare="4"), intent(400, fare="4"))
    [sum_of_all] = spent(ledger, [])
    assert (sum_of_all.predicted, sum_of_all.fare) == (400, yuan("4"))
    assert drifts(ledger) == []


def test_how_a_call_went_is_written_beside_its_bill(ledger: Ledger) -> None:
    ledger.settle(ledger.reserve(intent()), answered(attempts=3, broken=1, waited_seconds=1.5))
    with ledger.reading() as database:
        row = database.execute("SELECT attempts, broken, waited_ms FROM calls").fetchone()
    assert row == (3, 1, 1_500)


def test_calls_of_a_process_that_ended_are_given_up_once(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger.reserve(intent())
    monkeypatch.setattr("tokenfare.ledger.ledger.this_process", ended_process)
    for _ in range(2):
        ledger.reserve(intent())
    assert [ledger.give_up_the_dead() for _ in range(2)] == [2, 0]
    assert unsettled(ledger) == Unsettled(open=1, abandoned=2, cancelled=0, broken=0)


def test_a_call_that_was_handed_over_holds_without_its_process_and_for_so_long(
    ledger: Ledger, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tokenfare.ledger.ledger.this_process", ended_process)
    ledger.hand_over(ledger.reserve(intent()), 7_200)
    clock.now += 7_199
    assert ledger.give_up_the_dead() == 0
    clock.now += 1
    assert ledger.give_up_the_dead() == 1


def ended_process() -> str:
    """The name of a process of this machine that is gone."""
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    place, _, _ = this_process().rpartition("/")
    return f"{place}/{child.pid}@1"


def test_nothing_is_made_before_it_is_needed(tmp_path: Path) -> None:
    with Ledger(tmp_path / "folder" / "ledger"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_ledger_is_left_alone(tmp_path: Path) -> None:
    text = tmp_path / "text"
    text.write_text("this is no database at all, and long enough to be looked at " * 20)
    with pytest.raises(DatabaseError, match="not a database"):
        Ledger(text).reserve(intent())
    other = tmp_path / "other"
    with sqlite3.connect(other) as database:
        database.execute("CREATE TABLE mine (x)")
    database.close()
    with pytest.raises(DatabaseError, match="something else"):
        Ledger(other).reserve(intent())


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DatabaseError, match="file"):
        Ledger(tmp_path / "file" / "ledger").reserve(intent())


def test_a_ledger_of_a_later_version_is_not_touched(ledger: Ledger) -> None:
    ledger.reserve(intent())
    ledger.close()
    with sqlite3.connect(ledger.path) as database:
        database.execute("PRAGMA user_version = 99")
    database.close()
    with pytest.raises(DatabaseError, match="of version 99, this tokenfare knows"):
        ledger.reserve(intent())

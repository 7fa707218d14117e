"""A job by a deadline: the cheapest mix that promises it, against every choice there is."""

from __future__ import annotations

import gzip
import json
import sys
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import product
from pathlib import Path
from random import Random
from typing import Any

import pyarrow.parquet as pq
import pytest

from batch_plans import hello, input_of, mixed_lines
from tokenfare import Catalog, Money, batch
from tokenfare.batch.deadlines.keeping import MOST_AT_ONCE
from tokenfare.batch.run_limits import SEND_SECONDS
from tokenfare.batch.runs.plan_folder import planned
from tokenfare.errors import (
    DeadlineTooShort,
    FareOverCeiling,
    InvalidRequestError,
    MissingExtra,
)
from tokenfare.limiter import ARRIVAL_SLACK_SECONDS, Claim, queue_times, windows_of

DAY = date(2025, 6, 1)
MODELS = ("qwen-turbo", "qwen-plus", "qwen-max")
ANSWER = 2.0
ROOMY = 9_000

# Rates so small that a few requests fill them; the provider enforces a sixtieth in each second.
RATES = {"qwen-turbo": (60, 6_000), "qwen-plus": (90, 12_000), "qwen-max": (600, 60_000)}


@pytest.fixture(scope="session")
def rated(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    return with_rates(tmp_path_factory.mktemp("rates") / "ours.toml", RATES)


def with_rates(path: Path, rates: dict[str, tuple[int, int]]) -> Catalog:
    """The catalogue with rates as an account of somebody's may have them."""
    head = f"""
        from = {DAY}
        source = "account"
        provider = "dashscope"
        family = "qwen"
        [sources.account]
        title = "Our account"
        where = "here"
        as_of = {DAY}
    """
    models = "".join(
        f"""
        [[model]]
        id = "{model}"
        rates = [{{ requests_per_minute = {requests}, tokens_per_minute = {tokens} }}]
        """
        for model, (requests, tokens) in rates.items()
    )
    path.write_text(head + models)
    return Catalog.load(day=DAY).overlay(path)


def job(path: Path, sizes: list[tuple[int, int]]) -> Path:
    """Requests of so many words, with so much room for their answers."""

    def line(words: int, room: int) -> str:
        body = {"messages": [{"role": "user", "content": hello(words)}], "max_tokens": room}
        return json.dumps({"body": body}) + "\n"

    path.write_text("".join(line(*size) for size in sizes))
    return path


def within(seconds: float, job: Path, facts: Catalog, **more: Any) -> batch.Plan:
    given = {"catalog": facts, "allow": list(MODELS), "answer_seconds": ANSWER} | more
    return batch.plan(job, job.parent / "plan", deadline=timedelta(seconds=seconds), **given)


def every_choice(facts: Catalog, sizes: list[tuple[int, int]]) -> list[tuple[float, Decimal]]:
    """The time and the most fare of each way to send requests to models, by arithmetic."""
    claims = [Claim(input_of(words), room) for words, room in sizes]
    costs = {}
    for model in map(facts.get, MODELS):
        [tier, *_], per = model.price.tiers, model.price.per
        windows = windows_of(model.rates, 1.0, ARRIVAL_SLACK_SECONDS)
        queue_time = queue_times(
            windows, Counter(claims), answer_seconds=ANSWER, at_once=MOST_AT_ONCE
        )
        costs[model.id] = [
            (
                queue_time.of(claim).seconds,
                (claim.input_tokens * tier.input + claim.max_output_tokens * tier.output) / per,
            )
            for claim in claims
        ]
    own = len(sizes) * SEND_SECONDS + ANSWER
    found = []
    for choice in product(MODELS, repeat=len(sizes)):
        spent = dict.fromkeys(MODELS, 0.0)
        for i, model in enumerate(choice):
            spent[model] += costs[model][i][0]
        fare = sum((costs[model][i][1] for i, model in enumerate(choice)), Decimal(0))
        found.append((max(spent.values()) + own, fare))
    return found


@pytest.mark.parametrize("seed", range(6))
def test_no_mix_that_keeps_the_deadline_is_cheaper(
    tmp_path: Path, rated: Catalog, seed: int
) -> None:
    random = Random(seed)  # noqa: S311 - sizes, no secret
    kinds = [(random.randint(1, 60), random.randint(1, 80)) for _ in range(4)]
    sizes = [random.choice(kinds) for _ in range(7)]
    choices = every_choice(rated, sizes)
    path = job(tmp_path / "job.jsonl", sizes)
    shortest = min(time for time, _ in choices)
    slowest = min((fare, time) for time, fare in choices)[1]
    with pytest.raises(DeadlineTooShort) as short:
        within(shortest - 0.01, path, rated)
    assert not (tmp_path / "plan").exists()
    least = short.value.least.total_seconds()
    assert shortest <= least < shortest + 1
    fares = []
    for part in (0.0, 0.1, 0.3, 0.7, 1.0):
        time = least + part * (slowest - least) + 0.5
        plan = within(time, path, rated)
        best = min(fare for each, fare in choices if each <= time)
        assert plan.fare.high.amount == best
        assert plan.deadline is not None
        assert plan.deadline.within.total_seconds() <= time + 1
        fares.append(best)
    assert fares == sorted(fares, reverse=True)
    assert fares[0] > fares[-1]


SIZES = [(10 + i % 7 * 20, 20 + i % 3 * 30) for i in range(60)]


def test_what_a_model_costs_more_adds_up_to_what_the_deadline_costs(
    tmp_path: Path, rated: Catalog
) -> None:
    """And every number is that of the files and of the table."""
    path = job(tmp_path / "job.jsonl", SIZES)
    free = batch.plan(path, tmp_path / "free", catalog=rated, allow=list(MODELS))
    plan = within(40, path, rated)
    deadline = plan.deadline
    assert deadline is not None
    assert deadline.free == free.fare
    more = [lane.costs_more.amount for lane in deadline.lanes]
    assert sum(more) == plan.fare.high.amount - free.fare.high.amount
    assert len(more) > 1
    lines = {file.model: file.lines for file in plan.files}
    assert {lane.model: lane.requests for lane in deadline.lanes} == lines
    table = pq.read_table(plan.folder / "requests.parquet").to_pylist()
    assert Counter(row["model"] for row in table) == lines
    before = {
        row["line"]: row for row in pq.read_table(free.folder / "requests.parquet").to_pylist()
    }
    by_model: Counter[str] = Counter()
    for row in table:
        by_model[row["model"]] += row["fare_high"] - before[row["line"]]["fare_high"]
    assert by_model == {lane.model: lane.costs_more.amount for lane in deadline.lanes}


def test_without_haste_each_request_is_on_its_cheapest_live_model(
    tmp_path: Path, rated: Catalog
) -> None:
    """23 hours: the batch service's window is longer, so all is sent live, at the whole price."""
    path = job(tmp_path / "job.jsonl", SIZES)
    free = batch.plan(path, tmp_path / "free", catalog=rated, allow=list(MODELS))
    plan = within(23 * 3_600, path, rated)
    assert [(share.model, share.batch) for share in plan.shares] == [("qwen-turbo", False)]
    assert plan.fare.high.amount == 2 * free.fare.high.amount
    assert plan.deadline is not None
    assert plan.deadline.gap == Money(Decimal(0), "CNY")
    assert "nothing goes to the batch service: its shortest window is 24 h" in plan.explain()


def test_the_batch_service_is_for_deadlines_that_its_window_keeps(
    tmp_path: Path, rated: Catalog
) -> None:
    """A day is its shortest window; what it takes nowhere is sent live meanwhile."""
    path = job(tmp_path / "job.jsonl", [*SIZES[:10], (40_000, 20)])
    models = ["qwen-max", "qwen-turbo-latest"]  # too small for the long one; without batch price
    free = batch.plan(path, tmp_path / "free", catalog=rated, allow=models)
    plan = within(24 * 3_600, path, rated, allow=models)
    deadline = plan.deadline
    assert deadline is not None
    assert (deadline.in_batch, deadline.window_hours) == (10, 24)
    assert deadline.within == timedelta(hours=24)
    [lane] = deadline.lanes
    assert (lane.model, lane.requests, lane.costs_more.amount) == ("qwen-turbo-latest", 1, 0)
    assert plan.fare == free.fare
    assert plan.files == free.files
    live = within(24 * 3_600 - 1, path, rated, allow=models)
    assert live.deadline is not None
    assert (live.deadline.in_batch, live.deadline.window_hours) == (0, 24)
    assert sum(lane.requests for lane in live.deadline.lanes) == 11


def test_models_whose_rates_are_not_known_promise_nothing_and_are_named(
    tmp_path: Path, rated: Catalog
) -> None:
    unknown = "qwen-coder-turbo"
    assert rated.get(unknown).rates.requests_per_minute is None
    path = job(tmp_path / "job.jsonl", SIZES[:5])
    plan = within(3_600, path, rated, allow=["qwen-plus", unknown])
    assert plan.deadline is not None
    assert plan.deadline.unknown == (unknown,)
    assert [share.model for share in plan.shares] == ["qwen-plus"]
    said = "left out, since their rates are not known (a catalogue of yours may state them)"
    assert f"{said}: {unknown}\n" in plan.explain()
    with pytest.raises(DeadlineTooShort, match=f"rates not known: {unknown}"):
        within(ANSWER, path, rated, allow=["qwen-plus", unknown])
    with pytest.raises(InvalidRequestError, match=f"the rates of {unknown} are not known on"):
        within(3_600, path, rated, allow=[unknown])
    other = tmp_path / "other"
    other.mkdir()
    long = job(other / "job.jsonl", [*SIZES[:4], (40_000, 50)])
    partly = within(3_600, long, rated, allow=["qwen-max", unknown])
    assert (partly.requests, partly.aside) == (4, {"no model takes it": 1})
    [line] = (partly.folder / "set-aside.jsonl").read_text().splitlines()
    assert f"within 1:00:00: only {unknown} would take it" in json.loads(line)["problem"]


def test_a_job_of_which_all_is_refused_keeps_every_deadline(tmp_path: Path, rated: Catalog) -> None:
    path = tmp_path / "job.jsonl"
    path.write_text("no request\n")
    plan = within(1, path, rated)
    assert (plan.requests, plan.set_aside) == (0, 1)
    assert plan.deadline is not None
    assert plan.deadline.within == timedelta()


def test_identical_requests_are_sent_once_and_pay_once(tmp_path: Path, rated: Catalog) -> None:
    path = job(tmp_path / "job.jsonl", SIZES * 2)
    plan = within(40, path, rated, once=True)
    different = len(set(SIZES))
    assert plan.deadline is not None
    assert sum(lane.requests for lane in plan.deadline.lanes) == different
    assert sum(file.lines for file in plan.files) == different
    assert plan.requests == 2 * len(SIZES)
    free = batch.plan(path, tmp_path / "free", catalog=rated, allow=list(MODELS), once=True)
    assert plan.deadline.free == free.fare


@pytest.mark.parametrize("once", [False, True])
@pytest.mark.parametrize("hours", [5, 48])
def test_requests_of_every_kind_are_planned_as_without_a_deadline(
    tmp_path: Path, hours: int, once: bool
) -> None:
    """Pictures, tools, rooms of their own, ids used twice, what is no request; and packed."""
    path = tmp_path / "job.jsonl.gz"
    with gzip.open(path, "wt", encoding="utf-8") as lines:
        lines.write("\n".join(mixed_lines()) + "\n")
    options: dict[str, Any] = {"as_of": date(2026, 6, 1), "once": once}
    free = batch.plan(path, tmp_path / "free", **options)
    plan = batch.plan(path, tmp_path / "plan", deadline=timedelta(hours=hours), **options)
    deadline = plan.deadline
    assert deadline is not None
    assert (plan.requests, plan.aside, deadline.free) == (free.requests, free.aside, free.fare)
    more = sum(lane.costs_more.amount for lane in deadline.lanes)
    assert more == plan.fare.high.amount - free.fare.high.amount
    assert (more > 0) == (hours < 24)
    live = {lane.model: lane.requests for lane in deadline.lanes}
    assert live == {file.model: file.lines for file in plan.files if not file.batch}
    assert deadline.in_batch == sum(file.lines for file in plan.files if file.batch)


def test_models_with_no_room_for_any_answer_of_the_job_are_no_part_of_the_mix(
    tmp_path: Path,
) -> None:
    """They count alike with models that have the room, and promise a time as these do."""
    day = date(2026, 11, 25)
    rated = [m for m in Catalog.load(day=day).models() if m.rates.tokens_per_minute is not None]
    assert any(m.limits.max_output is not None and m.limits.max_output < ROOMY for m in rated)
    path = job(tmp_path / "job.jsonl", [(1, ROOMY)])
    plan = batch.plan(path, tmp_path / "plan", as_of=day, deadline=timedelta(hours=3))
    assert plan.deadline is not None
    [lane] = plan.deadline.lanes
    most = Catalog.load(day=day).get(lane.model).limits.max_output
    assert lane.requests == 1
    assert most is None or most >= ROOMY


def test_a_ceiling_below_what_the_deadline_costs_names_it(tmp_path: Path, rated: Catalog) -> None:
    path = job(tmp_path / "job.jsonl", SIZES)
    cheap = within(23 * 3_600, path, rated).fare.high
    with pytest.raises(FareOverCeiling, match="or allow more than 0:00:40"):
        within(40, path, rated, ceiling=cheap)


def test_inputs_that_change_between_the_passes_are_refused(tmp_path: Path, rated: Catalog) -> None:
    def changed_to(sizes: list[tuple[int, int]]) -> None:
        path = job(tmp_path / "job.jsonl", SIZES)
        with pytest.raises(InvalidRequestError, match="not the same at the second time"):
            within(60, path, rated, progress=lambda _: job(path, sizes))
        assert not (tmp_path / "plan").exists()

    changed_to([*SIZES, (1, 1)])
    changed_to(SIZES[:-1])
    changed_to([*SIZES[:-1], (1, 1)])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"deadline": 7_200}, "a datetime.timedelta, not 7200"),
        ({"deadline": datetime.now(UTC)}, "take from it the moment at which sending begins"),
        (
            {"deadline": timedelta(hours=-2)},
            "it must be above zero, counted from the first request",
        ),
        ({"deadline": timedelta(0)}, "deadline: 0:00:00; it must be above zero"),
        (
            {"deadline": timedelta(hours=1), "answer_seconds": 0},
            "answer_seconds: 0; it must be above",
        ),
        ({"deadline": timedelta(hours=1), "answer_seconds": float("nan")}, "answer_seconds: nan"),
        ({"deadline": timedelta(hours=1), "answer_seconds": float("inf")}, "answer_seconds: inf"),
    ],
)
def test_a_deadline_that_means_nothing_is_refused(
    tmp_path: Path, rated: Catalog, options: dict[str, Any], said: str
) -> None:
    path = job(tmp_path / "job.jsonl", SIZES[:1])
    with pytest.raises(InvalidRequestError, match=said):
        batch.plan(path, tmp_path / "plan", catalog=rated, **options)


def test_without_the_solver_the_extra_is_named_before_anything_is_read(
    tmp_path: Path, rated: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "highspy", None)
    with pytest.raises(
        MissingExtra, match=r"^a deadline needs highspy.*pip install 'tokenfare\[batch\]'"
    ):
        within(60, tmp_path / "there is none", rated)
    path = job(tmp_path / "job.jsonl", SIZES[:1])
    assert batch.plan(path, tmp_path / "plan", catalog=rated).deadline is None


def test_more_requests_at_once_are_asked_for_where_answers_take_long(
    tmp_path: Path, rated: Catalog
) -> None:
    """60 requests of a minute each on 16 at once would be four minutes and the rates' time."""
    path = job(tmp_path / "job.jsonl", [(1, 1)] * 60)
    slow = within(1_000, path, rated, answer_seconds=60.0, allow=["qwen-max"])
    fast = within(140, path, rated, answer_seconds=60.0, allow=["qwen-max"])
    assert slow.deadline is not None
    assert fast.deadline is not None
    assert slow.deadline.concurrency == 16
    assert 40 <= fast.deadline.concurrency <= 60
    assert slow.deadline.lanes[0].limit == "calls at once"
    read = planned(fast.folder)
    assert (read.deadline, read.concurrency) == (140, fast.deadline.concurrency)


def test_the_plan_says_it_in_json_and_on_its_page(tmp_path: Path, rated: Catalog) -> None:
    plan = within(40, job(tmp_path / "job.jsonl", SIZES), rated)
    assert plan.deadline is not None
    said = json.loads((plan.folder / "plan.json").read_text())["deadline"]
    assert said == plan.deadline.as_data(plan.fare)
    assert (said["seconds"], said["answer_seconds"]) == (40, ANSWER)
    lanes = {lane.model: lane for lane in plan.deadline.lanes}
    assert [each["model"] for each in said["models"]] == list(lanes)
    for each in said["models"]:
        lane = lanes[each["model"]]
        assert each["requests"] == lane.requests
        assert Decimal(each["costs_more"]) == lane.costs_more.amount
    page = batch.report(plan.folder).read_text()
    assert "<h2>By the deadline</h2>" in page
    assert "answered within 0:00:" in page
    for lane in lanes.values():
        row = f'<span>{lane.model}</span></td><td role="cell" data-head="requests">'
        assert f"{row}<span>{lane.requests:,}</span>" in page
    free = batch.plan(tmp_path / "job.jsonl", tmp_path / "free", catalog=rated)
    assert "By the deadline" not in batch.report(free.folder).read_text()

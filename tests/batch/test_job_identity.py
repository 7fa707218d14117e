"""Copies of one plan's folder submitted in one instant: one job is left, and all have it.

First the protocol alone, in every order that its steps can come in; then real commands on real
connections, brought to the worst moment.
"""

from __future__ import annotations

import json
import random
import shutil
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from functools import partial
from itertools import combinations
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from batch_plans import finish, results
from tokenfare import batch
from tokenfare.batch.runs import job_identity
from tokenfare.dispatch import (
    BatchFile,
    Channel,
    Endpoint,
    Flow,
    Job,
    Secret,
    cancel_others,
    create_job,
    find_jobs,
)
from tokenfare.dispatch.effect_handlers import EffectHandler
from tokenfare.dispatch.effects import Head, Read, Send, Wait
from tokenfare.emulator import Emulator
from tokenfare.ledger import Ledger

FILE = BatchFile(Path("in.jsonl"), "qwen-turbo", "tokenfare-key")
CHANNEL = Channel(Endpoint("http://provider.test/v1", Secret("sk-any")))
SECONDS = 3


class Provider:
    """A batch service in memory: times are whole seconds, and lists have no order to rely on.

    They have a job only once it is `lag` seconds old.
    """

    def __init__(self, ids: Iterator[str], lag: float = 0.0) -> None:
        self.now = 100.25
        self.lag = lag
        self.jobs: list[dict[str, Any]] = []
        self._ids = ids
        self._listed: dict[str, float] = {}
        self._turned = False

    def answer(self, method: str, url: str, body: bytes) -> dict[str, Any]:
        path, query = urlsplit(url).path, parse_qs(urlsplit(url).query)
        if method == "POST" and path.endswith("/cancel"):
            job = next(job for job in self.jobs if job["id"] == path.split("/")[-2])
            job["status"] = "cancelling"
            return job
        if method == "POST":
            given = json.loads(body)
            job = {
                "id": next(self._ids),
                "status": "validating",
                "created_at": int(self.now),
                "input_file_id": given["input_file_id"],
                "metadata": given["metadata"],
            }
            self.jobs.append(job)
            self._listed[job["id"]] = self.now + self.lag
            return job
        name, files = query.get("ds_name", [None])[0], query.get("input_file_ids", [None])[0]
        self._turned = not self._turned
        found = [
            job
            for job in (reversed(self.jobs) if self._turned else self.jobs)
            if self._listed[job["id"]] <= self.now
            and (name is None or job["metadata"]["ds_name"] == name)
            and (files is None or job["input_file_id"] == files)
        ]
        return {"data": found or None, "has_more": False}

    @property
    def left(self) -> list[str]:
        return [job["id"] for job in self.jobs if job["status"] != "cancelling"]


def submitting(file_id: str, settle: float = SECONDS) -> Flow[Job]:
    """What `submit` asks of the provider, from the first look to the last."""
    jobs = yield from find_jobs(FILE, CHANNEL)
    if not jobs:
        jobs = ((yield from create_job(FILE, file_id, CHANNEL, 24)),)
    yield Wait(settle)
    jobs = (yield from find_jobs(FILE, CHANNEL)) or jobs
    yield from cancel_others(jobs, FILE.model, CHANNEL)
    return jobs[0]


class Machine:
    """Runs the flow; a step is one exchange with the provider, or the end of a wait."""

    def __init__(self, provider: Provider, number: int, settle: float = SECONDS) -> None:
        self.provider = provider
        self.job: Job | None = None
        self.until = 0.0
        self.steps = 0
        self._flow: Generator[Any, Any, Job] = submitting(f"file-{number}", settle)
        self._effect = next(self._flow)

    @property
    def ready(self) -> bool:
        return self.job is None and self.provider.now >= self.until

    def step(self) -> None:
        self.steps += 1
        if isinstance(self._effect, Wait):
            self._go(None)
            return
        assert isinstance(self._effect, Send)
        asked = self._effect.request
        assert isinstance(asked.body, bytes)
        body = json.dumps(self.provider.answer(asked.method, asked.url, asked.body)).encode()
        self._go(Head(200, {}))
        for piece in (body, None):
            if self.job is None and isinstance(self._effect, Read):
                self._go(piece)

    def _go(self, told: object) -> None:
        try:
            self._effect = self._flow.send(told)
        except StopIteration as end:
            self.job = end.value
            return
        if isinstance(self._effect, Wait):
            self.until = self.provider.now + self._effect.seconds


def agreed(machines: list[Machine], provider: Provider) -> bool:
    ids = {machine.job.id for machine in machines if machine.job is not None}
    return provider.left == list(ids) and len(ids) == 1


@pytest.mark.parametrize("ids", ["ab", "ba"])
def test_two_agree_on_one_job_in_whatever_order_their_steps_come(ids: str) -> None:
    """All within one second: time passes only when both wait, so that they see least."""
    doubled = 0
    steps = 7
    for first in combinations(range(2 * steps), steps):
        provider = Provider(iter(ids))
        machines = [Machine(provider, 0), Machine(provider, 1)]
        turns = [0 if at in first else 1 for at in range(2 * steps)]
        while any(machine.job is None for machine in machines):
            at = turns.pop(0) if turns else int(machines[0].job is not None)
            if not machines[at].ready:
                at = 1 - at
            if not machines[at].ready:
                provider.now += SECONDS
            else:
                machines[at].step()
        assert agreed(machines, provider), first
        doubled += len(provider.jobs) == 2
    assert doubled > 100, "the orders in which both create a job are among them"


def submitted_at_random(chance: random.Random, number: int, lag: float, settle: float) -> Any:
    """Machines that submit while time passes as it likes, and their provider."""
    provider = Provider(iter(chance.sample("abc", 3)), lag)
    provider.now += chance.random()
    machines = [Machine(provider, at, settle) for at in range(number)]
    while waiting := [machine for machine in machines if machine.job is None]:
        machine = chance.choice(waiting)
        if machine.ready and chance.random() < 0.9:
            machine.step()
        else:
            provider.now += chance.random() / 2
    return machines, provider


@pytest.mark.parametrize(
    ("lag", "settle"), [(0.0, 1.0), (0.5, 1.5), (2.0, job_identity.SETTLE_SECONDS)]
)
@pytest.mark.parametrize("number", [2, 3])
def test_machines_agree_if_they_wait_a_second_longer_than_lists_take(
    number: int, lag: float, settle: float
) -> None:
    assert settle == 1 + lag
    chance = random.Random(number)  # noqa: S311 - an order
    doubled = 0
    for _ in range(1_000):
        machines, provider = submitted_at_random(chance, number, lag, settle)
        assert agreed(machines, provider)
        doubled += len(provider.jobs) > 1
    assert doubled > 100


@pytest.mark.parametrize(("lag", "settle"), [(0.0, 0.5), (0.5, 1.0), (2.0, 2.5), (0.0, 0.0)])
def test_with_less_they_may_not(lag: float, settle: float) -> None:
    """So the wait is no longer than it has to be, and the test above could fail."""
    chance = random.Random(2)  # noqa: S311 - an order
    ends = [submitted_at_random(chance, 2, lag, settle) for _ in range(2_000)]
    assert any(not agreed(machines, provider) for machines, provider in ends)


def test_one_that_dies_before_it_settles_leaves_no_job_beside_the_first() -> None:
    """Whatever the last step of the one is, the other ends with the only job that is left."""
    for last in range(8):
        for ids in ("ab", "ba"):
            provider = Provider(iter(ids))
            dying, living = Machine(provider, 0), Machine(provider, 1)
            living.step()  # it has looked, and seen nothing
            for _ in range(last):
                if dying.ready:
                    dying.step()
            while living.job is None:
                if living.ready:
                    living.step()
                else:
                    provider.now += SECONDS
            assert agreed([living], provider)


def barrier_before_creating(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """Each of so many submits is held at its first POST of a job until all are there."""
    barrier, send = threading.Barrier(number), EffectHandler._send
    passed = threading.local()

    def held(handler: EffectHandler, request: Any) -> object:
        creates = request.method == "POST" and request.url.endswith("/batches")
        if creates and not getattr(passed, "once", False):
            passed.once = True
            barrier.wait(30)
        return send(handler, request)

    monkeypatch.setattr(EffectHandler, "_send", held)
    monkeypatch.setattr(job_identity, "SETTLE_SECONDS", 1.5)


def at_once(*calls: Callable[[], Any]) -> list[Any]:
    done: list[Any] = [None] * len(calls)

    def doing(at: int, call: Callable[[], Any]) -> None:
        done[at] = call()

    threads = [threading.Thread(target=doing, args=each) for each in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return done


def ledger_of(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.ledger")


@pytest.fixture
def doubled(
    emulate: Any, made: Any, monkeypatch: pytest.MonkeyPatch
) -> tuple[Emulator, dict[str, Any], list[Path], list[batch.Status]]:
    """Two machines with copies of a folder, each with its ledger, which both created a job."""
    emulator, given = emulate()
    del given["ledger"]
    folders = [made(1, 2, 3)]
    folders.append(Path(shutil.copytree(folders[0], "copy")).absolute())
    barrier_before_creating(monkeypatch, 2)
    first, second = at_once(
        *(
            lambda folder=folder: batch.submit(  # type: ignore[misc]
                folder, **given | {"ledger": folder.with_name(f"{folder.name}.ledger")}
            )
            for folder in folders
        )
    )
    assert len(emulator.batches) == 2, "both had looked before either created"
    return emulator, given, folders, [first, second]


def test_the_second_machine_takes_the_job_of_the_first(doubled: Any) -> None:
    emulator, given, folders, states = doubled
    jobs = {state.files[0].job.id for state in states}
    assert len(jobs) == 1
    stopped = [each for each in emulator.batches.values() if each.id not in jobs]
    assert len(stopped) == 1
    assert stopped[0].status in {"cancelling", "cancelled"}
    for folder in folders:
        finish(folder, given)
        assert batch.collect(folder, **given).complete
        assert [line["status"] for line in results(folder)] == ["answered"] * 3
    billed = [call for call in emulator.calls if call.method == "BATCH"]
    assert len(billed) == 3, "each request was answered once"


def test_what_the_cancelled_job_held_is_given_back(doubled: Any) -> None:
    _, given, folders, _ = doubled
    outcomes = []
    for folder in folders:
        options = given | {"ledger": ledger_of(folder)}
        finish(folder, options)
        batch.collect(folder, **options)
        with closing(Ledger(ledger_of(folder))) as kept, kept.reading() as db:
            rows = db.execute("SELECT outcome, fare IS NOT NULL FROM calls ORDER BY id").fetchall()
        outcomes.append([tuple(row) for row in rows])
    outcomes.sort(key=len)
    assert outcomes == [[("answered", 1)], [("cancelled", 0), ("answered", 1)]]


def test_one_ledger_of_both_has_the_bill_once(
    emulate: Any, made: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _, given = emulate()
    given = given | {"ledger": tmp_path / "shared.ledger"}
    folders = [made(1, 2)]
    folders.append(Path(shutil.copytree(folders[0], "copy")).absolute())
    barrier_before_creating(monkeypatch, 2)
    at_once(*(partial(batch.submit, folder, **given) for folder in folders))
    for folder in folders:
        finish(folder, given)
        assert batch.collect(folder, **given).complete
    with closing(Ledger(given["ledger"])) as kept, kept.reading() as db:
        rows = db.execute("SELECT outcome, fare IS NOT NULL FROM calls").fetchall()
    # Who collects first has the bill; what the other still held, if anything, is given back.
    ended = sorted(map(tuple, rows))
    assert ended[0] == ("answered", 1)
    assert set(ended[1:]) == {("cancelled", 0)}


@pytest.mark.parametrize("booked", [False, True])
def test_killed_between_creating_and_settling_collect_settles(
    emulate: Any, made: Any, monkeypatch: pytest.MonkeyPatch, booked: bool
) -> None:
    """As if both had been killed there: neither has settled, and one looks after the results.

    Who collects may have no ledger, though what was submitted is `booked` in one.
    """
    emulator, given = emulate()
    folders = [made(1, 2)]
    folders.append(Path(shutil.copytree(folders[0], "copy")).absolute())
    barrier_before_creating(monkeypatch, 2)
    first = given | {"ledger": Path("first.ledger").absolute() if booked else False}
    with monkeypatch.context() as killed:
        killed.setattr("tokenfare.batch.runs.submitting.settle_on_first", lambda *_, **__: None)
        states = at_once(*(partial(batch.submit, folder, **first) for folder in folders))
    assert len({state.files[0].job.id for state in states}) == 2
    for folder in folders:
        batch.collect(folder, **given)
        finish(folder, given)
        assert batch.collect(folder, **given).complete
    ends = sorted(job.status for job in emulator.batches.values())
    assert ends in (["cancelled", "completed"], ["cancelling", "completed"])


def test_two_jobs_that_ran_to_their_ends_are_both_named(
    emulate: Any, made: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The worst that can be: nobody looked while they ran. One counts, the other costs."""
    emulator, given = emulate()
    folders = [made(1)]
    folders.append(Path(shutil.copytree(folders[0], "copy")).absolute())
    barrier_before_creating(monkeypatch, 2)
    with monkeypatch.context() as killed:
        killed.setattr("tokenfare.batch.runs.submitting.settle_on_first", lambda *_, **__: None)
        at_once(*(partial(batch.submit, folder, **given) for folder in folders))
    for folder in folders:
        finish(folder, given)
    found = [batch.collect(folder, **given) for folder in folders]
    assert all(each.complete for each in found)
    assert len({results(folder)[0]["response"]["request_id"] for folder in folders}) == 1
    said = [record.getMessage() for record in caplog.records if "both cost" in record.getMessage()]
    assert len(said) == 2
    assert all(job in said[0] for job in emulator.batches)

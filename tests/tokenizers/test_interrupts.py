"""Long work in the core lets signals through before it is done."""

from __future__ import annotations

import io
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from importlib import import_module
from types import FrameType
from typing import Any

import pytest

import tokenfare as tf
from tokenfare.errors import TokenizerError

pytestmark = pytest.mark.skipif(
    not hasattr(signal, "setitimer"), reason="no timer that sends signals here"
)

Handle = Callable[[int, FrameType | None], None]


@pytest.fixture
def alarms() -> Iterator[Callable[[Handle], None]]:
    """Begin to call a handler every 20 ms, for the time of a test.

    What the calls import is imported before: Python may lose what a handler raises in the middle of
    an import, and NumPy cannot be imported again after that.
    """
    for module in ("numpy", "pyarrow"):
        with suppress(ImportError):
            import_module(module)
    qwen = tf.get_tokenizer("qwen")
    qwen.truncate(qwen.decode([5]), 1)
    qwen.count_file(io.BytesIO(b"a"))
    before = signal.getsignal(signal.SIGALRM)

    def begin(handle: Handle) -> None:
        signal.signal(signal.SIGALRM, handle)
        signal.setitimer(signal.ITIMER_REAL, 0.02, 0.02)

    yield begin
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


def test_a_split_is_broken_off_by_what_a_handler_raises(
    alarms: Callable[[Handle], None],
) -> None:
    """By the second signal: the first one alone would also be met after the work is done."""
    met: list[int] = []

    def handle(number: int, _: FrameType | None) -> None:
        met.append(number)
        if len(met) == 2:
            signal.setitimer(signal.ITIMER_REAL, 0)
            raise InterruptedError("enough")

    tokenizer = tf.get_tokenizer("qwen")
    text = "The quick brown fox jumps over the lazy dog.\n" * 2_000_000
    alarms(handle)
    with pytest.raises(InterruptedError, match="enough"):
        tokenizer.core.split(text, 50, 0)
    assert len(met) == 2
    assert tokenizer.split("one two", 1) == ["one", " two"]


def test_a_count_is_broken_off_by_what_a_handler_raises_and_the_next_one_is_right(
    alarms: Callable[[Handle], None],
) -> None:
    """A text of which each half second is one piece, and threads that wait for each other."""

    def handle(number: int, _: FrameType | None) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)
        raise InterruptedError("enough")

    tokenizer = tf.get_tokenizer("qwen")
    text = " \n" * 20_000_000
    short = "Now is the time. " * 10
    expected = tokenizer.count(short)
    for count in (tokenizer.count, lambda text: tokenizer.count_batch([short, text, short])):
        alarms(handle)
        with pytest.raises(InterruptedError, match="enough"):
            count(text)
        assert tokenizer.count_batch([short] * 3) == [expected] * 3


LONG = " \n" * 20_000_000


def counted_parts(qwen: tf.Tokenizer) -> int:
    """One piece, which is counted when somebody asks."""
    counter = qwen.counter()
    counter.add(" " * 200_000_000)
    return counter.tokens


class SlowColumn:
    """A column of texts that takes its time before it is handed over."""

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        time.sleep(0.2)
        return _batches(["a b"]).__arrow_c_stream__(requested_schema)


def _batches(*columns: list[str], seconds: float = 0) -> Any:
    """A reader of pyarrow's over batches that a generator makes."""
    pa = pytest.importorskip("pyarrow")

    def made() -> Iterator[object]:
        for texts in columns:
            yield pa.record_batch({"text": texts})
            time.sleep(seconds)

    return pa.RecordBatchReader.from_batches(pa.schema([("text", pa.string())]), made())


CALLS: dict[str, Callable[[tf.Tokenizer], object]] = {
    "count_batch": lambda qwen: qwen.count_batch([LONG]),
    "count_batch of a column": lambda qwen: qwen.count_batch(Column([LONG])),
    "a column while it is handed over": lambda qwen: qwen.count_batch(SlowColumn()),
    "a batch of a column while it is made": lambda qwen: qwen.count_batch(
        _batches(["a b"], ["c d"], seconds=0.2)
    ),
    "split": lambda qwen: qwen.split(LONG, 1000),
    "truncate": lambda qwen: qwen.truncate(LONG, 10**8),
    "truncate what is looked at in part": lambda qwen: qwen.truncate(LONG, 10**5),
    "decode": lambda qwen: qwen.decode([5] * 30_000_000),
    "decode_bytes": lambda qwen: qwen.decode_bytes([5] * 30_000_000),
    "add": lambda qwen: qwen.counter().add(LONG),
    "tokens": counted_parts,
    "count_file": lambda qwen: qwen.count_file(io.BytesIO(LONG.encode())),
}


class Column:
    """A column of texts, as Arrow's consumers take one."""

    def __init__(self, texts: list[str]) -> None:
        self._array = pytest.importorskip("pyarrow").array(texts)

    def __arrow_c_array__(self, requested_schema: object = None) -> object:
        return self._array.__arrow_c_array__(requested_schema)


@pytest.mark.parametrize("kind", [ValueError, TypeError, RuntimeError])
@pytest.mark.parametrize("call", CALLS)
def test_what_a_handler_raises_comes_out_as_it_is(
    alarms: Callable[[Handle], None], call: str, kind: type[Exception]
) -> None:
    """The core refuses what it is handed by a `ValueError` too; this one is not of it."""
    raised = kind("enough")

    def handle(number: int, _: FrameType | None) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)
        raise raised

    alarms(handle)
    with pytest.raises(kind) as caught:
        CALLS[call](tf.get_tokenizer("qwen"))
    assert caught.value is raised


def test_a_handler_that_asks_a_counter_at_work_is_told_so_and_the_work_goes_on(
    alarms: Callable[[Handle], None],
) -> None:
    told: list[str] = []
    qwen = tf.get_tokenizer("qwen")
    counter = qwen.counter()

    def handle(number: int, _: FrameType | None) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)  # or it may come again in here
        for use in (lambda: counter.add("x"), lambda: counter.tokens, counter.finish):
            try:
                use()
            except TokenizerError as error:
                told.append(str(error))
        if not told:
            signal.setitimer(signal.ITIMER_REAL, 0.02)

    alarms(handle)
    counter.add(LONG)
    signal.setitimer(signal.ITIMER_REAL, 0)
    assert len(told) == 3
    assert set(told) == {
        "qwen: it is at work, for another thread or for what a signal's handler interrupted"
    }
    assert counter.finish() == qwen.count(LONG)


def test_on_another_thread_a_count_goes_on(alarms: Callable[[Handle], None]) -> None:
    """Handlers run on the main thread, whoever counts."""
    met: list[int] = []
    tokenizer = tf.get_tokenizer("qwen")
    counted: list[int] = []
    text = " \n" * 4_000_000 + "x"
    thread = threading.Thread(target=lambda: counted.append(tokenizer.count(text)))
    alarms(lambda number, _: met.append(number))
    thread.start()
    while thread.is_alive():
        thread.join(0.01)
    assert met
    assert counted == [tokenizer.count(text)]


CHILD = """
import sys, time
import numpy
import tokenfare as tf
from tokenfare import _core

qwen = tf.get_tokenizer("qwen")
text = " \\n" * 75_000_000
{setup}
print("ready", flush=True)
for _ in sys.stdin:
    try:
        {work}
    except KeyboardInterrupt:
        print(time.monotonic(), flush=True)
    else:
        print("nobody ended it", flush=True)
"""

CLUSTER = "text = 'a' + '\\u0301' * 50_000_000"

LONG_WORK = {
    "tf.count": ("", "tf.count(text, model='qwen-plus')"),
    "count": ("", "qwen.count(text)"),
    "a piece without an end": ("text = 'ab' * 100_000_000", "qwen.count(text)"),
    "white space without an end": ("text = ' ' * 300_000_000", "qwen.count(text)"),
    "letters of two bytes": ("text = 'ü' * 200_000_000", "qwen.count(text)"),
    "count by threads": ("text *= 2", "qwen.count(text, threads=2)"),
    "count_up_to": ("", "qwen.count_up_to(text, 10**9)"),
    "a text in a batch": ("", "qwen.count_batch(['x', text, 'y'])"),
    "a batch": ("texts = [text[:1000]] * 300_000", "qwen.count_batch(texts)"),
    "encode": ("", "qwen.encode(text)"),
    "encode with special tokens": ("text += '<|im_end|>'", "qwen.encode(text, special='qwen3')"),
    "encode_to_numpy": ("", "qwen.encode_to_numpy(text)"),
    "truncate": ("", "qwen.truncate(text, 10**8)"),
    "truncate to the end": ("", "qwen.truncate(text, 10**8, keep='end')"),
    "truncate to both ends": ("", "qwen.truncate(text, 10**8, keep='ends')"),
    "split": ("", "qwen.split(text, 1000)"),
    "truncate one cluster": (CLUSTER, "qwen.truncate(text, 100)"),
    "truncate one cluster to the end": (CLUSTER, "qwen.truncate(text, 100, keep='end')"),
    "split one cluster": (CLUSTER, "qwen.split(text, 100)"),
}

SOON = 0.3  # seconds


@pytest.mark.parametrize("what", LONG_WORK)
def test_long_work_ends_soon_after_an_interrupt(what: str) -> None:
    """The best of three, since a busy machine may be late by itself."""
    setup, work = LONG_WORK[what]
    command = [sys.executable, "-c", CHILD.format(setup=setup, work=work)]
    late = []
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdin
        assert child.stdout
        assert child.stdout.readline() == "ready\n"
        for _ in range(3):
            child.stdin.write("go\n")
            child.stdin.flush()
            time.sleep(0.2)
            sent = time.monotonic()
            child.send_signal(signal.SIGINT)
            late.append(float(child.stdout.readline()) - sent)
            if late[-1] < SOON:
                break
        child.stdin.close()
    assert min(late) < SOON

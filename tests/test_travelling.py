"""What is pickled on its way to another process arrives as what it was."""

import copy
import multiprocessing
import pickle
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import tokenfare as tf
from tokenfare import errors
from tokenfare.budget import Fare
from tokenfare.catalog.learnt import LearntLimits
from tokenfare.emulator.refusal import Refusal
from tokenfare.ledger import Ceiling
from tokenfare.router import headroom
from tokenfare.tokenizers import load, measurer
from tokenfare.tokenizers.ranks import QWEN_FILE
from tokenfare.tokenizers.via_transformers import ByTransformers
from tokenfare.tokenizers.vocabulary import NotRepresentable

DAY = date(2024, 12, 18)
TOOLS = [{"type": "function", "function": {"name": "now", "parameters": {}}}]
MESSAGES = [{"role": "system", "content": "Be short."}, {"role": "user", "content": "Hello"}]


def travelled(thing: object) -> Any:
    return pickle.loads(pickle.dumps(thing))  # noqa: S301


EVERY_WAY = pytest.mark.parametrize("way", [travelled, copy.copy, copy.deepcopy])

MADE = {
    errors.CharacterTooLong: lambda: errors.CharacterTooLong("é", 3, 9, 4),
    errors.CannotTrim: lambda: errors.CannotTrim(9, 4, "messages[0] (user) 6"),
    errors.InputError: lambda: errors.InputError("a.txt", "no such file"),
    errors.UnknownModel: lambda: errors.UnknownModel("qwen-pluss", ["qwen-plus"]),
    errors.CatalogError: lambda: errors.CatalogError("a.toml", "model[0].id", "an id"),
    errors.UnknownTokenizer: lambda: errors.UnknownTokenizer("qwn", ["qwen"]),
    errors.VocabularyMissing: lambda: errors.VocabularyMissing("llama3", "add it"),
    errors.LimiterUnreachable: lambda: errors.LimiterUnreachable("localhost:6379", "refused"),
    errors.CoreFailure: lambda: errors.CoreFailure("index out of range"),
    errors.NoModelFits: lambda: errors.NoModelFits("none", tf.routing_table().decide(10**9)),
    errors.MissingExtra: lambda: errors.MissingExtra("a plan", "pyarrow", "batch"),
    NotRepresentable: lambda: NotRepresentable("tokenizer.json", "model.type", "'Unigram'"),
    Refusal: lambda: Refusal(429, "Throttling", "too fast", param="model"),
    errors.DatabaseError: lambda: errors.DatabaseError("ledger", "calls.db", "is locked"),
    errors.FareOverCeiling: lambda: errors.FareOverCeiling(
        tf.Money.written("1 CNY"), tf.Money.written("3 CNY"), tf.Money.written("2 CNY"), "1 CNY"
    ),
    errors.DeadlineTooShort: lambda: errors.DeadlineTooShort(
        timedelta(seconds=1), timedelta(hours=1), ["requests of qwen-plus"], ["qwen-max"]
    ),
    errors.CeilingReached: lambda: errors.CeilingReached(
        "reached", ceiling=1, spent=1, held=0, asked=1, resets_at=datetime(2024, 12, 19, tzinfo=UTC)
    ),
}


def every_error(root: type[errors.TokenfareError]) -> Iterator[type[errors.TokenfareError]]:
    for kind in root.__subclasses__():
        yield kind
        yield from every_error(kind)


def made(kind: type[errors.TokenfareError]) -> errors.TokenfareError:
    if kind in MADE:
        return MADE[kind]()
    if issubclass(kind, errors.ProviderError):
        error = kind("refused", status=429, code="Throttling", request_id="1", model="qwen-max")
        error.text = "the beginning"
        return error
    return kind("a message")


@EVERY_WAY
@pytest.mark.parametrize(
    "kind", sorted(every_error(errors.TokenfareError), key=lambda k: k.__name__)
)
def test_an_error_arrives_with_its_message_and_its_evidence(
    kind: type[errors.TokenfareError], way: Callable
) -> None:
    error = made(kind)
    error.add_note("seen in a worker")
    arrived = way(error)
    assert type(arrived) is kind
    assert (str(arrived), repr(arrived)) == (str(error), repr(error))
    assert vars(arrived) == vars(error)
    assert getattr(arrived, "msg", None) == getattr(error, "msg", None)  # of an ImportError


def learnt() -> tf.Catalog:
    """A catalogue that a refusal has taught a smaller limit."""
    return tf.Catalog.load(day=DAY).learning(
        "qwen-plus", LearntLimits("a refusal", DAY, max_input=7_000)
    )


@EVERY_WAY
def test_a_catalogue_arrives_with_what_it_learnt_and_what_is_laid_over_it(
    tmp_path: Path, way: Callable
) -> None:
    mine = tmp_path / "mine.toml"
    mine.write_text(
        'from = 2024-01-01\nsource = "contract"\n'
        '[sources.contract]\ntitle = "Ours"\nwhere = "here"\nas_of = 2024-01-01\n'
        '[[discounts]]\nmodels = ["qwen-plus"]\nfactor = "0.5"\n',
        encoding="utf-8",
    )
    for catalog in (learnt(), tf.Catalog.load([mine], day=DAY)):
        arrived = way(catalog)
        assert arrived.digest == catalog.digest
        assert arrived.get("qwen-plus") == catalog.get("qwen-plus")
        assert arrived.models(all=True) == catalog.models(all=True)


def refused_by_name(name: str) -> object:
    return tf.get_tokenizer(name)


def test_an_error_in_a_worker_is_its_callers_and_the_pool_goes_on() -> None:
    """An exception that could not be made again ended the whole pool: BrokenProcessPool."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        with pytest.raises(tf.TokenfareError, match="no tokenizer is called 'qwn'"):
            pool.submit(refused_by_name, "qwn").result(timeout=60)
        with pytest.raises(tf.NoModelFits) as refused:
            pool.submit(tf.route, "Hello", max_output_tokens=10**9).result(timeout=60)
        assert refused.value.decision.rejected
        assert pool.submit(tf.get_tokenizer("qwen").count, "Hello, world").result(timeout=60) == 3
        decided = pool.submit(tf.route, "Hello", as_of=DAY).result(timeout=60)
        assert decided == tf.route("Hello", as_of=DAY)


def decisions() -> dict[str, tf.Decision]:
    long = "Seven words are in this sentence here. " * 3_000
    return {
        "a size": tf.route(input_tokens=5_000, as_of=DAY),
        "a prompt": tf.route(MESSAGES, as_of=DAY),
        "a long text, not counted out": tf.route(long, as_of=DAY),
        "counted out": tf.route(long, as_of=DAY, exact=True),
        "another tokenizer": tf.route("Hello", as_of=DAY, access=["paid", "free", "application"]),
    }


@EVERY_WAY
@pytest.mark.parametrize("name", decisions())
def test_a_decision_arrives_whole(name: str, way: Callable) -> None:
    decision = decisions()[name]
    arrived = way(decision)
    assert arrived == decision
    assert hash(arrived) == hash(decision)
    assert arrived.explain() == decision.explain()
    assert headroom(arrived) == headroom(decision)


@EVERY_WAY
@pytest.mark.parametrize(
    "thing",
    [
        tf.count("Hello"),
        tf.fits("Hello", model="qwen-plus"),
        tf.count_messages(MESSAGES, model="qwen-plus"),
        tf.trim(MESSAGES, 100),
        tf.Requirements(purpose="code"),
        tf.Document("a.txt", "text"),
        tf.Usage(3, 4),
        Fare(tf.Money.written("1 CNY"), tf.Money.written("2 CNY")),
        measurer("chatglm"),
        tf.get_tokenizer("qwen"),
        headroom(tf.route(input_tokens=5_000, as_of=DAY)),
        tf.Catalog.load().provider("dashscope"),
        tf.Catalog.load(day=DAY).get("qwen-plus"),
        learnt().get("qwen-plus"),
        tf.route(input_tokens=5_000, catalog=learnt()),
        Ceiling(tf.Money.written("5 CNY"), project="*"),
    ],
    ids=lambda thing: type(thing).__name__,
)
def test_a_value_arrives_equal(thing: object, way: Callable) -> None:
    assert way(thing) == thing


@EVERY_WAY
def test_bounds_measure_alike_where_they_arrive(way: Callable) -> None:
    text = "Ein Text, a text, 一段文字."
    assert way(measurer("llama3")).measure(text) == measurer("llama3").measure(text)


@EVERY_WAY
def test_a_conversation_arrives_with_its_count_and_goes_on(way: Callable) -> None:
    chat = tf.conversation(model="qwen-plus", parameters={"tools": TOOLS})
    for message in MESSAGES:
        chat.add(message)
    arrived = way(chat)
    assert arrived.count() == chat.count()
    assert repr(arrived) == f"<Conversation of 2 messages, {chat.total.value} tokens>"
    before = chat.count()
    assert arrived.add(MESSAGES[1]).high > chat.total.high
    assert chat.count() == before


def test_a_tokenizer_of_a_file_says_that_it_stays(tmp_path) -> None:
    copied = tmp_path / "mine.bpe"
    copied.write_bytes(QWEN_FILE.read_bytes())
    mine = load(copied)
    with pytest.raises(tf.TokenfareError, match=r"'mine' .* load the file there, or add it"):
        pickle.dumps(mine)
    assert copy.deepcopy(mine) is copy.copy(mine) is mine


def test_a_tokenizer_of_a_folder_arrives_as_its_folder(tmp_path) -> None:
    arrived = travelled(ByTransformers("yi", tmp_path, trusted=True))
    assert repr(arrived) == repr(ByTransformers("yi", tmp_path))
    assert arrived._trusted


def test_a_client_says_that_it_stays() -> None:
    with (
        tf.Client(api_key="sk-123456789", base_url="http://127.0.0.1:1/v1", ledger=False) as client,
        pytest.raises(tf.TokenfareError, match=r"127\.0\.0\.1.*make a client there") as refused,
    ):
        pickle.dumps(client)
    assert "123456789" not in str(refused.value)


def test_models_can_be_put_into_a_set() -> None:
    chosen = {tf.route(input_tokens=n, as_of=DAY).model for n in (1, 2, 200_000)}
    assert {model.id for model in chosen} == {"qwen-turbo", "qwen-turbo-latest"}
    assert len({*tf.Catalog.load(day=DAY).models(all=True)}) == 96


def test_what_is_printed_says_what_it_is() -> None:
    table = tf.routing_table(as_of=DAY)
    assert repr(table) == f"<RoutingTable of {len(table.question.candidates)} models on 2024-12-18>"
    assert repr(measurer("llama3")) == "Bounds(name='llama3')"
    assert isinstance(measurer("llama3").guess("x"), int)

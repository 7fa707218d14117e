"""A decision written down, read again, and decided again on other facts."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

import tokenfare as tf
from models import model
from tokenfare.errors import InputError
from tokenfare.router import Requirements, to_record
from tokenfare.router.recorded import from_record
from tokenfare.router.replay import replay
from tokenfare.router.requirement_options import requirements_from, written

THEN = tf.Catalog.load(day=date(2024, 12, 18))
NOW = tf.Catalog.load(day=date(2026, 11, 24))
TEXT = "How much is the fare? " * 400


def recorded(catalog: tf.Catalog = THEN, **options: Any) -> str:
    return json.dumps(to_record(tf.route(catalog=catalog, **options)))


def again(text: str, catalog: tf.Catalog) -> Any:
    models = catalog.models(all=True)
    return replay(from_record(text), models, day=catalog.day, digest=catalog.digest)


@pytest.mark.parametrize(
    "options",
    [
        {"input_tokens": 20_000},
        {"prompt": TEXT},
        {"prompt": TEXT, "exact": True},
        {"prompt": TEXT, "purpose": "code", "max_output_tokens": 7, "deny": ["qwen3*"]},
    ],
)
def test_on_the_same_facts_and_day_nothing_changed(options: dict[str, Any]) -> None:
    replayed = again(recorded(**options), THEN)
    assert replayed.same
    assert replayed.same_facts
    assert replayed.changes == ()


def test_a_decision_its_record_and_the_records_json_are_decided_again_alike() -> None:
    decision = tf.route(input_tokens=20_000, catalog=THEN, thinking=True)
    record = tf.to_record(decision)
    found = [
        tf.replay(each, catalog=NOW)
        for each in (decision, record, json.dumps(record), from_record(json.dumps(record)))
    ]
    assert found[0].record.requirements == decision.requirements
    assert all(each == found[0] for each in found)
    assert not found[0].same
    with pytest.raises(InputError, match="not a decision"):
        tf.replay({"model": "qwen-max"})


def test_a_record_of_an_older_version_is_decided_again_alike() -> None:
    """What was asked was called so before it got the name of the argument."""
    record = json.loads(recorded(input_tokens=20_000, purpose="code"))
    older = {{"requirements": "asked"}.get(key, key): value for key, value in record.items()}
    assert from_record(json.dumps(older)) == from_record(json.dumps(record))
    older["asked"]["purpos"] = "code"
    with pytest.raises(InputError, match=r"asked\.purpos: no such key; nearest: purpose"):
        from_record(json.dumps(older))


def test_a_model_that_was_not_there_has_the_range_of_all_that_count_alike() -> None:
    record = json.loads(recorded(input_tokens=20_000))
    record["sizes"] = [
        {"tokenizer": name, "tokens": {"value": value, "low": low, "high": high}, "models": ids}
        for name, value, low, high, ids in (
            ("qwen", 10, 8, 12, ["qwen-turbo"]),
            ("qwen", 11, 9, 15, ["qwen-plus"]),
            ("yi", 7, 1, 99, ["yi-large"]),
        )
    ]
    sizes = from_record(json.dumps(record)).sizes
    for name, ends in (("qwen-turbo", (10, 8, 12)), ("qwen-plus", (11, 9, 15))):
        found = sizes(model(name))
        assert (found.value, found.low, found.high) == ends
    found = sizes(model("new"))
    assert (found.value, found.low, found.high) == (11, 8, 15)
    assert not sizes.known(model("other", tokenizer="llama3"))


def test_a_choice_that_is_not_in_its_own_ranking_is_no_record() -> None:
    record = json.loads(recorded(input_tokens=20_000))
    with pytest.raises(InputError, match="'qwen-none' is not among the models under `ranked`"):
        from_record(json.dumps(record | {"model": "qwen-none"}))
    assert from_record(json.dumps(record | {"model": None})).model is None


def test_what_changed_is_said_of_both_models_first() -> None:
    replayed = again(recorded(input_tokens=20_000), NOW)
    assert not replayed.same
    first = [str(change) for change in replayed.changes[:2]]
    # 20 x 0.15 + 1 x 1.5 and 20 x 0.3 + 1 x 0.6 milli-yuan
    assert first == [
        "qwen-flash: up to 0.0045 CNY; then: not known to exist on 2024-12-18 yet",
        "qwen-turbo: retired on 2026-10-10; then: up to 0.0066 CNY",
    ]


def test_another_price_is_a_change_with_both_amounts(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(
        '[sources.deal]\ntitle = "a contract"\nwhere = "here"\nas_of = 2024-12-01\n'
        '[[model]]\nid = "qwen-turbo"\n[[model.prices]]\nfrom = 2024-12-10\nsource = "deal"\n'
        'currency = "CNY"\nper = 1000\ninput = "0.0001"\noutput = "0.0002"\n',
        encoding="utf-8",
    )
    replayed = again(recorded(input_tokens=20_000), THEN.overlay(path))
    assert replayed.same
    assert not replayed.same_facts
    (change,) = replayed.changes
    assert str(change) == "qwen-turbo: up to 0.0022 CNY; then: up to 0.0066 CNY"


def test_a_tokenizer_that_was_not_counted_with_then_is_named() -> None:
    """All models that pass on the old day are Qwen's of one vocabulary; 3.5 came with another."""
    text = recorded(prompt=TEXT, exact=True, families=["qwen*"])
    outcomes = {change.model: str(change.now) for change in again(text, NOW).changes}
    assert "not counted with its tokenizer" in outcomes["qwen3.5-flash"]


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"max_output_tokens": 7, "needs": ["image"], "kinds": ["stable"], "batch": True},
        {"allow": ["qwen-*"], "access": ["trial"], "min_headroom": 5, "unstated_limits": True},
        {"max_fare": tf.Money.parse("0.05", "USD"), "expected_output_tokens": 3},
    ],
)
def test_requirements_are_written_and_read_again(options: dict[str, Any]) -> None:
    from tokenfare.router.requirements_file import WrittenRequirements

    wanted = requirements_from(options)
    through = json.loads(json.dumps(written(wanted)))
    assert requirements_from(WrittenRequirements.model_validate(through).given) == wanted
    assert written(Requirements()) == {}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("x", "mine.json: not JSON: Expecting value in line 1, column 1"),
        ("[]", "mine.json: not a decision: an object with keys expected, not []"),
        ("{}", "mine.json: not a decision: model: the key is missing"),
        (
            recorded(input_tokens=5).replace('"2024-12-18"', '"yesterday"'),
            "mine.json: not a decision: Invalid isoformat string: 'yesterday'",
        ),
        (
            recorded(input_tokens=5).replace(
                '"requirements": {', '"requirements": {"purpos": "code"'
            ),
            "requirements.purpos: no such key; nearest: purpose",
        ),
        (recorded(input_tokens=5).replace('"low": 5', '"low": 6'), "a count needs 0 <= low"),
    ],
)
def test_what_is_no_record_is_an_error_with_the_place(text: str, says: str) -> None:
    with pytest.raises(InputError) as raised:
        from_record(text, "mine.json")
    assert says in str(raised.value)


@pytest.mark.parametrize(
    ("where", "value", "says"),
    [
        (("ranked", 0, "fare", "high"), "1e999999", "at most 40 digits"),
        (("ranked", 0, "fare", "high"), "nan", "fare.high: expected a decimal number"),
        (("sizes", 0, "tokens", "high"), 10**400, "less than or equal to"),
        (("sizes", 0, "tokens", "value"), 10**4_000, "less than or equal to"),
        (("requirements", "max_output_tokens"), 10**4_000, "less than or equal to"),
        (("requirements", "max_fare"), "1e999999 CNY", "0.05 CNY"),
    ],
    ids=lambda it: f"10^{len(str(it)) - 1}" if isinstance(it, int) else None,
)
def test_an_amount_beyond_any_is_named(where: tuple[Any, ...], value: object, says: str) -> None:
    record = json.loads(recorded(input_tokens=20_000))
    inner = record
    for key in where[:-1]:
        inner = inner[key]
    inner[where[-1]] = value
    with pytest.raises(InputError, match=says) as refused:
        from_record(json.dumps(record))
    assert len(str(refused.value)) < 300

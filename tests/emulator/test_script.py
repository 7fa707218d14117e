"""Scripts of faults: from a file, from code, by a seed."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tokenfare.emulator import Attempt, Drop, FaultScript, Parse, Rule, rule, worst_day
from tokenfare.emulator.faults import Refuse
from tokenfare.errors import InputError, InvalidRequestError

CUT = Drop(2)


def chat(number: int = 1, model: str = "qwen-plus") -> Attempt:
    return Attempt(number, "POST", "/v1/chat/completions", model)


def struck(script: FaultScript, calls: int, model: str = "qwen-plus") -> list[int]:
    return [n for n in range(1, calls + 1) if script(chat(n, model))]


def test_a_file_says_which_calls_meet_what(tmp_path: Path) -> None:
    path = tmp_path / "faults.toml"
    path.write_text(
        """
        seed = 7
        [[fault]]
        name = "cut"
        on = [1, 3]
        after_events = 2
        [[fault]]
        name = "refused"
        every = 3
        status = 400
        code = "X"
        """
    )
    script = FaultScript.load(path)
    met = [script(chat(n)) for n in range(1, 5)]
    assert met == [(CUT,), (), (CUT, Refuse(400, "X", "")), ()]


def test_one_number_is_a_list_of_one() -> None:
    assert rule("cut;on=2;after_events=2") == Rule(CUT, on=(2,))


def test_a_rule_counts_the_calls_of_its_models() -> None:
    script = FaultScript([Rule(CUT, on=(2,), model="qwen-max*")])
    models = ["qwen-max", "qwen-plus", "qwen-plus", "qwen-max-latest", "qwen-max"]
    met = [bool(script(chat(n, model))) for n, model in enumerate(models)]
    assert met == [False, False, False, True, False]


def test_faults_of_parsing_are_for_uploads() -> None:
    script = FaultScript([Rule(Parse(3)), Rule(CUT)])
    upload = Attempt(1, "POST", "/v1/files", None)
    look = Attempt(2, "GET", "/v1/files/file-1", None)
    assert [script(upload), script(look), script(chat())] == [(Parse(3),), (), (CUT,)]


def test_the_same_seed_draws_the_same_calls() -> None:
    def drawn(seed: int) -> list[int]:
        return struck(FaultScript([Rule(CUT, share=0.1)], seed), 2_000)

    assert drawn(1) == drawn(1) != drawn(2)
    # 200 expected, standard deviation 13: six of them are no accident.
    assert 200 - 6 * 13 < len(drawn(1)) < 200 + 6 * 13


def test_a_rule_draws_whatever_other_rules_do() -> None:
    alone = FaultScript([Rule(CUT, share=0.2)], 5)
    beside = FaultScript([Rule(CUT, share=0.2), Rule(Drop(9), share=0.5)], 5)
    first = [n for n in range(1, 200) if CUT in beside(chat(n))]
    assert first == struck(alone, 199)


def test_the_worst_day_has_everything_in_about_equal_parts() -> None:
    script = worst_day(3, share=0.5)
    met = Counter(fault for n in range(20_000) for fault in script(chat(n)))
    assert len(met) == len(script.rules)
    expected = 20_000 * 0.5 / len(script.rules)
    assert all(0.6 * expected < count < 1.4 * expected for count in met.values())


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("[[fault]]\nname = 3", "[[fault]] number 1: name is missing"),
        ("[[fault]]\nname = 'nonsense'", "[[fault]] number 1: no fault is called 'nonsense'"),
        ("[[fault]]\nname = 'cut'\nafter = 1", "[[fault]] number 1: cut has no value 'after'"),
        ("[[fault]]\nname = 'cut'\nshare = 2", "share is between 0 and 1, not 2.0"),
        ("[[fault]]\nname = 'cut'\non = 'x'", "cut: invalid literal"),
        ("[[fault]]\nname = 'cut'\non = [0]", "counted from 1"),
        ("[[fault]]\nname = 'cut'\nevery = 0", "counted from 1"),
        ("[[fault]]\nname = 'delay'\nseconds = nan", "delay: seconds: Input should be a finite"),
        ("fault = ['cut']", "[[fault]] number 1: a table with a name is expected, not 'cut'"),
        ("faults = 1", "['faults']"),
        ("fault = 1", "[[fault]]"),
        ("not toml", "not TOML"),
    ],
)
def test_a_wrong_script_names_the_place(tmp_path: Path, content: str, says: str) -> None:
    path = tmp_path / "faults.toml"
    path.write_text(content)
    with pytest.raises(InputError) as caught:
        FaultScript.load(path)
    assert says in str(caught.value)
    assert str(caught.value).startswith(str(path))


def test_a_script_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        FaultScript.load(tmp_path / "none.toml")


def test_a_rule_in_one_line_is_checked() -> None:
    with pytest.raises(InvalidRequestError, match="share is between"):
        rule("cut;share=-1")

"""`tokenfare catalog`, and what `models show` says of where facts come from, as a user sees it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

LIST = {
    "small": {
        "litellm_provider": "maker",
        "mode": "chat",
        "max_input_tokens": 1_000,
        "input_cost_per_token": 1e-06,
        "output_cost_per_token": 2e-06,
        "supports_vision": True,
        "unheard_of": 1,
    },
    "dashscope/qwen-max": {
        "litellm_provider": "dashscope",
        "mode": "chat",
        "max_input_tokens": 30_720,
        "max_output_tokens": 9_999,
    },
    "maker/vectors": {"litellm_provider": "maker", "mode": "embedding"},
}
OVERLAP = """
from = 2026-06-01
source = "contract"
[sources.contract]
title = "Our contract"
where = "here"
as_of = 2026-06-01
[[model]]
id = "qwen-long"
prices = [
  { until = 2026-09-01, currency = "CNY", per = 1_000, input = "1", output = "1" },
  { from = 2026-08-01, currency = "CNY", per = 1_000, input = "1", output = "1" },
]
"""


@pytest.fixture
def prices(tmp_path: Path) -> Path:
    path = tmp_path / "prices.json"
    path.write_text(json.dumps(LIST))
    return path


def test_an_import_says_what_it_brought_and_what_it_left(run, prices: Path, tmp_path: Path) -> None:
    out = tmp_path / "imported.json"
    done = run(
        "catalog", "import", "litellm", str(prices), "--out", str(out), "--as-of", "2026-10-21"
    )
    assert done.code == 0
    assert "1 model of 1 provider in" in done.out
    assert "unheard_of  the catalogue has no place for it" in done.out
    assert "no model for text: 'embedding'" in done.out
    as_json = run("catalog", "import", "litellm", str(prices), "--out", str(out), "--json")
    found = json.loads(as_json.out)
    assert (found["models"], found["providers"]) == (["maker/small"], ["maker"])
    assert {entry["model"] for entry in found["left_out"]} == {
        "small",
        "dashscope/qwen-max",
        "maker/vectors",
    }


def test_what_was_imported_is_used_where_the_environment_names_it(
    run, prices: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "imported.json"
    run("catalog", "import", "litellm", str(prices), "--out", str(out), "--as-of", "2026-10-21")
    monkeypatch.setenv("TOKENFARE_CATALOG", str(out))
    (shown,) = json.loads(run("models", "show", "small", "--as-of", "2026-11-25", "--json").out)
    assert (shown["id"], shown["provider"], shown["sent_as"]) == ("maker/small", "maker", "small")
    # 0.000001 and 0.000002 dollars for a token.
    assert (shown["price"]["input"], shown["price"]["output"]) == ("1", "2")
    assert (shown["price"]["currency"], shown["price"]["per"]) == ("USD", 1_000_000)
    assert run("models", "show", "small", "--as-of", "2026-10-20").out.startswith(
        "maker/small on 2026-10-20: not released"
    )
    assert run("catalog", "check").code == 0


def test_two_days_differ_and_one_does_not(run) -> None:
    moved = run("catalog", "diff", "2025-02-12", "2025-02-13", "--json")
    assert moved.code == 1
    prices = {d["model"]: d for d in json.loads(moved.out) if d["fact"] == "price"}
    assert prices["qwen-max"]["before"].startswith("20 in, 60 out (CNY per 1,000,000 tokens)")
    assert prices["qwen-max"]["after"].startswith("2.4 in, 9.6 out (CNY per 1,000,000 tokens)")
    same = run("catalog", "diff", "2025-02-13", "2025-02-13")
    assert (same.code, same.out) == (0, "")


def test_a_price_per_thousand_and_the_same_per_million_are_no_difference(run) -> None:
    """qwen-turbo: 0.0003 for 1,000 in 2025, 0.3 for 1,000,000 in April 2026, and a new tier."""
    found = run("catalog", "diff", "2026-03-31", "2026-04-01", "--json")
    prices = {d["model"]: d for d in json.loads(found.out) if d["fact"] == "price"}
    assert prices["qwen-turbo"]["before"].startswith("0.3 in, 0.6 out (CNY")
    assert prices["qwen-turbo"]["after"].startswith("0.3 in, 0.6 out, 3 thinking (CNY")
    assert "qwen-max" not in prices


def test_beside_a_list_only_what_it_says_and_both_know_is_compared(run, prices: Path) -> None:
    found = run("catalog", "diff", "2026-11-25", f"litellm:{prices}", "--json")
    assert found.code == 1
    assert json.loads(found.out) == [
        {
            "model": "qwen-max",
            "fact": "limits.max_output",
            "before": "8,192 tokens",
            "after": "9,999 tokens",
        }
    ]


def test_a_mistake_with_many_consequences_is_said_once(run, tmp_path: Path) -> None:
    """A source that nobody describes is missed by each fact that names it."""
    path = tmp_path / "mine.toml"
    path.write_text(OVERLAP.replace('source = "contract"', 'source = "contrakt"'), "utf-8")
    found = run("catalog", "check", str(path))
    said = [line for line in found.out.splitlines() if "not 'contrakt'" in line]
    assert len(said) == 1
    assert said[0].endswith("(and 1 more alike)")
    every = json.loads(run("catalog", "check", str(path), "--json").out)
    assert len([each for each in every if "not 'contrakt'" in each["problem"]]) == 2


def test_a_file_with_mistakes_has_all_of_them_named(run, tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(OVERLAP)
    found = run("catalog", "check", str(path))
    assert found.code == 1
    assert found.out.startswith(
        f"{path}: model[0] qwen-long: prices from 2026-06-01: holds until 2026-09-01"
    )
    path.write_text(OVERLAP.replace('input = "1"', "input = 1"))
    assert len(json.loads(run("catalog", "check", str(path), "--json").out)) == 2
    path.write_text(OVERLAP.replace("2026-08-01", "2026-09-01"))
    assert run("catalog", "check", str(path)).code == 0


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["check", "none.toml"], "none.toml: cannot be read"),
        (["import", "litellm", "none.json", "--out", "x.json"], "none.json: cannot be read"),
        (["import", "other", "none.json", "--out", "x"], "'other' is not one of"),
        (["import", "litellm", "none.json", "--out", "x.toml"], "x.toml: what is written is JSON"),
        (["import", "litellm", "none.json"], "Missing option '--out'"),
        (["diff", "2026-01-01", "none.toml"], "none.toml: cannot be read"),
        (["diff", "litellm:none.json", "2026-01-01"], "a list of others is the second side"),
        (["diff", "2026-01-01", "litellm:none.json"], "none.json: cannot be read"),
    ],
)
def test_wrong_use_is_named_and_exits_with_2(
    arguments: list[str], problem: str, run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    done = run("catalog", *arguments)
    assert done.code == 2
    assert problem in done.err


def test_a_file_that_the_environment_names_is_not_taken_for_a_day(
    run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOKENFARE_CATALOG", "mine.toml")
    done = run("catalog", "diff", "2024-12-18", "2025-12-18")
    assert (
        done.code,
        done.err.startswith("tokenfare: TOKENFARE_CATALOG: mine.toml: cannot be read"),
    ) == (2, True)


def test_where_nothing_can_be_written_it_says_so(run, prices: Path, tmp_path: Path) -> None:
    done = run(
        "catalog", "import", "litellm", str(prices), "--out", str(tmp_path / "no" / "x.json")
    )
    assert done.code == 2
    assert "cannot be written" in done.err


def test_every_limit_is_shown_with_how_it_is_known_by_whom_and_since_when(run) -> None:
    out = run("models", "show", "qwen-plus-2024-08-06", "--as-of", "2024-12-18").out
    lines = [line.strip() for line in out.splitlines()]
    under = {
        line.split()[0]: lines[i + 1] for i, line in enumerate(lines) if line.startswith("limits.")
    }
    number = under["limits.context"][-3:]
    assert under == {
        "limits.context": f"stated, 2024-08-06, medium confidence {number}",
        "limits.max_input": f"derived, 2024-08-06, low confidence {number}",
        "limits.max_output": f"inherited from qwen-plus, 2024-08-06, medium confidence {number}",
        "limits.max_image_tokens": f"not stated, 2024-08-06, medium confidence {number}",
    }
    assert f"{number} The provider's list of models, December 2024" in out
    assert "disputed: limits: a context of 131,072 [" in out
    assert "not used: the provider's own table says 128,000, which is also the smaller" in out


@pytest.mark.parametrize(
    ("factor", "said"),
    [
        ("1.06", "surcharge                 6 % more (x 1.06), in the price already"),
        ("1.005", "surcharge                 0.5 % more (x 1.005), in the price already"),
        ("0.85", "discount                  15 % less (x 0.85), in the price already"),
        ("1", "discount                  none (x 1)"),
        ("1.00", "discount                  none (x 1)"),
    ],
)
def test_a_factor_on_prices_is_called_what_it_is_and_has_its_source(
    run, tmp_path: Path, monkeypatch, factor: str, said: str
) -> None:
    file = tmp_path / "mine.toml"
    head, _, _ = OVERLAP.partition("[[model]]")
    file.write_text(f"{head}[[discounts]]\nmodels = ['qwen-long']\nfactor = '{factor}'\n")
    monkeypatch.setenv("TOKENFARE_CATALOG", str(file))
    out = run("models", "show", "qwen-long", "--as-of", "2026-11-25").out
    lines = [line.strip() for line in out.splitlines()]
    below = lines[lines.index(said) + 1]
    assert below.startswith("stated, 2026-06-01, high confidence [")
    assert f"{below[-3:]} Our contract" in out
    (fact,) = (each for each in ("surcharge", "discount") if f"\n  {each} " in out)
    assert said.startswith(fact)
    changed = run("catalog", "diff", "2026-05-31", "2026-06-01").out
    assert f"qwen-long  {fact}" in changed


def test_who_serves_a_model_is_shown_with_its_sources(run) -> None:
    out = run("models", "show", "qwen-plus", "--as-of", "2026-11-25").out
    served = out[out.index("served by DashScope, in cn-beijing by default") :]
    assert "base_urls.cn-beijing      https://dashscope.aliyuncs.com/compatible-mode/v1" in served
    assert "key_variable              DASHSCOPE_API_KEY" in served
    assert "window_seconds 1, recovers_after_seconds 60, counted_for account" in served
    assert "max_lines 50,000, max_file_bytes 500,000,000, max_line_bytes 6,000,000" in served
    marks = [line for line in served.splitlines() if "confidence [" in line]
    assert len(marks) == len(["3 addresses", *("key", "body", "throttle", "batch")]) + 2


def test_a_file_that_cannot_be_read_does_not_hide_the_problems_of_the_others(
    run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("wrong.toml").write_text('[[model]]\nid = "x"\ncolour = "red"\n', encoding="utf-8")
    Path("none.toml").write_text("x = [", encoding="utf-8")
    ended = run("catalog", "check", "missing.toml", "wrong.toml", "none.toml")
    assert ended.code == 2
    missing, none, summary = ended.err.splitlines()
    assert missing.startswith("tokenfare: missing.toml: cannot be read: ")
    assert none.startswith("tokenfare: none.toml: not TOML: ")
    assert summary.endswith(" 1 problem")
    assert "wrong.toml: model[0] x" in ended.out
    ended = run("catalog", "check", "missing.toml")
    assert (ended.code, ended.out, len(ended.err.splitlines())) == (2, "", 1)


def test_a_tokenizer_that_nobody_knows_is_a_finding_with_its_place(run, tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    head, _, _ = OVERLAP.partition("prices = [")
    file.write_text(head + 'tokenizer = [{ name = "qwem" }]\n')
    done = run("catalog", "check", str(file))
    assert done.code == 1
    assert f"{file}: model[0] qwen-long: tokenizer from 2026-06-01: " in done.out
    assert "no tokenizer is called 'qwem'; known: qwen, " in done.out

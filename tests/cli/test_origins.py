"""An error about a value from a profile or a variable names that, and no option: none was typed."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]

PROFILES = r"""
[long]
expected_output_tokens = 500
[night]
batch = true
[abroad]
max_fare = "3 USD"
[odd]
purpose = "nonsense"
[far]
region = "atlantis"
[none]
allow = ["qwen-nonsense"]
[one]
allow = ["qwen-max"]
["a\\1\u0007"]
purpose = "nonsense"
"""
LONG = "expected_output_tokens of profile long is 500; "
ODD = "purpose of profile odd: 'nonsense' is not known"


@pytest.fixture
def profiles(tmp_path: Path) -> str:
    file = tmp_path / "profiles.toml"
    file.write_text(PROFILES, encoding="utf-8")
    return str(file)


@pytest.mark.parametrize(
    ("profile", "options", "begins", "ends"),
    [
        ("long", ("--max-output", "100"), LONG, "--max-output, which is 100"),
        ("night", ("--cached", "1"), "batch of profile night and --cached exclude", ""),
        ("abroad", ("--currency", "CNY"), "max_fare of profile abroad is in USD, ", ""),
        ("odd", (), ODD, ""),
        ("odd", ("--purpose", "other"), "--purpose: 'other' is not known", ""),
        ("far", (), "region of profile far: 'atlantis' is not known", ""),
        ("none", (), "allow of profile none: 'qwen-nonsense' matches no", ""),
        ("one", ("--deny", "qwen-max"), "allow of profile one and --deny both say 'qwen-max'", ""),
        ("long", ("--expected-output", "700", "--max-output", "9"), "--expected-output is 700", ""),
        ("a\\1\x07", (), "purpose of profile a\\1\N{REPLACEMENT CHARACTER}: 'nonsense' is", ""),
    ],
)
def test_what_a_profile_says_is_named_with_it(
    run: Run, profiles: str, profile: str, options: tuple[str, ...], begins: str, ends: str
) -> None:
    for command in (("route",), ("send", "--dry-run"), ("route", "--chart")):
        ended = run(*command, "--profiles", profiles, "--profile", profile, *options, stdin=b"hi")
        assert (ended.code, ended.out) == (2, "")
        assert ended.err.startswith(f"tokenfare: {begins}"), ended.err
        assert ended.err.endswith(f"{ends}\n")


def test_a_gateway_names_the_profile_that_is_wrong(
    run: Run, monkeypatch: pytest.MonkeyPatch, profiles: str
) -> None:
    monkeypatch.setenv("DASHSCOPE_API_KEY", "sk-of-nobody")
    ended = run("serve", "--profiles", profiles, "--max-output", "100")
    assert (ended.code, ended.err.split(" is 500")[0]) == (
        2,
        "tokenfare: expected_output_tokens of profile long",
    )
    ended = run("serve", "--profiles", profiles)
    assert ended.code == 2
    assert ended.err.startswith("tokenfare: profile odd: purpose: 'nonsense' is not known")
    ended = run("serve", "--profiles", profiles, "--profile", "odd")
    assert ended.err.startswith(f"tokenfare: {ODD}")
    ended = run("serve", "--profiles", profiles, "--purpose", "other")
    assert ended.err.startswith("tokenfare: --purpose: 'other' is not known")


def test_a_profile_is_told_in_its_own_words_whatever_its_name_is(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DASHSCOPE_API_KEY", "sk-of-nobody")
    file = tmp_path / "p.toml"
    file.write_text('[p]\nallow = ["qwen-max"]\ndeny = ["qwen-*"]\n')
    ended = run("serve", "--profiles", str(file))
    assert ended.code == 2
    assert ended.err.startswith(
        "tokenfare: profile p: deny (qwen-*) refuses every model that allow"
    )
    file.write_text('[max_fare]\npurpose = "nonsense"\n')
    ended = run("route", "--profiles", str(file), "--profile", "max_fare", stdin=b"hi")
    assert ended.err.startswith("tokenfare: purpose of profile max_fare: 'nonsense' is not known")


@pytest.mark.parametrize(
    ("variable", "value", "command", "says"),
    [
        ("TOKENFARE_CEILINGS", "5 CNY; 6", ("send",), "a ceiling is written as "),
        ("TOKENFARE_CEILINGS", "-1 tokens", ("serve",), "a ceiling is not below zero"),
        ("TOKENFARE_BASE_URL", "htp:/x", ("send",), "the base URL has the form "),
        ("DASHSCOPE_COMPATIBLE_BASE_URL", "htp:/x", ("send",), "the base URL has the form "),
        ("TOKENFARE_LIMITER", "redis://h:99999999/x", ("send",), "limiter: "),
        ("TOKENFARE_GATEWAY_TOKENS", "short", ("serve",), "an access token has at least 16 "),
        ("TOKENFARE_CATALOG", "no/such.toml", ("models",), "no/such.toml: "),
        ("TOKENFARE_CATALOG", "no/such.toml", ("count", "--model", "qwen-max"), "no/such.toml: "),
        ("TOKENFARE_PROFILES", "no/such.toml", ("route", "--profile", "x"), "no/such.toml: "),
        ("TOKENFARE_PROFILES", "no/such.toml", ("serve",), "no/such.toml: "),
    ],
)
def test_what_a_variable_says_is_named_with_it(
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
    value: str,
    command: tuple[str, ...],
    says: str,
) -> None:
    monkeypatch.setenv("DASHSCOPE_API_KEY", "sk-of-nobody")
    monkeypatch.setenv(variable, value)
    ended = run(*command, stdin=b"hi")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith(f"tokenfare: {variable}: {says}"), ended.err


def test_an_option_in_place_of_a_variable_is_no_matter_of_it(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DASHSCOPE_API_KEY", "sk-of-nobody")
    for variable in ("TOKENFARE_BASE_URL", "TOKENFARE_CEILINGS", "TOKENFARE_PROFILES"):
        monkeypatch.setenv(variable, "wrong")
    ended = run("send", "--base-url", "htp:/x", "--ceiling", "5 CNY", stdin=b"hi")
    assert ended.err == "tokenfare: the base URL has the form https://host[:port]/path\n"
    ended = run("send", "--base-url", "http://127.0.0.1:9/v1", "--ceiling", "6", stdin=b"hi")
    assert ended.err.startswith("tokenfare: ")
    assert "TOKENFARE_CEILINGS" not in ended.err
    ended = run("route", "--profiles", "no/such.toml", "--profile", "x", stdin=b"hi")
    assert ended.err == "tokenfare: no/such.toml: no such file\n"

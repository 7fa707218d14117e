"""An error about an option names it as it was typed, and not as Python's argument is called."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from tokenfare.cli import argument_names, inputs
from tokenfare.cli.main import tokenfare
from tokenfare.gateway import Gateway

Run = Callable[..., Any]

# What a command is given beside the option that is tried, so that only that can be wrong.
NOWHERE = ("--base-url", "http://127.0.0.1:9/v1")
BESIDE: dict[str, tuple[str, ...]] = {
    "fit --limit": (),
    "fit --max-output": ("--model", "qwen-plus"),
    "split --overlap": ("--limit", "5"),
    "route": ("--tokens", "5"),
    "route --tokens": (),
    "send": ("--dry-run",),
    "send --ceiling": NOWHERE,
    "batch plan": ("job.jsonl", "--out", "again"),
    "batch plan --answer-seconds": ("job.jsonl", "--out", "again", "--deadline", "1h"),
    "batch plan --sample": ("job.jsonl",),
    "batch plan --seed": ("job.jsonl", "--sample", "30"),
    "batch replan": ("plan", "--out", "again"),
    "batch replan --answer-seconds": ("plan", "--out", "again", "--deadline", "1h"),
    "batch submit": ("plan", *NOWHERE),
    "batch run": ("plan", "--all", *NOWHERE),
    "batch collect": ("plan", *NOWHERE),
    "batch status --poll": ("plan", "--watch", *NOWHERE),
    "serve": NOWHERE,
}
NUMBERS = (
    click.types.IntParamType,
    click.types.FloatParamType,
    inputs.Amount,
    inputs.Duration,
)
ANY_NUMBER_IS_RIGHT = {"emulate --seed", "batch plan --seed"}
ZERO_IS_WRONG = {
    "--answer-seconds",
    "--concurrency",
    "--cut",
    "--deadline",
    "--expected-output",
    "--limit",
    "--max-body",
    "--max-output",
    "--poll",
    "--sample",
    "--tokens",
    "--window",
}


def commands(command: click.Command, *path: str) -> Iterator[tuple[str, click.Command]]:
    yield " ".join(path), command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None
            yield from commands(below, *path, name)


OPTIONS = [
    (path, option, parameter)
    for path, command in commands(tokenfare)
    for parameter in command.params
    if isinstance(parameter, click.Option)
    for option in parameter.opts
    if isinstance(parameter.type, NUMBERS) or option == "--ceiling"
]


def values(path: str, option: str, parameter: click.Option) -> list[str]:
    wrong = ["nan", ""]
    if isinstance(parameter.type, click.types.IntParamType):
        wrong += ["inf", "1e400", "1.5"]
    if f"{path} {option}" not in ANY_NUMBER_IS_RIGHT:
        wrong.append("-1")
    return wrong + ["0"] * (option in ZERO_IS_WRONG)


@pytest.mark.parametrize(
    ("path", "option", "parameter"),
    OPTIONS,
    ids=[f"{path} {option}" for path, option, _ in OPTIONS],
)
def test_a_wrong_number_is_answered_with_its_option(
    run: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    path: str,
    option: str,
    parameter: click.Option,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DASHSCOPE_API_KEY", "sk-of-nobody")
    if path.startswith("batch"):
        Path("job.jsonl").write_text('{"prompt": "hello"}\n', encoding="utf-8")
        assert run("batch", "plan", "job.jsonl", "--out", "plan", "--no-report").code == 0
        Path("plan/results.jsonl").touch()
        Path("plan/failed").mkdir()
        Path("plan/failed/qwen-plus.jsonl").write_text('{"prompt": "hello"}\n', encoding="utf-8")
    beside = BESIDE.get(f"{path} {option}", BESIDE.get(path, ()))
    for value in values(path, option, parameter):
        ended = run(*path.split(), *beside, option, value, stdin=b"hello world")
        assert (ended.code, ended.out) == (2, ""), (value, ended.err)
        said = ended.err.splitlines()[-1]
        assert option in said, (value, said)
        if parameter.name and "_" in parameter.name:
            assert parameter.name not in said
    assert "Traceback" not in ended.err


def test_an_argument_is_one_option_for_all_subcommands() -> None:
    for path, command in commands(tokenfare):
        if " " in path or not path:
            continue
        called: dict[str, set[str]] = {}
        for _, below in commands(command):
            for parameter in below.params:
                if isinstance(parameter, click.Option):
                    called.setdefault(str(parameter.name), set()).add(parameter.opts[0])
        assert not [options for options in called.values() if len(options) > 1]


def test_other_words_are_left_as_they_are() -> None:
    route = tokenfare.get_command(click.Context(tokenfare), "route")
    assert route is not None
    for message in (
        "a.toml: profiles.x: 'max_output_tokens' is 0",
        'tools[0]: "max_output_tokens" is no tool',
        "body.max_output_tokens: 0; a number of at least 1 is expected",
        "deny nothing and allow all",
    ):
        assert argument_names.as_typed(message, route) == message
    both = "deny (a) refuses every model that allow (b) lets through"
    said = "--deny (a) refuses every model that --allow (b) lets through"
    assert argument_names.as_typed(both, route) == said
    said = "--max-output is 5, not max_output_tokens_2"
    assert argument_names.as_typed("max_output_tokens is 5, not max_output_tokens_2", route) == said


@pytest.mark.parametrize(
    ("option", "value"), [("--limit", "9" * 30), ("--answer-seconds", "9" * 30)]
)
def test_a_very_large_number_is_no_bug(run: Run, tmp_path: Path, option: str, value: str) -> None:
    job = tmp_path / "job.jsonl"
    job.write_text('{"prompt": "hello"}\n', encoding="utf-8")
    arguments = {
        "--limit": ("truncate",),
        "--answer-seconds": ("batch", "plan", str(job), "--out", str(tmp_path / "p")),
    }[option]
    beside = ("--deadline", "1h") if option == "--answer-seconds" else ()
    ended = run(*arguments, *beside, option, value, stdin=b"hello world")
    assert "Traceback" not in ended.err
    assert ended.out == ("hello world" if option == "--limit" else "")


def test_a_gateway_expects_no_more_than_its_room(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """An expected answer beyond the default room was refused, whatever --max-output said."""
    served = []
    monkeypatch.setattr(
        "tokenfare.cli.serve.serve", lambda gateway, *_, **__: served.append(gateway)
    )
    monkeypatch.setenv("DASHSCOPE_API_KEY", "sk-of-nobody")
    assert run("serve", "--expected-output", "2000").code == 0
    assert run("serve", "--expected-output", "2000", "--max-output", "5000").code == 0
    ended = run("serve", "--expected-output", "2000", "--max-output", "500")
    assert (ended.code, len(served)) == (2, 2)
    assert "--expected-output is 2,000; " in ended.err
    assert "--max-output, which is 500" in ended.err


def test_a_gateway_keeps_the_room_of_a_profile(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A default room was laid over that of profiles, and refused what they expect."""
    served: list[Gateway] = []
    monkeypatch.setattr(
        "tokenfare.cli.serve.serve", lambda gateway, *_, **__: served.append(gateway)
    )
    monkeypatch.setenv("DASHSCOPE_API_KEY", "sk-of-nobody")
    file = tmp_path / "profiles.toml"
    file.write_text(
        "[long]\nmax_output_tokens = 5000\nexpected_output_tokens = 2000\n"
        "[wide]\nmax_output_tokens = 5000\n[plain]\n"
    )
    assert run("serve", "--profiles", str(file)).code == 0
    assert run("serve", "--profiles", str(file), "--expected-output", "3000").code == 0
    assert run("serve", "--profiles", str(file), "--profile", "long").code == 0
    first, second, third = served

    def rooms(gateway: Gateway) -> dict[str, tuple[int, int | None]]:
        return {
            name: (profile.max_output_tokens, profile.expected_output_tokens)
            for name, profile in gateway.rules.profiles.items()
        }

    assert rooms(first) == {"long": (5000, 2000), "wide": (5000, None), "plain": (1000, None)}
    assert rooms(second) == {"long": (5000, 3000), "wide": (5000, 3000), "plain": (3000, 3000)}
    base = third.rules.base
    assert (base.max_output_tokens, base.expected_output_tokens) == (5000, 2000)

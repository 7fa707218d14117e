"""Every command and option that the pages name is there; the first page shows what comes out."""

import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from tokenfare.cli.main import tokenfare

ROOT = Path(__file__).parents[2]
PAGES = ["README.md", *sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md"))]


def named(page: str) -> Iterator[str]:
    """What follows `tokenfare` in blocks of commands, and in code within a sentence."""
    text = (ROOT / page).read_text(encoding="utf-8")
    blocks = re.findall(r"^```(?:console|sh)\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    for block in blocks:
        for line in block.replace("\\\n", " ").splitlines():
            command = re.match(r"(?:\$ )?(?:.* )?tokenfare ([a-z].*)", line)
            if command and (line.startswith("$ ") or "```sh" in text):
                yield command[1]
    prose = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    yield from re.findall(r"`(?:\w+=\S+ )?tokenfare ([a-z][^`]*)`", prose)


def words(command: str) -> list[str]:
    """Its words, up to the pipe, the comment or the next command."""
    first = re.split(r" [|;&#>]|…", command, maxsplit=1)[0]
    return shlex.split(first.replace("'", "").replace('"', ""))


@pytest.mark.parametrize("page", PAGES)
def test_commands_and_options_are_there(page: str) -> None:
    for line in named(page):
        context = click.Context(tokenfare)
        command: click.Command | None = tokenfare
        rest = words(line)
        while isinstance(command, click.Group) and rest and not rest[0].startswith("-"):
            found = command.get_command(context, rest[0])
            if found is None:
                break
            command, rest = found, rest[1:]
        assert command is not tokenfare, f"{page}: no command: tokenfare {line}"
        known = {option for each in command.params for option in (*each.opts, *each.secondary_opts)}
        for word in rest:
            option = word.partition("=")[0]
            if option.startswith("--") and len(option) > 2:
                assert option in known | {"--help"}, f"{page}: {option} in: tokenfare {line}"


def shown() -> list[tuple[str, list[str]]]:
    """The commands of the first page that ask nobody, each with what is printed below it."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    steps: list[tuple[str, list[str]]] = []
    for block in re.findall(r"^```console\n(.*?)^```", text, re.DOTALL | re.MULTILINE):
        for line in block.splitlines():
            if line.startswith("$ "):
                steps.append((line[2:], []))
            else:
                steps[-1][1].append(line)
    asked = re.compile(r"tokenfare (?:count|fit|route) ")
    return [(line, out) for line, out in steps if asked.match(line) and out]


def test_the_first_page_shows_what_comes_out(
    run: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    question = "Which model answers this for the least money?\n"
    Path("question.txt").write_text(question, encoding="utf-8")
    found = shown()
    assert len(found) == 4
    for line, expected in found:
        command = line.partition(" ; echo $?")[0]
        ended = run(*shlex.split(command)[1:])
        printed = [*(ended.out + ended.err).splitlines(), str(ended.code)]
        wanted = expected if "echo $?" in line else [*expected, "0"]
        pattern = r"\n".join(
            r"[\s\S]*" if each.strip() == "..." else re.escape(each) for each in wanted
        )
        assert re.fullmatch(pattern, "\n".join(printed)), f"{line}:\n" + "\n".join(printed)

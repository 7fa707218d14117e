"""The reference of the command line, read off the parser that runs."""

import re
from collections.abc import Iterator
from textwrap import dedent

import click

from tokenfare.cli.main import tokenfare

HELP = ("-h", "--help")


def page() -> str:
    """The page of every command, every option and every exit code."""
    lines = [
        "# Command line",
        "",
        "Text comes in by files or standard input (`-`), a table goes out for people and `--json`",
        "for programs, messages go to standard error. `tokenfare COMMAND --help` says what stands",
        "here; `python -m tokenfare` is the same command.",
        "",
        *_exit_codes(),
        "",
        "## Commands",
        "",
        "| command | what it does |",
        "|---|---|",
    ]
    found = list(every_command())
    for path, command in found[1:]:
        first = (command.help or "").strip().partition("\n")[0]
        lines.append(f"| [`{' '.join(path)}`](#{_anchor(path)}) | {_cell(first)} |")
    for path, command in found:
        lines += ["", *_command(path, command)]
    return "\n".join([*lines, ""])


def every_command(
    command: click.Command = tokenfare, path: tuple[str, ...] = ("tokenfare",)
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Each command with the words that call it, those of a group behind it."""
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command, info_name=path[-1])
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            if found is not None and not found.hidden:
                yield from every_command(found, (*path, name))


def exit_codes() -> dict[int, str]:
    """What each code means, in the words of `tokenfare --help`."""
    said = " ".join((tokenfare.help or "").partition("Exit codes:")[2].split())
    return {int(code): meaning for code, meaning in re.findall(r"(\d+) ([^,.]+)", said)}


def _exit_codes() -> Iterator[str]:
    yield from ("## Exit codes", "", "| code | means |", "|---|---|")
    yield from (f"| {code} | {meaning} |" for code, meaning in exit_codes().items())


def _command(path: tuple[str, ...], command: click.Command) -> Iterator[str]:
    words, context = " ".join(path), click.Context(command, info_name=" ".join(path))
    level = "##" if len(path) == 1 else "###"
    yield from (f"{level} {words} {{ #{_anchor(path)} }}", "")
    yield from _help(command)
    usage = " ".join(command.collect_usage_pieces(context))
    yield from ("", "```text", f"{words} {usage}", "```")
    options = [each for each in command.get_params(context) if isinstance(each, click.Option)]
    yield from ("", "| option | default | what it is |", "|---|---|---|")
    yield from (_option(option, context) for option in options if not option.hidden)


def _help(command: click.Command) -> Iterator[str]:
    r"""What the command says of itself; `\b` keeps the lines of a paragraph as they are."""
    for paragraph in dedent(command.help or "").strip().split("\n\n"):
        kept = paragraph.startswith("\b\n")
        lines = [line.strip() for line in paragraph.removeprefix("\b\n").splitlines()]
        yield from (["```text", *lines, "```"] if kept else [" ".join(lines)])
        yield ""


def _option(option: click.Option, context: click.Context) -> str:
    flags = [*option.opts, *option.secondary_opts]
    metavar = "" if option.is_flag or option.count else f" {option.make_metavar(context)}"
    written = ", ".join(f"`{flag}{metavar}`" for flag in flags)
    said = [(option.help or "").strip()]
    if option.envvar:
        said.append(f"From `{option.envvar}` if not given.")
    if option.required:
        said.append("Required.")
    return f"| {_cell(written)} | {_cell(_default(option, context))} | {_cell(' '.join(said))} |"


def _default(option: click.Option, context: click.Context) -> str:
    shown = option.get_help_extra(context).get("default")
    return f"`{shown}`" if shown else ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _anchor(path: tuple[str, ...]) -> str:
    return "-".join(path)

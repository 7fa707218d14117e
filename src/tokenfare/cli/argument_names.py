"""Names in the library's errors as the user typed them: `--max-output`, not `max_output_tokens`.

The library names an argument where its message is about one. A command's options have other names
for the same arguments, which click knows. An argument that a profile gave is named with the profile
instead. Other words of a message are left as they are, and so is what is about the content of a
file.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

import click

from tokenfare.errors import InvalidRequestError, TokenfareError

from . import exit_codes

_OF_PROFILE = f"{__name__}.of_profile"


def line_of(error: TokenfareError, command: click.Command | None) -> str:
    """The error on one line, with the options of `command` and its subcommands by their names.

    In a command it also knows which arguments `come_from_profile`.
    """
    line = exit_codes.line_of(error)
    if command is None or not isinstance(error, InvalidRequestError):
        return line
    start = exit_codes.line_of(InvalidRequestError(""))
    if line.startswith(f"{start}profile "):
        return line  # it is about what a profile says, and options were not typed for that
    context = click.get_current_context(silent=True)
    origins = {} if context is None else context.meta.get(_OF_PROFILE, {})
    return start + as_typed(line.removeprefix(start), command, origins)


def come_from_profile(profile: str, names: Iterable[str]) -> None:
    """Note for this command that a profile gave these arguments, and no others."""
    context = click.get_current_context(silent=True)
    if context is not None:
        shown = exit_codes.printable(profile)
        context.meta[_OF_PROFILE] = {name: f"{name} of profile {shown}" for name in names}


def as_typed(message: str, command: click.Command, origins: Mapping[str, str] | None = None) -> str:
    """A message with options where it names arguments, or with what `origins` says of them."""
    said = {**options_of(command), **(origins or {})}
    naming = "|".join(map(_naming, said))
    return re.sub(naming, lambda found: said[found[0]], message) if naming else message


def options_of(command: click.Command) -> dict[str, str]:
    """Argument -> option, for a command and its subcommands."""
    return {
        str(parameter.name): max(parameter.opts, key=len)
        for each in _with_subcommands(command)
        for parameter in each.params
        if isinstance(parameter, click.Option)
    }


def _with_subcommands(command: click.Command) -> Iterator[click.Command]:
    yield command
    if isinstance(command, click.Group):
        for each in command.commands.values():
            yield from _with_subcommands(each)


def _naming(name: str) -> str:
    """Where a message means the argument. `deny` and `seed` are ordinary words elsewhere in it."""
    if "_" in name:
        return rf"(?<![\w.'\"`-]){name}(?![\w\['\"`=-])"
    return rf"^{name}(?=: | is | are | and )|(?<= and ){name}(?= both )|(?:^|(?<= )){name}(?= \()"

"""The options that commands share: the request itself, and the requirements.

`fit`, `route` and `send` take a request by the same options, so that the request that was measured
is also the one that is routed and sent. `count` has the options that change the count.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any, TypedDict, TypeVar, cast, get_args

import click

from tokenfare.budget import DEFAULT_MAX_OUTPUT_TOKENS
from tokenfare.catalog import Access, Kind
from tokenfare.catalog.catalog import paths_in
from tokenfare.errors import InputError
from tokenfare.messages import Document, Prompt
from tokenfare.router import MODALITIES, RequirementOptions, Requirements
from tokenfare.router.requirement_options import written
from tokenfare.variables import given_by

from . import argument_names, inputs

_F = TypeVar("_F", bound=Callable[..., Any])

PROFILES_VARIABLE = "TOKENFARE_PROFILES"
"""The environment variable that names the file of profiles if `--profiles` does not."""


# Parameters of a request's body that have an option of their own, and that option.
_SAID_BY = {
    "messages": "--messages",
    "model": "--allow, or --model of `fit`,",
    "stream": "--stream of `send`",
    "max_tokens": "--max-output",
    "max_completion_tokens": "--max-output",
}


class ToolsAndParameters(TypedDict):
    """The tools and parameters of a request, as keyword arguments."""

    tools: list[Any] | None
    parameters: dict[str, Any] | None


def read_options(tools: str | None, parameters: str | None) -> ToolsAndParameters:
    """Read the tools and the parameters from their files."""
    return {
        "tools": None if tools is None else inputs.read_json(tools, list),
        "parameters": None if parameters is None else inputs.read_json(parameters, dict),
    }


@dataclass(frozen=True, slots=True)
class Given:
    """The options of a command: the request, and the requirements."""

    file: str | None
    messages: bool
    documents: tuple[str, ...]
    tools: str | None
    parameters: str | None
    as_of: date | None
    profile: str | None
    profiles: str | None
    requirements: RequirementOptions

    @classmethod
    def of(cls, **options: Any) -> Given:
        """Sort click's options. Requirements that were not given are left to the profile."""
        own = {n: options.pop(n, None) for n in cls.__dataclass_fields__ if n != "requirements"}
        requirements = {name: value for name, value in options.items() if is_set(value)}
        return cls(**own, requirements=cast("RequirementOptions", requirements))

    @property
    def source(self) -> str:
        """FILE, or standard input where none is given. An empty name stays one, and is refused."""
        return inputs.STANDARD_INPUT if self.file is None else self.file

    def files(self, *, with_text: bool) -> Iterator[str]:
        """The files that are read, also those of the catalogue that the environment names.

        With a text but no FILE, standard input is one of them.
        """
        profiles = self.profiles or os.environ.get(PROFILES_VARIABLE)
        text = self.source if with_text else None
        facts = paths_in(os.environ)
        named = (text, *self.documents, self.tools, self.parameters, profiles, *facts)
        yield from filter(None, named)

    def prompt(self) -> Prompt:
        """Read the request's text or messages."""
        return inputs.read_prompt(self.source, as_messages=self.messages)

    def attached(self) -> tuple[Document, ...]:
        """Read the documents: text, PDF or DOCX."""
        return tuple(map(inputs.read_document, self.documents))

    def options(self) -> ToolsAndParameters:
        """Read tools and parameters. Raises `InputError` for a parameter with its own option."""
        found = read_options(self.tools, self.parameters)
        for name in found["parameters"] or ():
            if name in _SAID_BY:
                says = f"{name!r} is not a parameter here; {_SAID_BY[name]} says it"
                raise InputError(self.parameters or "", says)
        return found

    def based_on(self) -> Requirements | None:
        """Read the profile from its file. Errors about what it says name it."""
        if self.profile is None:
            return None
        from tokenfare.router.profiles import profile_named

        with self._profiles_file() as path:
            if not path:
                raise click.UsageError(
                    "--profile needs a file of profiles: give --profiles or set "
                    f"{PROFILES_VARIABLE}"
                )
            profile = profile_named(self.profile, path)
        self._note(self.profile, profile)
        return profile

    def every_profile(self) -> Iterator[tuple[str, Requirements]]:
        """Read all profiles of the file, if there is one. Errors meanwhile name the one given."""
        from tokenfare.router.profiles import load_profiles

        with self._profiles_file() as path:
            found = load_profiles(path) if path else {}
        for name, profile in found.items():
            self._note(name, profile)
            yield name, profile
        if found:
            self._note(self.profile or "", found.get(self.profile or "", Requirements()))

    @contextmanager
    def _profiles_file(self) -> Iterator[str | None]:
        """The file of profiles, if there is one. Errors name the variable that names the file."""
        if self.profiles:
            yield self.profiles
        else:
            with given_by(PROFILES_VARIABLE):
                yield os.environ.get(PROFILES_VARIABLE)

    def _note(self, name: str, profile: Requirements) -> None:
        argument_names.come_from_profile(name, written(profile).keys() - self.requirements.keys())


def is_set(value: object) -> bool:
    """Whether an option was given. Zero is a value."""
    return value is not None and value is not False and value != ()


def options(function: _F) -> _F:
    """Add the shared argument and options to a command."""
    return _with((*_REQUEST, _ROOM, *_REQUIREMENTS), function)


def of_request(function: _F) -> _F:
    """Add only the options that describe the request."""
    return _with(_REQUEST, function)


def beside_messages(where: str = "") -> Callable[[_F], _F]:
    """Add only the options for tools and parameters; `where` is a prefix for their help."""
    return lambda function: _with(_beside(where), function)


def requirement_options(function: _F) -> _F:
    """Add only the options that are requirements."""
    return _with(_REQUIREMENTS, function)


def _with(added: Iterable[Callable[[Any], Any]], function: _F) -> _F:
    for add in reversed(tuple(added)):
        function = add(function)
    return function


def _number(flag: str, name: str, meaning: str) -> Callable[[Any], Any]:
    return click.option(flag, name, type=int, metavar="N", help=meaning)


def _patterns(flag: str, name: str, meaning: str) -> Callable[[Any], Any]:
    return click.option(
        flag, name, multiple=True, metavar="PAT", help=f"{meaning}; may be repeated."
    )


def _beside(where: str) -> tuple[Callable[[Any], Any], ...]:
    one = f"{where}a" if where else "A"
    return (
        click.option("--tools", metavar="FILE", help=f"{one} JSON array of tools."),
        click.option(
            "--parameters",
            metavar="FILE",
            help=f"{one} JSON object of other parameters: temperature, seed, ...",
        ),
    )


_REQUEST: tuple[Callable[[Any], Any], ...] = (
    click.argument("file", required=False, metavar="[FILE]"),
    click.option("--messages", is_flag=True, help="FILE is a JSON array of chat messages."),
    click.option(
        "--document",
        "documents",
        multiple=True,
        metavar="FILE",
        help="Attach a text, PDF or DOCX; may be repeated.",
    ),
    *_beside(""),
)

_ROOM = _number(
    "--max-output",
    "max_output_tokens",
    f"Room for the answer, in tokens (default: {DEFAULT_MAX_OUTPUT_TOKENS}).",
)

_REQUIREMENTS: tuple[Callable[[Any], Any], ...] = (
    _number(
        "--expected-output", "expected_output_tokens", "Compare fares by an answer of N tokens."
    ),
    _number("--cached", "cached_tokens", "Compare fares with N input tokens cached."),
    click.option("--thinking", is_flag=True, help="Let the model reason before it answers."),
    click.option(
        "--needs",
        type=inputs.Words(MODALITIES),
        default=(),
        metavar="M,...",
        help="Kinds of input needed: image, audio, video, file.",
    ),
    click.option("--purpose", metavar="P", help="What the model is for: code, math, ..."),
    _patterns("--allow", "allow", "Only models matching this pattern (qwen-*)"),
    _patterns("--deny", "deny", "No models matching this pattern"),
    _patterns("--family", "families", "Only families matching this pattern"),
    _patterns("--provider", "providers", "Only providers matching this pattern"),
    click.option(
        "--kind",
        "kinds",
        type=click.Choice(get_args(Kind)),
        multiple=True,
        help="Only model names of this kind; may be repeated.",
    ),
    click.option(
        "--access",
        type=click.Choice(get_args(Access)),
        multiple=True,
        help="Kinds of access to accept (default: paid and free); may be repeated.",
    ),
    click.option("--as-of", type=inputs.AsOf(), metavar="DATE", help="The day (default: today)."),
    click.option("--region", metavar="R", help="Only models served in this region."),
    click.option(
        "--currency", metavar="C", help="The currency to compare fares in (default: CNY)."
    ),
    click.option(
        "--max-fare",
        type=inputs.Amount(),
        metavar="N",
        help="The most that it may cost, in CNY or as '0.05 USD'.",
    ),
    _number("--min-headroom", "min_headroom", "Input tokens that must still fit in addition."),
    _number("--min-rpm", "min_requests_per_minute", "The least rate limit, in requests a minute."),
    _number("--min-tpm", "min_tokens_per_minute", "The least rate limit, in tokens a minute."),
    click.option("--unstated-limits", is_flag=True, help="Accept models with unknown limits."),
    click.option("--profile", metavar="NAME", help="Take defaults from this profile."),
    click.option(
        "--profiles", metavar="FILE", help=f"The file of profiles (default: ${PROFILES_VARIABLE})."
    ),
)

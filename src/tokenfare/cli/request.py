"""The options of a request that commands share: what it is, and what is asked of the model.

`fit`, `route` and `send` take the same request by the same words, so that what was measured is what
is routed, and what was routed is what is sent; `count` has those of them that it counts.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, TypedDict, TypeVar, cast, get_args

import click

from tokenfare.budget import DEFAULT_MAX_OUTPUT_TOKENS
from tokenfare.catalog import Access, Kind
from tokenfare.errors import InputError
from tokenfare.messages import Document, Prompt
from tokenfare.router import MODALITIES, RequirementOptions, Requirements, requirements_from

from . import inputs

_F = TypeVar("_F", bound=Callable[..., Any])

PROFILES_VARIABLE = "TOKENFARE_PROFILES"
"""Names the file of profiles where `--profiles` does not."""


# What a whole body of a request has besides, and which option says it.
_SAID_BY = {
    "messages": "--messages",
    "model": "--allow, or --model of `fit`,",
    "stream": "--stream of `send`",
    "max_tokens": "--max-output",
    "max_completion_tokens": "--max-output",
}


class ToolsAndParameters(TypedDict):
    """What a request says beside its messages, as the library's functions take it."""

    tools: list[Any] | None
    parameters: dict[str, Any] | None


def read_options(tools: str | None, parameters: str | None) -> ToolsAndParameters:
    """The tools and parameters of two files, read now."""
    return {
        "tools": inputs.read_json(tools, list) if tools else None,
        "parameters": inputs.read_json(parameters, dict) if parameters else None,
    }


@dataclass(frozen=True, slots=True)
class Given:
    """The options as given: what the request is, and what is asked of the model."""

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
        """Sort click's options; what was not given is left to the profile."""
        own = {n: options.pop(n, None) for n in cls.__dataclass_fields__ if n != "requirements"}
        requirements = {name: value for name, value in options.items() if _given(value)}
        return cls(**own, requirements=cast("RequirementOptions", requirements))

    def prompt(self) -> Prompt:
        """The request's text or messages, read now."""
        return inputs.read_prompt(self.file or inputs.STANDARD_INPUT, as_messages=self.messages)

    def attached(self) -> tuple[Document, ...]:
        """The documents, read now: text, PDF or DOCX."""
        return tuple(map(inputs.read_document, self.documents))

    def options(self) -> ToolsAndParameters:
        """Tools and parameters, read now. Raises `InputError` for one that an option says."""
        found = read_options(self.tools, self.parameters)
        for name in found["parameters"] or ():
            if name in _SAID_BY:
                says = f"{name!r} is not a parameter here; {_SAID_BY[name]} says it"
                raise InputError(self.parameters or "", says)
        return found

    def based_on(self) -> Requirements | None:
        """The profile, read now from its file."""
        if self.profile is None:
            return None
        from tokenfare.router.profiles import profile_named

        path = self.profiles or os.environ.get(PROFILES_VARIABLE)
        if not path:
            raise click.UsageError(
                f"--profile needs a file of profiles: give --profiles or set {PROFILES_VARIABLE}"
            )
        return profile_named(self.profile, path)

    def every_profile(self) -> Mapping[str, Requirements]:
        """All profiles of the file, read now, the options over each; none without a file."""
        path = self.profiles or os.environ.get(PROFILES_VARIABLE)
        if not path:
            return {}
        from tokenfare.router.profiles import load_profiles

        found = load_profiles(path)
        return {
            name: requirements_from(self.requirements, profile) for name, profile in found.items()
        }


def _given(value: object) -> bool:
    """Whether an option has a value of its own; zero is one."""
    return value is not None and value is not False and value != ()


def options(function: _F) -> _F:
    """Add the shared argument and options to a command."""
    return _with((*_REQUEST, _ROOM, *_ASKED), function)


def of_request(function: _F) -> _F:
    """Add only those that say what the request is."""
    return _with(_REQUEST, function)


def beside_messages(where: str = "") -> Callable[[_F], _F]:
    """Add only those of what stands beside messages; `where` begins what is said of them."""
    return lambda function: _with(_beside(where), function)


def asked_options(function: _F) -> _F:
    """Add only those that say what is asked of the model, whatever the request."""
    return _with(_ASKED, function)


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
            help=f"{one} JSON object of what else the provider takes: temperature, seed, ...",
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
        help="A text, PDF or DOCX to go along; may be repeated.",
    ),
    *_beside(""),
)

_ROOM = _number(
    "--max-output",
    "max_output_tokens",
    f"Room for the answer, in tokens (default: {DEFAULT_MAX_OUTPUT_TOKENS}).",
)

_ASKED: tuple[Callable[[Any], Any], ...] = (
    _number("--expected-output", "expected_output_tokens", "Compare by an answer of this length."),
    _number("--cached", "cached_tokens", "Compare as if so much input were in the cache."),
    click.option("--thinking", is_flag=True, help="The model is to reason before it answers."),
    click.option(
        "--needs",
        type=inputs.Words(MODALITIES),
        default=(),
        metavar="M,...",
        help="What the model must take: image, audio, video, file.",
    ),
    click.option("--purpose", metavar="P", help="What the model must be made for: code, math, ..."),
    _patterns("--allow", "allow", "Only ids like this (qwen-*)"),
    _patterns("--deny", "deny", "No ids like this"),
    _patterns("--family", "families", "Only families like this"),
    _patterns("--provider", "providers", "Only providers like this"),
    click.option(
        "--kind",
        "kinds",
        type=click.Choice(get_args(Kind)),
        multiple=True,
        help="Only names of this kind; may be repeated.",
    ),
    click.option(
        "--access",
        type=click.Choice(get_args(Access)),
        multiple=True,
        help="Kinds of access to accept (default: paid and free); may be repeated.",
    ),
    click.option("--as-of", type=inputs.AsOf(), metavar="DATE", help="The day (default: today)."),
    click.option("--region", metavar="R", help="Where the model must be served."),
    click.option("--currency", metavar="C", help="What fares are compared in (default: CNY)."),
    click.option(
        "--max-fare",
        type=inputs.Amount(),
        metavar="N",
        help="Ceiling on the fare's high end, in CNY or as '0.05 USD'.",
    ),
    _number("--min-headroom", "min_headroom", "Input tokens that must still fit."),
    _number("--min-rpm", "min_requests_per_minute", "Requests a minute that must be allowed."),
    _number("--min-tpm", "min_tokens_per_minute", "Tokens a minute that must be allowed."),
    click.option(
        "--unstated-limits", is_flag=True, help="Let models pass whose limits nobody states."
    ),
    click.option("--profile", metavar="NAME", help="What is asked where no option says otherwise."),
    click.option(
        "--profiles", metavar="FILE", help=f"The profiles' file (default: ${PROFILES_VARIABLE})."
    ),
)

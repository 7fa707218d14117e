"""The texts of published templates: around tools, and of the open models' chat templates.

They are data files with origin and licence, read on first use and without pydantic, since counting
needs them. Which model uses which wording is a fact of the model (`ToolRules.form`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from tokenfare.errors import InvalidRequestError

from .charging import ChatTemplate, ToolRules

DIRECTORY = Path(__file__).parent / "data" / "wording"


@dataclass(frozen=True, slots=True)
class ToolWording:
    """One published text that presents tools to a model.

    `text` contains `{definitions}` and `{names}`. `definition` is the text for one tool, with
    `{json}` or with `{name}`, `{description}` and `{parameters}`. `separator` is put between two
    definitions.
    """

    text: str
    definition: str
    separator: str


@dataclass(frozen=True, slots=True)
class PublishedTemplate:
    """The chat template of an open model, with its source and the day that it describes."""

    name: str
    chat: ChatTemplate
    tools: ToolRules | None
    source: str
    as_of: date


@cache
def tool_wording(name: str) -> ToolWording:
    """The wording of a form: a `ToolForm`, with `-english` and `-parallel` if it has them."""
    row = _read("tools.toml")[name]
    return ToolWording(row["text"], row["definition"], row["separator"])


@cache
def published_template(name: str) -> PublishedTemplate:
    """The published template of this name. Raises `InvalidRequestError` for an unknown one."""
    known = _read("templates.toml")
    row = known.get(name)
    if row is None:
        raise InvalidRequestError(f"no chat template is called {name!r}; known: {', '.join(known)}")
    chat = row["chat"] | {"json_mode": tuple(row["chat"]["json_mode"])}
    tools = row.get("tools")
    return PublishedTemplate(
        name,
        ChatTemplate(**chat),
        ToolRules(**(tools | {"certain": tuple(tools["certain"])})) if tools else None,
        f"{row['title']} ({row['where']})",
        row["as_of"],
    )


@cache
def _read(name: str) -> Mapping[str, Any]:
    import tomllib  # only for a request with tools

    return tomllib.loads((DIRECTORY / name).read_text(encoding="utf-8"))

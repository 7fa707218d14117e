"""The reference of the Python interface: a page for each use, and one for each public module."""

import importlib
import inspect
from collections.abc import Iterable
from dataclasses import dataclass

from .names import MODULES, Name, own, public, top


@dataclass(frozen=True)
class Group:
    """Names of `tokenfare` itself that belong on one page.

    `beside` is what else stands there: a heading, and what under it is taken from the code.
    """

    page: str
    title: str
    about: str
    names: tuple[str, ...]
    beside: tuple[str, str] | None = None


GROUPS = (
    Group(
        "counting",
        "Counting",
        "How many tokens a text or a request is. The guides: [counting](../counting.md), "
        "[requests](../requests.md).",
        (
            "count",
            "count_messages",
            "count_chats",
            "count_image",
            "read_document",
            "conversation",
            "get_tokenizer",
            "Count",
            "RequestCount",
            "Tokenizer",
            "Document",
        ),
    ),
    Group(
        "budgets",
        "Fitting and shortening",
        "Whether something fits, and what of it does. The guide: [budgets](../budgets.md).",
        ("fits", "Fit", "truncate", "split", "trim", "Trimmed", "TrimPolicy"),
    ),
    Group(
        "routing",
        "Routing",
        "The cheapest model that takes a request, and what it costs there. The guides: "
        "[routing](../routing.md), [the catalogue](../catalog.md).",
        (
            "route",
            "Requirements",
            "Decision",
            "Fare",
            "Money",
            "routing_table",
            "RoutingTable",
            "headroom",
            "to_record",
            "replay",
            "Catalog",
            "Model",
        ),
    ),
    Group(
        "calling",
        "Calling",
        "Sending a request to the model chosen for it. The guides: [chat](../chat.md), "
        "[dispatch](../dispatch.md), [spending](../spending.md).",
        ("Client", "AsyncClient", "Timeouts", "RetryPolicy", "Reply", "Usage"),
        ("The options of a client", "tokenfare.client.settings.settings"),
    ),
    Group(
        "errors",
        "Errors",
        "The errors that programs catch most; [all of them, and what to do](../errors.md).",
        (
            "TokenfareError",
            "NoModelFits",
            "UnknownModel",
            "CannotTrim",
            "CharacterTooLong",
            "ProviderError",
        ),
    ),
)


BARE = {"members": "false", "show_root_heading": "false", "show_root_toc_entry": "false"}


def pages() -> dict[str, str]:
    """All pages of the reference by their paths in the site."""
    names = {name.short: name for name in top()}
    found = {"api/index.md": _index(names)}
    for group in GROUPS:
        entries = [names[short] for short in group.names]
        found[f"api/{group.page}.md"] = _page(group, entries)
    for module in MODULES:
        found[f"api/tokenfare.{module}.md"] = _module(module)
    return found


def _index(names: dict[str, Name]) -> str:
    lines = [
        "# Python",
        "",
        "Every public name of `import tokenfare as tf`, and of the modules beside it.",
        "What does not stand here may change without notice.",
        "",
    ]
    for group in GROUPS:
        lines += [f"## [{group.title}]({group.page}.md)", ""]
        lines += [*_table(names[short] for short in group.names), ""]
    lines += ["## Modules", "", "| module | what it is |", "|---|---|"]
    for module in MODULES:
        said = _first(importlib.import_module(f"tokenfare.{module}"))
        lines.append(f"| [`tokenfare.{module}`](tokenfare.{module}.md) | {said} |")
    return "\n".join([*lines, ""])


def _module(module: str) -> str:
    path = f"tokenfare.{module}"
    mine = own(module)
    lines = [f"# {path}", "", f"::: {path}", *_options(**BARE)]
    lines += ["", *_table(public(module)), "", *_entries(mine)]
    return "\n".join(lines)


def _page(group: Group, entries: list[Name]) -> str:
    lines = [f"# {group.title}", "", group.about, "", *_table(entries), "", *_entries(entries)]
    if group.beside is not None:
        heading, what = group.beside
        lines += [f"## {heading}", "", f"::: {what}", *_options(**BARE), ""]
    return "\n".join(lines)


def _entries(names: Iterable[Name]) -> Iterable[str]:
    for name in names:
        if name.hidden:
            yield f'<a id="{name.path}"></a>\n'
        yield f"::: {name.anchor}"
        if inspect.isclass(name.value) and issubclass(name.value, BaseException):
            yield from _options(show_bases="true")
        yield ""


def _options(**options: str) -> Iterable[str]:
    yield "    options:"
    yield from (f"      {option}: {value}" for option, value in options.items())


def _table(names: Iterable[Name]) -> Iterable[str]:
    from .names import paths

    known = paths()
    yield from ("| name | what it is |", "|---|---|")
    for name in names:
        yield f"| [`{name.short}`][{known[name.path]}] | {_first(name.value)} |"


def _first(value: object) -> str:
    """The first sentence of what a thing says of itself; a number or a list shows itself."""
    said = inspect.getdoc(value) if _has_doc(value) else f"`{value!r}`"
    return (said or "").partition("\n")[0].replace("|", "\\|")


def _has_doc(value: object) -> bool:
    return inspect.ismodule(value) or inspect.isclass(value) or inspect.isroutine(value)

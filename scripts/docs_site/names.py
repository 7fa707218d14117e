"""The public names: which there are, where the reference has them, and links to it."""

import ast
import importlib
import inspect
import re
from dataclasses import dataclass
from pathlib import Path

import tokenfare

MODULES = (
    "batch",
    "budget",
    "catalog",
    "client",
    "dispatch",
    "emulator",
    "errors",
    "gateway",
    "ledger",
    "limiter",
    "messages",
    "router",
    "router.profiles",
    "testing",
    "tokenizers",
)
"""The submodules whose names are public, as the pages use them."""

SPAN = re.compile(r"(?<![`\[])`([A-Za-z_][\w.]*)(\([^`|]*\))?`(?![`\]])")


@dataclass(frozen=True)
class Name:
    """A public name: `path` as programs write it, `home` where it is defined."""

    path: str
    home: str

    @property
    def short(self) -> str:
        """The name alone."""
        return self.path.rpartition(".")[2]

    @property
    def value(self) -> object:
        """What has the name."""
        module, _, short = self.path.rpartition(".")
        return getattr(importlib.import_module(module), short)

    @property
    def hidden(self) -> bool:
        """Whether a file of the same name stands beside it, which its path leads to otherwise.

        `tokenfare.dispatch.chat` is a function, since the package binds that name after it has
        imported its file `chat.py`; a tool that reads only the files finds the file.
        """
        module, _, short = self.path.rpartition(".")
        folder = Path(inspect.getfile(importlib.import_module(module))).parent
        return self.path != self.home and any(
            (folder / name).exists() for name in (short, f"{short}.py")
        )

    @property
    def anchor(self) -> str:
        """What the reference knows it by."""
        return self.home if self.hidden else self.path


def public(module: str) -> list[Name]:
    """The public names of a submodule: functions, classes, others, each in its own order."""
    loaded = importlib.import_module(f"tokenfare.{module}")
    listed = getattr(loaded, "__all__", None) or _declared(Path(inspect.getfile(loaded)))
    names = [_named(f"tokenfare.{module}", short) for short in listed]
    if module == "errors":  # it has a helper for messages
        return [name for name in names if inspect.isclass(name.value)]
    return sorted(
        names, key=lambda name: (not inspect.isroutine(name.value), not inspect.isclass(name.value))
    )


def top() -> list[Name]:
    """The names of `tokenfare` itself that are no modules."""
    names = (_named("tokenfare", short) for short in tokenfare.__all__)
    return [name for name in names if not inspect.ismodule(name.value)]


def own(module: str) -> list[Name]:
    """Those of a submodule's names that `tokenfare` itself does not have."""
    tops = {name.home for name in top()}
    return [name for name in public(module) if name.home not in tops]


def everything() -> list[Name]:
    """Each public name once."""
    return [*top(), *(name for module in MODULES for name in own(module))]


def paths() -> dict[str, str]:
    """What prose calls a name, and the reference's anchor: `tf.count`, `Tokenizer.count_batch`."""
    found: dict[str, str] = {}
    short: dict[str, set[str]] = {}
    for name in everything():
        said = {name.path, name.path.replace("tokenfare.", "tf.", 1)}
        for each in said:
            found[each] = name.anchor
        if inspect.isfunction(name.value) and "_" in name.short:
            short.setdefault(name.short, set()).add(name.anchor)
        if inspect.isclass(name.value):
            short.setdefault(name.short, set()).add(name.anchor)
            for member, value in vars(name.value).items():
                if _documented(member, value):
                    short.setdefault(f"{name.short}.{member}", set()).add(f"{name.anchor}.{member}")
    for module in MODULES:
        for name in public(module):
            found.setdefault(name.path, _anchor_of(name))
    return found | {each: anchors.pop() for each, anchors in short.items() if len(anchors) == 1}


def linked(text: str, known: dict[str, str]) -> str:
    """The text with links to the reference where it says a public name as code; headings aside."""
    from .staging import outside_code

    def link(match: re.Match[str]) -> str:
        anchor = known.get(match[1])
        return match[0] if anchor is None else f"[{match[0]}][{anchor}]"

    def prose(part: str) -> str:
        return "\n".join(
            line if line.startswith("#") or "](" in line else SPAN.sub(link, line)
            for line in part.split("\n")
        )

    return outside_code(text, prose)


def _anchor_of(name: Name) -> str:
    return next((top_.anchor for top_ in top() if top_.home == name.home), name.anchor)


def _documented(member: str, value: object) -> bool:
    callable_ = inspect.isfunction(value) or isinstance(value, property | classmethod)
    return callable_ and not member.startswith("_") and bool(value.__doc__)


def _named(module: str, short: str) -> Name:
    value = getattr(importlib.import_module(module), short)
    home = getattr(value, "__module__", None) if callable(value) else None
    defined = home and home.startswith("tokenfare") and getattr(value, "__name__", "") == short
    path = f"{module}.{short}"
    return Name(path, f"{home}.{short}" if defined else path)


def _declared(path: Path) -> list[str]:
    """What a file without a list shows: its own public names, and `from x import y as y`."""
    names = []
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.ImportFrom):
            names += [alias.name for alias in node.names if alias.asname == alias.name]
        elif isinstance(node, ast.ClassDef | ast.FunctionDef) and not node.name.startswith("_"):
            names.append(node.name)
    return names

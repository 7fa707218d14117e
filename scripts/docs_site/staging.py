"""All pages of the site as Markdown in one folder: those that people write, and those made here."""

import ast
import os
import re
import shutil
from fnmatch import fnmatch
from importlib.metadata import version
from pathlib import Path

from . import commands, models, names, reference

CODE = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\]\(([^)\s]+)\)")
STARRED = re.compile(r'"(\w+/[\w.]*\*)"')
# Files of the repository that are pages of the site under another name.
PAGES = {
    "README.md": "index.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "examples/README.md": "examples/index.md",
}


def stage(root: Path, build: Path) -> None:
    """Write every page into `build/docs`, and the tool's configuration beside it."""
    out = build / "docs"
    shutil.rmtree(out, ignore_errors=True)
    written = {
        **reference.pages(),
        **models.pages(),
        "commands.md": commands.page(),
    }
    examples = sorted((root / "examples").glob("*.py"))
    written |= {f"examples/{path.stem}.md": example(path) for path in examples}
    known = names.paths()
    for page, text in written.items():
        _write(out / page, names.linked(text, known) if page == "commands.md" else text)
    for path in sorted((root / "docs").iterdir()):
        if path.suffix == ".md":
            text = moved(path.read_text("utf-8"), root, f"docs/{path.name}", path.name, out)
            _write(out / path.name, names.linked(text, known))
        else:
            shutil.copy(path, out / path.name)
    for source, page in PAGES.items():
        if page != "index.md":
            text = moved((root / source).read_text("utf-8"), root, source, page, out)
            _write(out / page, names.linked(text, known))

    shutil.copy(Path(__file__).parent / "site.css", out)
    config = (Path(__file__).parent / "zensical.toml").read_text("utf-8")
    config = config.replace("../src", os.path.relpath(root / "src", build))
    config = config.replace("VERSION", version("tokenfare"))
    config = STARRED.sub(lambda star: _listed(out, star[1], config), config)
    (build / "zensical.toml").write_text(config, "utf-8")


def _listed(out: Path, pattern: str, config: str) -> str:
    """The pages of a pattern as the configuration lists them, but for those of a longer one."""
    folder = pattern.partition("/")[0]
    others = [each for each in STARRED.findall(config) if len(each) > len(pattern)]
    pages = [f"{folder}/{path.name}" for path in sorted((out / folder).glob("*.md"))]
    pages = [
        page
        for page in pages
        if fnmatch(page, pattern)
        and f'"{page}"' not in config
        and not any(fnmatch(page, each) for each in others)
    ]
    pages.sort(key=lambda page: not page.endswith("/index.md"))
    return ", ".join(f'"{page}"' for page in pages)


def example(path: Path) -> str:
    """An example as a page: what it says of itself, and its code."""
    code = path.read_text("utf-8")
    module = ast.parse(code)
    first, _, rest = (ast.get_docstring(module) or "").partition("\n")
    below = "\n".join(code.split("\n")[module.body[0].end_lineno :]).strip()
    return f"# {path.name}\n\n{first}\n\n{rest}\n\n```python\n{below}\n```\n"


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")


def moved(text: str, root: Path, source: str, page: str, out: Path) -> str:
    """The text of a file with its links as they are from the page; files go along.

    A link to a file is one to a page where there is one; other files are copied into the site, so
    that it needs nothing beside itself.
    """

    def link(match: re.Match[str]) -> str:
        target, hash_, anchor = match[1].partition("#")
        if "://" in target or not target:
            return match[0]
        path = os.path.normpath(Path(source).parent / target)
        if not (root / path).is_file():
            raise FileNotFoundError(f"{source}: there is no {path}")
        to = _page_of(path)
        if to == path and not (out / path).exists():
            (out / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(root / path, out / path)
        return f"]({os.path.relpath(to, Path(page).parent)}{hash_}{anchor})"

    return outside_code(text, lambda prose: LINK.sub(link, prose))


def _page_of(path: str) -> str:
    """Where a file of the repository is in the site."""
    if path in PAGES:
        return PAGES[path]
    if path.startswith("docs/"):
        return path.removeprefix("docs/")
    if path.startswith("examples/") and path.endswith(".py"):
        return f"{path.removesuffix('.py')}.md"
    return path


def outside_code(text: str, change) -> str:  # noqa: ANN001
    """The text with its prose changed, and its blocks of code as they are."""
    parts, at = [], 0
    for block in CODE.finditer(text):
        parts += [change(text[at : block.start()]), block[0]]
        at = block.end()
    return "".join([*parts, change(text[at:])])

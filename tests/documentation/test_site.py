"""The site as it is built: complete, without a broken link, and without a network."""

import importlib.util
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from click.testing import CliRunner

import docs_site
from docs_site import commands, names
from tokenfare.cli.main import tokenfare


class Page(HTMLParser):
    """What a page links to, what it loads, and the places in it."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.places: set[str] = set()
        self.feed(path.read_text("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value for name, value in attrs if value is not None}
        self.places |= {given[name] for name in ("id", "name") if name in given}
        if "src" in given:
            self.loaded.append(given["src"])
        if "href" in given and tag == "a":
            self.links.append(given["href"])
        elif "href" in given and given.get("rel") not in {"canonical", "next", "prev"}:
            self.loaded.append(given["href"])


@pytest.fixture(scope="session")
def pages(site: Path) -> dict[Path, Page]:
    return {path: Page(path) for path in site.rglob("*.html")}


def test_no_link_is_broken(site: Path, pages: dict[Path, Page]) -> None:
    broken = [
        f"{path.relative_to(site)}: {link}"
        for path, page in pages.items()
        for link in page.links
        if path.name != "404.html" and not leads_somewhere(path, link, pages)
    ]
    assert broken == []
    assert len(pages) > 60
    assert sum(len(page.links) for page in pages.values()) > 3_000


def leads_somewhere(path: Path, link: str, pages: dict[Path, Page]) -> bool:
    to = urlsplit(link)
    if to.scheme:
        return to.scheme in {"http", "https"}
    target = (path.parent / unquote(to.path)).resolve() if to.path else path
    if not target.is_file():
        return False
    return not to.fragment or target not in pages or unquote(to.fragment) in pages[target].places


def test_nothing_is_loaded_from_a_network(site: Path, pages: dict[Path, Page]) -> None:
    loaded = [each for page in pages.values() for each in page.loaded]
    assert len(loaded) > len(pages)
    assert {each for each in loaded if urlsplit(each).scheme or urlsplit(each).netloc} == set()
    styles = "".join(path.read_text("utf-8") for path in site.rglob("*.css"))
    assert styles
    assert re.findall(r"(?:url\(|@import)\s*[\"']?(?:https?:)?//", styles) == []


def test_every_public_name_stands_in_the_reference(pages: dict[Path, Page]) -> None:
    reference = [page for path, page in pages.items() if path.parent.name == "api"]
    places = {place for page in reference for place in page.places}
    known = names.everything()
    assert len(known) > 250
    assert [name.path for name in known if name.path not in places] == []


def test_every_command_and_option_stands_in_the_reference(site: Path) -> None:
    """Held to what each command's own `--help` prints, not to what the page is made of."""
    text = re.sub(r"<[^>]*>", "", (site / "commands.html").read_text("utf-8"))
    parts = re.split(r"^\s*(tokenfare[a-z ]*)&para;\s*$", text, flags=re.MULTILINE)
    said = dict(zip(parts[1::2], parts[2::2], strict=True))
    paths = [path for path, _ in commands.every_command()]
    options = {
        (" ".join(path), flag)
        for path in paths
        for line in re.findall(r"^  ((?:-\w, )?--\S+)", help_of(path), re.MULTILINE)
        for flag in line.split(", ")
    }
    assert len(options) > 250
    assert {(path, flag) for path, flag in options if flag not in said.get(path, "")} == set()
    for path in paths:
        listed = help_of(path).partition("Commands:\n")[2]
        for line in re.findall(r"^  ([a-z]+)", listed, re.MULTILINE):
            assert " ".join((*path, line)) in said


def help_of(path: tuple[str, ...]) -> str:
    return CliRunner().invoke(tokenfare, [*path[1:], "--help"], terminal_width=200).output


@pytest.mark.skipif(importlib.util.find_spec("zensical") is None, reason="needs tokenfare[docs]")
@pytest.mark.parametrize("link", ["[x](nowhere.md)", "[x](#nowhere)", "[x][tokenfare.nowhere]"])
def test_a_broken_link_ends_the_build(link: str, tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "index.md").write_text(f"# A page\n\n{link}\n", "utf-8")
    config = (Path(docs_site.__file__).parent / "zensical.toml").read_text("utf-8")
    config = re.sub(r"^nav = .*?^\]", "", config, flags=re.DOTALL | re.MULTILINE)
    (tmp_path / "zensical.toml").write_text(config, "utf-8")
    command = [sys.executable, "-m", "zensical", "build", "--strict"]
    built = subprocess.run(
        command,
        cwd=tmp_path,
        env=docs_site.environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode != 0
    assert "1 issue found" in built.stderr

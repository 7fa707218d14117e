"""The documentation as a site, in two steps: the pages are put together, then a tool builds them.

Markdown goes into `build/docs`: copies of the pages of `docs/`, and what the code itself can tell
(the API, the command line, the catalogue, the examples), so that none of it can be out of date.
Zensical makes `build/site` of it. Nothing is loaded from the network, when it is built or when it
is read, and the site can be opened as files.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from .staging import stage

SHIM = "https://unpkg.com/iframe-worker/shim"
"""What the builder has pages load to search without a server; a file of the site stands for it."""


def build(root: Path, folder: Path) -> int:
    """Build the site of a repository in `folder/site`; any warning is a failure."""
    folder.mkdir(parents=True, exist_ok=True)
    stage(root, folder)
    site = folder / "site"
    shutil.rmtree(site, ignore_errors=True)
    command = [sys.executable, "-m", "zensical", "build", "--strict", "--clean"]
    built = subprocess.run(command, cwd=folder, env=environment(), check=False)
    if built.returncode == 0:
        _as_files(site)
    return built.returncode


def environment() -> dict[str, str]:
    """The environment for the builder, in which it finds `docs_site.docstrings`."""
    return {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}


def _as_files(site: Path) -> None:
    """Make the site whole without a network and without a server."""
    shutil.copy(Path(__file__).parent / "worker.js", site / "assets")
    for page in site.rglob("*.html"):
        top = os.path.relpath(site, page.parent)
        text = page.read_text("utf-8").replace(SHIM, f"{top}/assets/worker.js")
        # The logo leads to a folder, for which a server gives its index.
        page.write_text(text.replace(f'href="./{top}"', f'href="{top}/index.html"'), "utf-8")

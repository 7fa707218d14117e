"""The site, built once for all workers of a run."""

import fcntl
import importlib.util
import os
from pathlib import Path

import pytest

import docs_site

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its folder; without the extra `docs`, what needs it is skipped."""
    if importlib.util.find_spec("zensical") is None:
        pytest.skip("needs tokenfare[docs]")
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base) / "documentation"
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "built").exists():
            assert docs_site.build(ROOT, folder / "build") == 0
            (folder / "built").touch()
    return folder / "build" / "site"

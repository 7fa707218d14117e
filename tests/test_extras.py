"""Optional packages: what is said of one that is missing, and of an import that is interrupted."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tokenfare.errors import MissingExtra
from tokenfare.extras import required


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


def test_a_package_that_is_missing_is_named_with_the_extra_that_installs_it() -> None:
    with pytest.raises(MissingExtra, match=r"a thing needs nowhere, which is not .*\[batch\]'"):
        required("nowhere.inside", "a thing", "batch")


def test_an_interrupted_import_is_an_interrupt_and_no_missing_package(folder: Path) -> None:
    """So C++ modules pass on Ctrl-C while they are initialized: as the cause of an ImportError."""
    source = "raise ImportError('initialization failed') from KeyboardInterrupt()\n"
    (folder / "half_initialized.py").write_text(source, encoding="utf-8")
    with pytest.raises(KeyboardInterrupt):
        required("half_initialized", "a thing", "batch")
    assert "half_initialized" not in sys.modules

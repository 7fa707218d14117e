"""The modules of each crate import no others in a circle, as import-linter asks of the package."""

import re
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

CRATES = Path(__file__).parents[1] / "crates"

#: A path in an import or in code, and the names in braces behind it.
PATH = re.compile(r"\b((?:crate|super)(?:::\w+)*)(?:::\{([^;]*)\})?")
LEFT_OUT = re.compile(r"\(super\)|#\[cfg\(test\)\]\s*(?:mod tests \{.*|[^;{]*;)", re.DOTALL)


def imports(src: Path) -> dict[str, set[str]]:
    """The modules of a crate without its root, each with those that it names."""
    files = [file.relative_to(src) for file in src.rglob("*.rs") if "tests" not in file.parts]
    modules = {"::".join(file.with_suffix("").parts): src / file for file in files}
    return {
        name: named(path.read_text(encoding="utf-8"), name, set(modules)) - {name}
        for name, path in modules.items()
        if name not in {"lib", "tests"}
    }


def named(text: str, module: str, modules: set[str]) -> set[str]:
    found = set()
    text = LEFT_OUT.sub("", re.sub(r"//.*", "", text))
    for match in PATH.finditer(text):
        for name in re.split(r"[{},\s]+", match[2] or ""):
            parts = [*match[1].split("::"), *name.split("::")]
            above = parts.count("super")
            start = module.split("::")[:-above] if above else []
            steps = start + parts[max(above, 1) :]
            inner = ("::".join(steps[:i]) for i in range(len(steps), 0, -1))
            found.add(next((path for path in inner if path in modules), module))
    return found


@pytest.mark.parametrize("crate", ["tokenfare-bpe", "tokenfare-jobs", "tokenfare-python"])
def test_no_modules_import_one_another_in_a_circle(crate: str) -> None:
    graph = imports(CRATES / crate / "src")
    assert sum(map(len, graph.values())) > len(graph), "hardly an import was found"
    list(TopologicalSorter(graph).static_order())


def test_a_circle_is_found_however_its_modules_are_named(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    (tmp_path / "lib.rs").write_text("mod inner; mod other;")
    (tmp_path / "inner.rs").write_text("mod deep;\nuse crate::other::{Kind, inside::Other};")
    (tmp_path / "inner" / "deep.rs").write_text("pub(super) fn f() {}\nuse super::Name; // no more")
    (tmp_path / "other.rs").write_text("//! See crate::inner.\n#[cfg(test)]\nuse crate::inner::T;")
    assert imports(tmp_path) == {"inner": {"other"}, "inner::deep": {"inner"}, "other": set()}
    list(TopologicalSorter(imports(tmp_path)).static_order())
    for circle in (
        "fn f() -> crate::inner::deep::Name {}",
        "use crate::inner::deep::{Name};",
        "use crate::{Kind, inner::{deep, T}};",
        "use super::{Kind, inner::deep};",
    ):
        (tmp_path / "other.rs").write_text(circle)
        with pytest.raises(CycleError, match="other"):
            list(TopologicalSorter(imports(tmp_path)).static_order())

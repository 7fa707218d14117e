"""What the pages must say, held to the code: names, errors, exit codes, variables, models."""

import ast
import inspect
import re
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner

import tokenfare
from docs_site import commands, models, names, reference, staging
from tokenfare import errors
from tokenfare.cli import exit_codes
from tokenfare.cli.main import tokenfare as command

ROOT = Path(__file__).parents[2]
# Words in capitals that are no variables.
NO_VARIABLES = {"HTTP_STATUS"}
# What httpx and transformers read by themselves, so that no line of this library names it.
READ_BY_OTHERS = {"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"}


def page(name: str) -> str:
    return (ROOT / "docs" / name).read_text("utf-8")


def first_cells(text: str) -> list[str]:
    return re.findall(r"^\| (.*?) \|", text, re.MULTILINE)


def test_the_map_of_the_layers_is_the_one_that_the_linter_holds() -> None:
    """`__main__` is no part of the map; what is in brackets may be there or not."""
    rules = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]
    (whole,) = (each for each in rules["contracts"] if each.get("containers") == ["tokenfare"])
    held = [set(re.findall(r"\w+", line)) for line in whole["layers"] if "__main__" not in line]
    drawn = re.search(r"```text\n(.*?)```", page("architecture.md"), re.DOTALL)
    assert drawn is not None
    lines = drawn[1].replace("(native)", "").splitlines()
    assert [set(line.split()) for line in lines] == held
    rows = re.findall(r"^\| `(\w+)` \|", page("architecture.md"), re.MULTILINE)
    assert set(rows) == set().union(*held) - {"_core"}
    listed = re.search(
        r"^src/tokenfare/ +(.*)$", (ROOT / "README.md").read_text("utf-8"), re.MULTILINE
    )
    assert listed is not None
    named = [set(re.findall(r"\w+", layer)) for layer in listed[1].split(" / ")]
    assert named == [layer - {"_core"} for layer in held]


def test_every_place_that_contributors_are_sent_to_is_there() -> None:
    table = (ROOT / "CONTRIBUTING.md").read_text("utf-8").split("## Where things go")[1]
    words = re.findall(r"`([\w./-]+)`", table.split("\n## ")[0])
    paths = [word for word in words if "/" in word and "NAME" not in word]
    assert len(paths) > 30
    for path in paths:
        assert (ROOT / path).exists() or (ROOT / "src/tokenfare" / path).exists(), path


def test_the_parts_of_the_catalogue_on_its_page_are_its_modules() -> None:
    table = page("catalog.md").split("## The parts of the code")[1]
    listed = [name for cell in first_cells(table) for name in re.findall(r"`(\w+)`", cell)]
    package = ROOT / "src/tokenfare/catalog"
    modules = [path.stem for path in package.glob("*.py") if path.stem != "__init__"]
    assert sorted(listed) == sorted([*modules, "imports"])


def test_every_name_of_the_package_is_in_one_group_of_the_reference() -> None:
    grouped = [name for group in reference.GROUPS for name in group.names]
    assert sorted(grouped) == sorted(set(tokenfare.__all__) - set(names.MODULES))


def test_every_name_that_pages_and_examples_import_is_in_the_reference() -> None:
    pages = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    blocks = [
        block
        for path in pages
        for block in re.findall(
            r"^```python\n(.*?)^```", path.read_text("utf-8"), re.DOTALL | re.MULTILINE
        )
    ]
    blocks += [path.read_text("utf-8") for path in (ROOT / "examples").glob("*.py")]
    imported = {
        f"{module}.{name.strip()}"
        for block in blocks
        for module, listed in re.findall(
            r"^ *from (tokenfare[\w.]*) import ([\w, ]+)", block, re.MULTILINE
        )
        for name in listed.split(",")
    }
    assert len(imported) > 20
    assert imported - set(names.paths()) == set()


@pytest.mark.parametrize("module", names.MODULES)
def test_every_public_name_of_a_module_is_explained(module: str) -> None:
    found = names.public(module)
    told = [each for each in found if inspect.isclass(each.value) or inspect.isroutine(each.value)]
    assert told
    assert [each.path for each in told if not inspect.getdoc(each.value)] == []


def test_docstrings_speak_of_the_arguments_that_there_are(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """As the reference reads them; what it cannot place it says in the log, and goes on."""
    griffe = pytest.importorskip("griffe", reason="needs tokenfare[docs]")
    package = griffe.load("tokenfare", search_paths=[str(ROOT / "src")])
    left, parsed = [package], 0
    with caplog.at_level("DEBUG", logger="griffe"):
        while left:
            thing = left.pop()
            left += [each for each in thing.members.values() if not each.is_alias]
            if thing.docstring is not None:
                thing.docstring.parse("google")
                parsed += 1
    assert parsed > 2_000
    said = [each.getMessage() for each in caplog.records if "No type" not in each.getMessage()]
    assert [each for each in said if "does not appear" in each or "Failed" in each] == []


def test_every_variable_that_is_read_is_on_the_page_and_no_other() -> None:
    said = {
        name for cell in first_cells(page("settings.md")) for name in re.findall(r"`(\w+)`", cell)
    }
    assert {name for name in said if name.isupper()} - READ_BY_OTHERS == variables_in_the_code()


def variables_in_the_code() -> set[str]:
    """Texts of the source that look like a variable's name, and the catalogue's key variables."""
    catalog = tokenfare.Catalog.load(())
    keys = {catalog.provider(model.provider).key_variable for model in catalog.models(all=True)}
    texts, named = set(), set()
    for path in (ROOT / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                texts |= set(re.findall(r"^[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+$", node.value))
            elif isinstance(node, ast.Name):
                named.add(node.id)
    return {*texts, *filter(None, keys)} - named - NO_VARIABLES


def test_every_error_is_on_the_page_with_its_exit_code() -> None:
    text = page("errors.md").partition("## Exit codes")[0]
    before, _, provider = text.partition("## From the provider")
    rows = dict(re.findall(r"^\| `(\w+)` \|.*\| (\d) \|$", before, re.MULTILINE))
    rows |= dict.fromkeys(re.findall(r"^\| `(\w+)` \|", provider, re.MULTILINE), "4")
    known = {
        name: error
        for name, error in vars(errors).items()
        if isinstance(error, type) and issubclass(error, errors.TokenfareError)
    }
    roots = {"TokenfareError", "ProviderError"}
    assert set(rows) == set(known) - roots
    codes = {name: str(exit_codes.code_of(known[name].__new__(known[name]))) for name in rows}
    assert rows == codes


def test_the_exit_codes_that_help_names_are_those_that_there_are() -> None:
    constants = {
        value
        for name, value in vars(exit_codes).items()
        if name.isupper() and isinstance(value, int)
    }
    assert set(commands.exit_codes()) == constants


def test_every_model_is_on_the_overview_and_on_its_familys_page() -> None:
    made = models.pages()
    overview = made["models/index.md"]
    served, _, retired = overview.partition("## Retired")
    catalog = models.catalog()
    for model in catalog.models(all=True):
        assert f"\n| [{model.id}](" in (retired if model.status == "retired" else served)
        assert f"\n## {model.id} {{" in made[f"models/{model.family}.md"]
    assert len(catalog.models(all=True)) > 90


def test_a_models_row_has_its_limits_and_prices() -> None:
    """As the provider's list of April 2026 prints them, a million tokens each."""
    (row,) = re.findall(r"^\| \[qwen-plus\]\(.*$", models.pages()["models/index.md"], re.MULTILINE)
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells[1:7] == ["1,000,000", "997,952", "32,768", "0.8+", "2+", "paid"]


@pytest.mark.parametrize(("name", "lines"), [("start.md", 2), ("counting.md", 2)])
def test_what_a_page_says_comes_out_comes_out(name: str, lines: int) -> None:
    given = {
        "tf": tokenfare,
        "messages": [{"role": "user", "content": "Why is the sky blue?"}],
    }
    said = re.findall(r"^(tf\..+?)  +# (Count\(.*\)|\d+)(?=:|$)", page(name), re.MULTILINE)
    assert len(said) == lines
    for expression, value in said:
        assert repr(eval(expression, given)) == value  # noqa: S307 - this repository's own text


def test_the_refusal_on_the_page_of_errors_is_what_is_said(
    capsys: pytest.CaptureFixture[str],
) -> None:
    block = re.findall(r"^```python\n(.*?)^```", page("errors.md"), re.DOTALL | re.MULTILINE)[0]
    exec(block, {})  # noqa: S102 - as above
    assert capsys.readouterr().out == block.rpartition("# ")[2]


def test_the_picture_of_fares_is_what_the_command_draws(tmp_path: Path) -> None:
    drawn = tmp_path / "fares.svg"
    arguments = ["route", "--svg", str(drawn), "--as-of", "2024-12-18"]
    assert CliRunner().invoke(command, arguments).exit_code == 0
    assert drawn.read_text("utf-8") == page("fares.svg")


def test_links_to_files_that_are_not_there_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"there is no docs/nowhere\.md"):
        staging.moved("[x](nowhere.md)", ROOT, "docs/index.md", "index.md", tmp_path)


def test_names_are_linked_in_prose_and_left_alone_in_code_and_headings() -> None:
    known = {"tf.count": "tokenfare.count"}
    text = "# `tf.count`\n\n`tf.count(text)` and `tf.cont`\n\n```python\n`tf.count`\n```\n"
    assert names.linked(text, known) == (
        "# `tf.count`\n\n[`tf.count(text)`][tokenfare.count] and `tf.cont`\n\n"
        "```python\n`tf.count`\n```\n"
    )


def test_the_reference_shows_how_a_count_is_made() -> None:
    """Its reader knows a dataclass by where the decorator is imported from (`late_dataclass`)."""
    griffe = pytest.importorskip("griffe", reason="needs tokenfare[docs]")
    package = griffe.load(
        "tokenfare", search_paths=[str(ROOT / "src")], extensions=griffe.load_extensions()
    )
    made_of = [each.name for each in package["tokenizers.count.Count"].parameters]
    assert made_of == ["self", "value", "low", "high", "how"]

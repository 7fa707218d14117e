"""A command never writes over a file that it reads, whatever the file is called."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]

LIST = '{"dashscope/qwen-plus": {"litellm_provider": "dashscope", "mode": "chat"}}'


@pytest.fixture(params=["itself", "another way", "a symbolic link", "a hard link"])
def called(request: pytest.FixtureRequest) -> Callable[[str], str]:
    """Another name for a file."""

    def called(name: str) -> str:
        link = f"link-{name}"
        if request.param == "a symbolic link":
            Path(link).symlink_to(name)
        elif request.param == "a hard link":
            os.link(name, link)
        else:
            return name if request.param == "itself" else f"./{name}"
        return link

    return called


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_an_import_does_not_overwrite_the_list_that_it_reads(
    run: Run, called: Callable[[str], str]
) -> None:
    Path("list.json").write_text(LIST, encoding="utf-8")
    out = called("list.json")
    ended = run("catalog", "import", "litellm", "list.json", "--out", out)
    assert (ended.code, ended.out) == (2, "")
    assert f"--out: {Path(out)} is read by this command (list.json)" in ended.err
    assert "name another file" in ended.err
    assert Path("list.json").read_text(encoding="utf-8") == LIST


def test_an_import_of_a_folder_does_not_overwrite_a_file_in_it(run: Run) -> None:
    Path("models.dev").mkdir()
    inside = Path("models.dev/api.json")
    inside.write_text("{}", encoding="utf-8")
    ended = run("catalog", "import", "models-dev", "models.dev", "--out", str(inside))
    assert (ended.code, inside.read_text(encoding="utf-8")) == (2, "{}")
    assert "--out: models.dev/api.json is read by this command" in ended.err


@pytest.mark.parametrize("option", [(), ("--document",), ("--tools",), ("--profiles",)])
def test_a_drawing_does_not_overwrite_what_is_routed(
    run: Run, called: Callable[[str], str], option: tuple[str, ...]
) -> None:
    content = "[]" if option == ("--tools",) else "a = 1"
    Path("mine").write_text(content, encoding="utf-8")
    beside = () if option in {(), ("--document",)} else ("--tokens", "5")
    if option == ("--tools",):
        Path("text").write_text("hello", encoding="utf-8")
        beside = ("text",)
    out = called("mine")
    ended = run("route", *beside, *option, "mine", "--svg", out)
    assert (ended.code, ended.out) == (2, "")
    assert f"--svg: {out} is read by this command (mine)" in ended.err
    assert Path("mine").read_text(encoding="utf-8") == content


def test_a_drawing_does_not_overwrite_the_catalogue(
    run: Run, called: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("mine.toml").write_text("", encoding="utf-8")
    monkeypatch.setenv("TOKENFARE_CATALOG", "mine.toml")
    out = called("mine.toml")
    ended = run("route", "--tokens", "5", "--svg", out)
    assert (ended.code, Path("mine.toml").read_text(encoding="utf-8")) == (2, "")
    assert f"--svg: {out} is read by this command (mine.toml)" in ended.err


def test_what_is_not_read_is_overwritten(run: Run) -> None:
    Path("text").write_text("hello", encoding="utf-8")
    Path("old.svg").write_text("old", encoding="utf-8")
    assert run("route", "text", "--svg", "old.svg").code == 0
    assert Path("old.svg").read_text(encoding="utf-8").startswith("<svg")
    assert run("route", "text", "--svg", os.devnull).code == 0


@pytest.mark.parametrize("again", ["job.jsonl", "./job.jsonl", "link"])
def test_a_file_is_planned_once_under_all_its_names(run: Run, again: str) -> None:
    """Each request of it would be sent and paid for twice."""
    Path("job.jsonl").write_text('{"prompt": "hello"}\n', encoding="utf-8")
    Path("link").symlink_to("job.jsonl")
    ended = run("batch", "plan", "job.jsonl", again, "--out", "plan")
    assert (ended.code, ended.out) == (2, "")
    assert f"{again} is named twice" in ended.err
    assert not Path("plan").exists()


@pytest.mark.parametrize("text", [(), ("-",)])
def test_a_drawing_goes_to_standard_output_as_into_a_file(run: Run, text: tuple[str, ...]) -> None:
    day = ("--as-of", "2024-12-18")
    assert run("route", *text, "--svg", "chart.svg", *day, stdin=b"hello").code == 0
    ended = run("route", *text, "--svg", "-", *day, stdin=b"hello")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out == Path("chart.svg").read_text(encoding="utf-8")
    assert [path.name for path in Path().iterdir()] == ["chart.svg"]
    both = run("route", "--chart", "--svg", "-", *day)
    assert (both.code, both.out) == (2, "")
    assert "--chart and --svg - both go to standard output: take one" in both.err


@pytest.mark.parametrize(
    "command",
    [
        ("catalog", "import", "litellm", "list.json"),
        ("batch", "plan", "job.jsonl"),
        ("batch", "replan", "plan"),
    ],
)
def test_what_cannot_go_to_standard_output_is_no_file_of_that_name(
    run: Run, command: tuple[str, ...]
) -> None:
    Path("list.json").write_text(LIST, encoding="utf-8")
    Path("job.jsonl").write_text('{"prompt": "hello"}\n', encoding="utf-8")
    ended = run(*command, "--out", "-")
    assert (ended.code, ended.out, Path("-").exists()) == (2, "", False)
    assert "cannot go to standard output; give it a name" in ended.err

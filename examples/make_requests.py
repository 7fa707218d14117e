"""Write a job for the batch examples: what each module of Python's standard library is for.

    python examples/make_requests.py requests.jsonl

Two requests for every public module that says what it does: a summary, and a translation into
Chinese. The texts are read from the source files of the Python that runs this; nothing is imported.
"""

import ast
import json
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

TASKS = {
    "summary": "Say in one sentence what this module is for.",
    "chinese": "把这段文字翻译成中文。",
}


def docstrings(library: Path) -> Iterator[tuple[str, str]]:
    """Each public module's name, and what it says of itself."""
    for path in sorted(library.glob("[!_]*.py")):
        text = ast.get_docstring(ast.parse(path.read_bytes()))
        if text:
            yield path.stem, text


def requests(library: Path) -> Iterator[dict[str, object]]:
    """Lines of a batch, as OpenAI's service and the provider's take them."""
    for module, text in docstrings(library):
        for task, instruction in TASKS.items():
            messages = [
                {"role": "system", "content": instruction},
                {"role": "user", "content": text},
            ]
            yield {
                "custom_id": f"{module}-{task}",
                "method": "POST",
                "url": "/v1/chat/completions",
                "body": {"messages": messages, "max_tokens": 60 if task == "summary" else 1_000},
            }


def main() -> None:
    """Write the file that the first argument names."""
    lines = [
        json.dumps(each, ensure_ascii=False)
        for each in requests(Path(sysconfig.get_path("stdlib")))
    ]
    Path(sys.argv[1]).write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"{len(lines)} requests in {sys.argv[1]}")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main()

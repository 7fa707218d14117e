"""docs/observability.md, run word for word by an application of its own: providers are set once."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tokenfare.emulator import scripted, throttled
from tokenfare.testing import emulated

pytest.importorskip("opentelemetry.sdk")
PAGE = (Path(__file__).parents[2] / "docs" / "observability.md").read_text(encoding="utf-8")
CALL = """
from datetime import date

import tokenfare as tf

with tf.Client(as_of=date(2026, 11, 28)) as client:
    client.chat("Hello")
tracers.shutdown()
meters.shutdown()
"""


def test_an_application_set_up_as_the_page_says_exports_and_logs_what_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocks = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert len(blocks) == 2
    program = tmp_path / "application.py"
    program.write_text("\n".join([*blocks, CALL]), encoding="utf-8")
    with emulated(faults=scripted(throttled(retry_after_seconds=0.01))) as emulator:
        monkeypatch.setenv("TOKENFARE_BASE_URL", emulator.base_url)
        monkeypatch.setenv("DASHSCOPE_API_KEY", "sk-not-to-be-seen")
        ran = subprocess.run(
            [sys.executable, str(program)], capture_output=True, text=True, check=True, timeout=60
        )
    assert '"name": "chat qwen-flash"' in ran.stdout
    assert '"name": "gen_ai.client.operation.duration"' in ran.stdout
    (shown,) = re.findall(r"```text\n(.*?)```", PAGE, re.DOTALL)
    assert re.sub(r"[\d.]+ s$", "… s", ran.stderr, flags=re.MULTILINE) == re.sub(
        r"[\d.]+ s$", "… s", shown, flags=re.MULTILINE
    )
    assert "sk-not" not in ran.stdout + ran.stderr

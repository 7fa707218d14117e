"""Whether what is built is what may be published: `python scripts/check_package.py dist`.

Looks into the wheel and the source distribution, installs the wheel into an empty environment
and once more for each extra, and runs there what the extra is for. Without the extra, the same has
to end in an error that names it. Says what it does, and ends with 1 at the first thing that is
wrong. Needs the registry that pip installs from.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tarfile
import tempfile
import venv
import zipfile
from collections.abc import Iterable
from pathlib import Path

IN_BOTH = (
    "py.typed",
    "_core.pyi",
    "_core_jobs.pyi",
    "tokenizers/data/qwen.bpe",
    "tokenizers/data/PROVENANCE.toml",
)
IN_BOTH += ("catalog/data/catalog.json", "catalog/data/index.tsv")
IN_BOTH += ("cli/documents/PROVENANCE.toml", "limiter/counts.lua")
IN_SOURCE = ("Cargo.lock", "LICENSE", "NOTICE", "README.md", "pyproject.toml")
NOT_IN_SOURCE = ("tests/", "benchmarks/", "docs/", "target/", ".github/", ".ci/")

BASE = """
import tokenfare as tf
assert tf.count("Hello, world").value == 3
assert tf.route("Hello, world", max_output_tokens=100).model.id
from importlib.metadata import entry_points
assert {each.name for each in entry_points(group="console_scripts")} >= {"tokenfare"}
"""
FOR = {
    "emulator": """
from tokenfare.testing import emulated
import tokenfare as tf
with emulated() as emulator:
    with tf.Client(base_url=emulator.base_url, api_key="any", ledger=False) as client:
        reply = client.chat("Hello, world", max_output_tokens=50)
    assert reply.usage.input_tokens == reply.predicted.total.value
""",
    "gateway": """
import asyncio, httpx
import tokenfare as tf
from tokenfare.gateway import Gateway
gateway = Gateway(tf.AsyncClient(api_key="any", ledger=False))
async def models():
    way = httpx.ASGITransport(app=gateway.app)
    async with httpx.AsyncClient(transport=way, base_url="http://localhost") as client:
        return (await client.get("/v1/models")).json()["data"]
assert {"auto", "qwen-plus"} <= {each["id"] for each in asyncio.run(models())}
""",
    "media": r"""
import io, wave
import tokenfare as tf
from tokenfare.media import read_document, size_of, sound
from tokenfare.media.source import from_bytes
gif = b"GIF89a" + bytes([200, 0, 100, 0, 0, 0, 0])
assert (size_of(gif).width, size_of(gif).height) == (200, 100)
written = io.BytesIO()
with wave.open(written, "wb") as file:
    file.setparams((1, 2, 8000, 0, "NONE", ""))
    file.writeframes(bytes(2 * 8000))
assert sound(from_bytes(written.getvalue()), "sound").seconds == 1
pdf = b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj "
pdf += b"2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj "
pdf += b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>endobj\ntrailer<</Root 1 0 R>>"
assert read_document("a.pdf", pdf).text.strip() == ""
""",
    "batch": """
import csv, sys, tempfile
from datetime import timedelta
from pathlib import Path
import tokenfare as tf
folder = Path(tempfile.mkdtemp())
(folder / "in.csv").write_text("prompt\\nHello\\nHow are you?\\n")
plan = tf.batch.plan(folder / "in.csv", folder / "plan")
assert plan.requests == 2
assert tf.batch.report(plan.folder).read_text(encoding="utf-8").count("<svg")
tf.batch.plan(folder / "in.csv", folder / "deadline", deadline=timedelta(hours=1))
import pyarrow.parquet
""",
    "redis": """
from tokenfare.limiter import InRedis
from tokenfare.errors import DatabaseError, MissingExtra, TokenfareError
try:  # nobody is there
    InRedis("redis://127.0.0.1:1").close_for("a", 1.0, 0.0)
except MissingExtra:
    raise
except TokenfareError as error:
    assert "127.0.0.1" in str(error)
""",
    "transformers": """
import json, tempfile
from pathlib import Path
from tokenfare.tokenizers.via_transformers import ByTransformers
folder = Path(tempfile.mkdtemp())
model = {"type": "WordLevel", "unk_token": "?", "vocab": {"?": 0, "a": 1}}
whole = {"version": "1.0", "added_tokens": [], "pre_tokenizer": {"type": "Whitespace"}}
(folder / "tokenizer.json").write_text(json.dumps(whole | {"model": model}))
(folder / "tokenizer_config.json").write_text('{"tokenizer_class": "PreTrainedTokenizerFast"}')
assert ByTransformers("mine", folder).count("a a b") == 3
""",
}


def main(dist: Path) -> None:
    (wheel,), (source,) = dist.glob("*.whl"), dist.glob("*.tar.gz")
    look_into(wheel, source)
    with tempfile.TemporaryDirectory() as work:
        bare = Environment(Path(work) / "bare", str(wheel))
        bare.run(BASE)
        print("installed alone: counts, routes, has its command")
        for extra, code in FOR.items():
            bare.refuses(extra, code)
            Environment(Path(work) / extra, f"{wheel}[{extra}]").run(code)
            print(f"{extra}: works where it is installed, is named where it is not")


def look_into(wheel: Path, source: Path) -> None:
    with zipfile.ZipFile(wheel) as opened:
        inside = opened.namelist()
        (about,) = (name for name in inside if name.endswith(".dist-info/METADATA"))
        description = opened.read(about).decode()
    if beside := re.findall(r"\]\((?![a-z]+:|#)([^)]+)\)", description):
        print(f"{len(beside)} links of its page lead to files beside README.md ({beside[0]}, …)")
    require(inside, [f"tokenfare/{name}" for name in IN_BOTH], wheel)
    tops = {name.partition("/")[0] for name in inside}
    if any(top != "tokenfare" and not top.endswith(".dist-info") for top in tops):
        sys.exit(f"{wheel.name}: it has {sorted(tops)} at the top")
    licences = {name.rpartition("/")[2] for name in inside if "/licenses/" in name}
    require(licences, ("LICENSE", "NOTICE"), wheel)
    with tarfile.open(source) as archive:
        files = [name.partition("/")[2] for name in archive.getnames()]
    require(files, [*IN_SOURCE, *(f"src/tokenfare/{name}" for name in IN_BOTH)], source)
    if stray := [name for name in files if name.startswith(NOT_IN_SOURCE)]:
        sys.exit(f"{source.name}: it has {stray[0]}, which is nobody's who installs")
    for file, names in ((wheel, inside), (source, files)):
        print(f"{file.name}: {file.stat().st_size / 1e6:.1f} MB, {len(names)} files")


def require(inside: Iterable[str], names: Iterable[str], where: Path) -> None:
    if missing := sorted(set(names) - set(inside)):
        sys.exit(f"{where.name}: {', '.join(missing)} is not in it")


class Environment:
    """An environment with one requirement installed, and what that needs."""

    def __init__(self, folder: Path, requirement: str) -> None:
        venv.create(folder, with_pip=True)
        self._python = folder / ("Scripts" if sys.platform == "win32" else "bin") / "python"
        subprocess.run([self._python, "-m", "pip", "install", "--quiet", requirement], check=True)

    def run(self, code: str) -> None:
        done = self._done(code)
        if done.returncode:
            sys.exit(f"{code}\ncannot be run:\n{done.stderr}")

    def refuses(self, extra: str, code: str) -> None:
        done = self._done(code)
        if f"pip install 'tokenfare[{extra}]'" not in done.stderr:
            sys.exit(f"{code}\nwithout {extra} does not name it:\n{done.stderr}")

    def _done(self, code: str) -> subprocess.CompletedProcess[str]:
        # -I: the sources beside this script are not what is tested.
        command = [self._python, "-I", "-c", code]
        return subprocess.run(command, capture_output=True, text=True, check=False)


if __name__ == "__main__":
    main(Path(sys.argv[1]))

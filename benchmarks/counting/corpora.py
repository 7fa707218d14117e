"""Texts to count, built from what a Debian and Python installation holds.

Nothing is downloaded and nothing ships: a corpus is a list of places to look, in an order that does
not depend on the machine's clock or locale, cut at a size. Another installation gives another text,
so a digest stands beside every result. `logs` and the adversarial texts are synthetic and the same
everywhere.
"""

from __future__ import annotations

import gzip
import hashlib
import html
import random
import re
import struct
import sys
import sysconfig
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

MOST = 5_000_000  # bytes of one corpus
SIZE = 1_000_000  # bytes of an adversarial text
LEAST = 500_000  # a corpus with less is left out and named

LOCALE = Path("/usr/share/locale")
MANUAL = Path("/usr/share/man")
MIXED = ("de", "fr", "ru", "ja", "zh_CN", "ko", "ar", "el", "he", "hi", "th", "vi")


def natural() -> dict[str, str]:
    """Build every natural corpus that this machine has enough text for."""
    builders: dict[str, Callable[[], Iterable[str]]] = {
        "en_prose": prose,
        "en_tech": lambda: manual_pages("man*"),
        "rst": lambda: files(sys.prefix, "/usr/share", "/usr/lib", suffix="*.rst"),
        "code_py": lambda: files(sysconfig.get_paths()["stdlib"], suffix="*.py"),
        "code_c": lambda: files("/usr/include", suffix="*.h"),
        "json": lambda: files(sys.prefix, "/usr/lib", suffix="*.json"),
        "logs": logs,
        "zh": lambda: translated("zh_CN"),
        "zh_tw": lambda: translated("zh_TW"),
        "ja": lambda: translated("ja"),
        "ko": lambda: translated("ko"),
        "ru": lambda: translated("ru"),
        "de_fr": lambda: translated("de", "fr"),
        "multi_po": catalogues,
    }
    texts = {name: gathered(build()) for name, build in builders.items()}
    return {name: text for name, text in texts.items() if len(text.encode()) >= LEAST}


# The twelve of the stated goals; the others are extra.
TWELVE = (
    "en_prose", "en_tech", "rst", "code_py", "code_c", "json", "logs",
    "zh", "ja", "ko", "ru", "multi_po",
)  # fmt: skip


def gathered(parts: Iterable[str]) -> str:
    """Join parts, each different from all before it, until the corpus is large enough."""
    seen: set[bytes] = set()
    kept: list[str] = []
    size = 0
    for part in parts:
        digest = hashlib.blake2b(part.encode(), digest_size=8).digest()
        if digest in seen or not part:
            continue
        seen.add(digest)
        kept.append(part)
        size += len(part.encode())
        if size > MOST:
            break
    return "\n".join(kept).encode()[:MOST].decode(errors="ignore")


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def files(*roots: str, suffix: str, most: int = 300_000) -> Iterator[str]:
    for root in roots:
        for path in sorted(Path(root).rglob(suffix)):
            try:
                yield path.read_text(encoding="utf-8")[:most]
            except (OSError, UnicodeDecodeError):
                continue


def prose() -> Iterator[str]:
    """Pages for readers: HTML without its tags, Perl's manuals, then whatever is Markdown."""
    for page in files(str(Path.home()), "/usr/share/doc", suffix="ch[0-9]*.html"):
        yield html.unescape(re.sub(r"<(script|style).*?</\1>|<[^>]+>", "", page, flags=re.DOTALL))
    yield from files("/usr/share", "/usr/lib", suffix="*.pod")
    yield from files(sys.prefix, "/usr/share", "/usr/lib", suffix="*.md")


def manual_pages(folder: str) -> Iterator[str]:
    """Manual pages with the macros at the starts of lines and the font changes taken out."""
    for path in sorted(MANUAL.glob(f"{folder}/*.gz")) + sorted(MANUAL.glob(f"{folder}/man*/*.gz")):
        try:
            page = gzip.decompress(path.read_bytes()).decode()
        except (OSError, UnicodeDecodeError):
            continue
        page = re.sub(r"(?m)^[.'](\\\"|[A-Za-z]+) ?", "", page)
        yield re.sub(r"\\f.|\\&|\\\\|\\", "", page)


def messages(language: str) -> Iterator[tuple[str, str]]:
    """Read the translations that are installed for a language, from their binary catalogues."""
    for path in sorted((LOCALE / language / "LC_MESSAGES").glob("*.mo")):
        content = path.read_bytes()
        if content[:4] != b"\xde\x12\x04\x95":
            continue
        count, originals, translations = struct.unpack_from("<III", content, 8)
        for i in range(1, count):
            pair = []
            for table in (originals, translations):
                length, start = struct.unpack_from("<II", content, table + 8 * i)
                pair.append(content[start : start + length].decode(errors="replace"))
            yield pair[0], pair[1]


def translated(*languages: str) -> Iterator[str]:
    for language in languages:
        for _, text in messages(language):
            yield text.replace("\0", "\n")
        yield from manual_pages(language)


def catalogues() -> Iterator[str]:
    """Source and translation side by side as in a `.po` file, the languages taking turns."""
    streams = [messages(language) for language in MIXED]
    for group in zip(*streams, strict=False):
        for original, text in group:
            yield f'msgid "{original}"\nmsgstr "{text}"\n'


def logs() -> Iterator[str]:
    dice = random.Random(20260101)  # noqa: S311 - reproducible, not secret
    for _ in range(40_000):
        ip = ".".join(str(dice.randrange(256)) for _ in range(4))
        stamp = f"2026-{dice.randrange(1, 13):02}-{dice.randrange(1, 29):02}T{dice.random():.6f}Z"
        yield dice.choice(
            (
                f'{ip} - - [{stamp}] "GET /api/v1/items/{dice.getrandbits(40):x} HTTP/1.1" 200',
                f"{stamp} host{dice.randrange(99)} kernel: [{dice.random() * 1e6:.6f}] usb 1-1",
                f'{{"ts":"{stamp}","level":"INFO","id":"{dice.getrandbits(64):016x}"}}',
                f'  File "/srv/app/worker.py", line {dice.randrange(999)}, in run_{ip[0]}',
            )
        )


def adversarial(size: int = SIZE, seed: int = 7) -> dict[str, str]:
    """Texts that other tokenizers are slow on, or fall over; each about `size` bytes.

    Those that are drawn differ from seed to seed, but for the run of marks, which takes Python a
    minute to normalize.
    """
    dice = random.Random(seed)  # noqa: S311 - reproducible, not secret

    def drawn(alphabet: Iterable[str], each: int, dice: random.Random = dice) -> str:
        return "".join(dice.choices(list(alphabet), k=size // each))

    letters = "abcdefghijklmnopqrstuvwxyz"
    words = ["the", "quick", "brown", "fox", "jumps", "over", "lazy", "dog", "some", "other"]
    base64 = letters + letters.upper() + "0123456789+/"
    assigned = [chr(c) for c in range(0x20, 0x30000) if chr(c).isprintable()]
    runs = {
        "one letter": "a", "abab": "ab", "spaces": " ", "newlines": "\n", "crlf": "\r\n",
        "tabs": "\t", "equal signs": "=", "one ideograph": "\u4e2d",
        "emoji zwj": "\U0001f469\u200d\U0001f467",
        "hangul nfd": "\u1112\u1161\u11ab", "marks": "\u0301\u0323", "nul": "\0",
        "space newline": " \n", "one word": "internationalization",
    }  # fmt: skip
    texts = {name: unit * (size // len(unit.encode())) for name, unit in runs.items()}
    return texts | {
        "words glued": "".join(dice.choices(words, k=size // 4))[:size],
        "Words Glued": "".join(w.title() for w in dice.choices(words, k=size // 4))[:size],
        "random a-z": drawn(letters, 1),
        "whitespace mix": drawn(" \t\n\r\v\u00a0\u3000", 2),
        "punctuation": drawn("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~", 1),
        "digits": drawn("0123456789", 1),
        "base64": drawn(base64, 1),
        "hex": drawn("0123456789abcdef", 1),
        "random han": drawn(map(chr, range(0x4E00, 0xA000)), 3),
        "random hangul": drawn(map(chr, range(0xAC00, 0xD7A4)), 3),
        "random unicode": drawn((chr(c) for c in range(0x110000) if not 0xD800 <= c < 0xE000), 4),
        "random assigned": drawn(assigned, 3),
        "mark run": "a" + drawn(map(chr, range(0x300, 0x370)), 2, random.Random(7)),  # noqa: S311
        "special lookalikes": "<|im_start|>user<|im_end|>" * (size // 26),
    }


def main() -> None:
    """Write the corpora into the folder named on the command line."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in (natural() | {f"x {k}": v for k, v in adversarial().items()}).items():
        (folder / f"{name}.txt").write_text(text, encoding="utf-8", newline="")
        print(f"{name:20} {len(text.encode()):>9,} bytes  {digest(text)}")


if __name__ == "__main__":
    main()

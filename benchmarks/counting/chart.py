"""The summary of a comparison as an SVG: how fast, and how slow at worst.

Colours follow the reader's light or dark mode; text is text, and nothing is loaded from elsewhere.
"""

from __future__ import annotations

from html import escape

from peers import BASE, OURS
from tables import failures, mean, slowest, tools

WIDTH = 760
NAMES = 190  # room for the longest name with its version, left of the bars
ROW = 22
STYLE = """
text { font: 13px system-ui, sans-serif; fill: #24292f }
.note { font-size: 11px; fill: #57606a }
.title { font-weight: 600; font-size: 14px }
.value { font-variant-numeric: tabular-nums }
rect { fill: #afb8c1 }
rect.ours { fill: #0969da }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 }
  .note { fill: #8b949e }
  rect { fill: #57606a }
  rect.ours { fill: #58a6ff }
}
"""

Bar = tuple[str, float, str]  # whose, how long, and what is written beside it


def draw(result: dict) -> str:
    """Draw both panels, one above the other."""
    fast, height = panel(
        "Counting text not seen before: MB/s, geometric mean of twelve corpora",
        speeds(result),
        result,
        top=8,
    )
    slow, height = panel(
        "The text each is slowest on: milliseconds a megabyte (shorter is better)",
        worsts(result),
        result,
        top=height + 16,
    )
    environment = result["environment"]
    note = (
        f"One thread, same vocabulary (Qwen), same counts. {environment['processor']}, "
        f"Python {environment['python']}."
    )
    body = [*fast, *slow, written(8, height + 14, note, "note")]
    label = "Counting speed of tokenfare beside its peers"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height + 28}" '
        f'role="img" aria-label="{label}">\n<title>{label}</title>\n<style>{STYLE}</style>\n'
        + "\n".join(body)
        + "\n</svg>\n"
    )


def speeds(result: dict) -> list[Bar]:
    base = mean(result, BASE)
    rates = [(name, mean(result, name)) for name in tools(result)]
    return [(name, rate, f"{rate:.1f} ({rate / base:.1f} x tiktoken)") for name, rate in rates]


def worsts(result: dict) -> list[Bar]:
    bars = []
    for name in tools(result):
        found = slowest(result, name)
        if found is None:
            continue
        seconds, text = found
        failed = failures(result, name)
        beside = f"{seconds * 1000:.0f}, {text}" + (f"; fails on {failed[0]}" if failed else "")
        bars.append((name, seconds, beside))
    return sorted(bars, key=lambda bar: bar[1])


def panel(title: str, bars: list[Bar], result: dict, top: int) -> tuple[list[str], int]:
    """Draw the bars under a title; say where the panel ends."""
    lines = [written(8, top + 14, title, "title")]
    longest = max(length for _, length, _ in bars)
    room = WIDTH - NAMES - 190
    versions = result["environment"]["versions"]
    for i, (name, length, beside) in enumerate(bars):
        y = top + 26 + i * ROW
        width = max(1.0, room * length / longest)
        kind = ' class="ours"' if name == OURS else ""
        known_as = name if name.endswith("rc") else f"{name} {versions[name]}"
        lines += [
            written(8, y + 13, known_as),
            f'<rect{kind} x="{NAMES}" y="{y}" width="{width:.1f}" height="{ROW - 6}" rx="2"/>',
            written(round(NAMES + width + 6), y + 13, beside, "value"),
        ]
    return lines, top + 26 + len(bars) * ROW


def written(x: int, y: int, text: str, kind: str = "") -> str:
    of_class = f' class="{kind}"' if kind else ""
    return f'<text{of_class} x="{x}" y="{y}">{escape(text)}</text>'

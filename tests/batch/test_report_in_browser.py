"""The report in a real browser, as wide as a phone and as a desk: nothing is cut off."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import tokenfare as tf
from browser import laid_out, needs_chromium

# The page has no script; the one around it measures each frame, and what sticks out of it.
FRAMES = """<!doctype html><body>{frames}<pre id="found"></pre><script>
addEventListener("load", () => {{
  const found = [...document.querySelectorAll("iframe")].map(frame => {{
    const page = frame.contentDocument, wide = frame.clientWidth;
    const seen = [...page.querySelectorAll("body *")].filter(e => !e.closest("thead, svg"));
    const rows = [...page.querySelectorAll("table.cards tbody tr")];
    const cells = rows.flatMap(row => [...row.children].slice(1).map(cell => [row, cell]));
    const top = e => e.getBoundingClientRect().top;
    return {{
      wide,
      page: page.documentElement.scrollWidth,
      out: seen.filter(e => e.getBoundingClientRect().right > wide + 0.5).map(e => e.tagName),
      scrolls: seen.filter(e => e.scrollWidth > e.clientWidth + 1 && e.clientWidth
        && getComputedStyle(e).overflowX != "visible").map(e => e.tagName),
      cards: cells.length > 0 && cells.every(([row, cell]) => top(cell) > top(row) + 10),
      letters: Math.min(...[...page.querySelectorAll("svg text")].map(e =>
        parseFloat(getComputedStyle(e).fontSize) * e.getScreenCTM().a)),
    }};
  }});
  document.getElementById("found").textContent = JSON.stringify(found);
}});
</script>"""


@needs_chromium
def test_nothing_is_cut_off_or_has_to_be_scrolled_to_the_side(tmp_path: Path) -> None:
    name = "a-file-with-a-name-that-is-as-long-as-those-of-exports-often-are-2024-12-18.jsonl"
    document = "The same long document. " * 400
    prompts = [document + f"Question {n}?" for n in range(20)] + ["word " * 60_000, "Hello"]
    lines = [json.dumps({"prompt": prompt}) for prompt in prompts]
    lines += ["no JSON", json.dumps({"prompt": "word " * 1_300_000})]
    (tmp_path / name).write_text("\n".join(lines), "utf-8")
    tf.batch.plan(tmp_path / name, tmp_path / "plan", as_of=date(2024, 12, 18))
    tf.batch.report(tmp_path / "plan")
    frames = "".join(
        f'<iframe src="plan/report.html" style="width:{width}px;height:900px;border:0"></iframe>'
        for width in (320, 390, 1280)
    )
    (tmp_path / "frames.html").write_text(FRAMES.format(frames=frames), "utf-8")
    dumped = laid_out(tmp_path / "frames.html")
    found = json.loads(dumped.partition('<pre id="found">')[2].partition("</pre>")[0])
    assert [each["wide"] for each in found] == [320, 390, 1280]
    for each in found:
        assert each["page"] == each["wide"]
        assert (each["out"], each["scrolls"]) == ([], [])
        assert each["cards"] == (each["wide"] < 700)
        assert each["letters"] > 8

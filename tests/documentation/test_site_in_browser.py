"""The site in a real browser, opened as files: as wide as a phone and as a desk, and searched."""

import html
import json
from pathlib import Path

from browser import laid_out, needs_chromium

PAGES = (
    "index",
    "start",
    "routing",
    "words",
    "commands",
    "models/index",
    "models/qwen-plus",
    "api/routing",
)

# The page around the site loads its pages in frames, and asks them what a reader would see.
AROUND = """<!doctype html><body>{frames}<pre id="found"></pre><script>
const wait = ms => new Promise(done => setTimeout(done, ms));
const frames = [...document.querySelectorAll("iframe")];
const found = {{}};
async function search(inside, words) {{
  const page = inside.document;
  page.querySelector(".md-search__button").click();
  for (let turn = 0; turn < 100; turn++) {{
    await wait(100);
    const root = [...page.querySelectorAll("*")].find(each => each.shadowRoot)?.shadowRoot;
    const input = root?.querySelector("input");
    if (!input) continue;
    if (input.value != words) {{
      input.focus();
      input.value = words;
      input.dispatchEvent(new inside.InputEvent("input", {{bubbles: true}}));
    }}
    const hits = [...root.querySelectorAll("a")].map(each => each.getAttribute("href"));
    if (hits.length) return hits;
  }}
  return [];
}}
addEventListener("load", async () => {{
  found.pages = frames.map(frame => {{
    const page = frame.contentDocument, wide = page.documentElement.clientWidth;
    const out = [...page.querySelectorAll(".md-content *")].filter(each =>
      !each.closest(".md-typeset__scrollwrap, .highlight, pre, [hidden]")
      && each.getBoundingClientRect().right > wide + 1);
    return {{
      wide,
      page: page.documentElement.scrollWidth,
      out: out.map(each => `${{frame.src}} ${{each.tagName}} ${{each.textContent.slice(0, 60)}}`),
      pictures: [...page.images].filter(image => !image.naturalWidth).map(image => image.src),
    }};
  }});
  found.hits = await search(frames[0].contentWindow, "routing_table");
  document.getElementById("found").textContent = JSON.stringify(found);
}});
</script>"""


@needs_chromium
def test_pages_fit_phones_and_desks_and_search_works_without_a_server(
    site: Path, tmp_path: Path
) -> None:
    frames = "".join(
        f'<iframe src="{(site / page).as_uri()}.html" style="width:{wide}px;height:900px;border:0">'
        "</iframe>"
        for page in PAGES
        for wide in (1280, 375)
    )
    (tmp_path / "around.html").write_text(AROUND.format(frames=frames), "utf-8")
    dumped = laid_out(tmp_path / "around.html", "--virtual-time-budget=30000")
    found = json.loads(html.unescape(dumped.partition('id="found">')[2].partition("</pre>")[0]))
    assert len(found["pages"]) == 2 * len(PAGES)
    for each in found["pages"]:
        assert each["page"] <= each["wide"]
        assert (each["out"], each["pictures"]) == ([], [])
    assert any(hit.endswith("#tokenfare.routing_table") for hit in found["hits"])

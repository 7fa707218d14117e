"""Where documents are split: each is written as the parts that a reader would make of it.

The limit is the size of the largest part, and no two neighbours fit into it together, so there is
one right answer, and it does not come from the code under test.
"""

from __future__ import annotations

from itertools import pairwise

import pytest

MARKDOWN = (
    "# Coffee\n\nWater is heated to 93 degrees and poured slowly over the ground beans. It takes "
    "about three minutes, and nothing should be stirred.\n\n",
    "## Tea\n\nGreen tea takes less heat:\n\n- Dr. Chen of Hangzhou says 80 degrees,\n- others say "
    "70, e.g. for the first\n  and the second infusion of a spring harvest.\n\n",
    "```python\ndef brew(leaves):\n    water = heat(80)\n\n    return pour(water, leaves)\n\n\n"
    "brew('longjing')\n```\n\n",
    "| drink | degrees | minutes |\n|---|---:|---:|\n| coffee | 93 | 3 |\n| green tea | 80 | 2 |\n"
    "| black tea | 95 | 4 |\n| mint, with sugar | 100 | 10 |\n",
)

WRAPPED = (
    "The history of tea is long and complex, spreading across multiple cultures\nover the span of "
    "thousands of years. It originated in southwest China during the\nage of bronze as a drink. ",
    "An early credible record of tea drinking dates to the third century\nin a medical text "
    "written "
    "by the physician Hua Tuo. It was first known to the\nwestern world through Portuguese "
    "priests. ",
    "Drinking tea became popular in Britain during the\nseventeenth century. The British "
    "introduced "
    "its production to other places, to\ncompete with the monopoly that had been there "
    "before them.",
)

PYTHON = (
    '"""Brewing."""\n\nimport time\nfrom kettle import heat, pour\n\n\n',
    "class Pot:\n    def __init__(self, size):\n        self.size = size\n        self.full "
    "= False\n\n",
    "    # Heats first, since cold water takes long.\n    def fill(self):\n        heat(self)\n\n"
    "        self.full = True\n\n\n",
    "@timed\ndef brew(pot):\n    pot.fill()\n    time.sleep(\n        120,\n    )\n    "
    "return pour(pot)\n",
)

CONTRACT = (
    "1. Fees. The Customer pays the fees of Sec. 4 and Art. 12, i.e. 3.14 % of the amount, to Dr. "
    "Smith or Mr. J. R. Jones. ",
    "2. Delay. After 30 days the U.S. rate applies, cf. No. 5 and Fig. 3; it is not capped... ",
    "3. Laws of another country do not apply, whatever a court there may say of it or of "
    "this text.",
)

NOVEL = (
    "\u3000\u3000“走吧。”他说，“天快黑了，路上不好走。”她没有回答，只是看着窗外……\n",
    "\u3000\u3000过了很久，她才说：“好。”他们锁上门，沿着河边慢慢地走，谁也没有再说话。\n",
    "\u3000\u3000河水很静。",
)

TALE = (
    "「雨だ。」と彼は言った。「いや、雪ではないか……」ともう一人が答えた。",
    "「本当か？」「本当だとも！」二人は笑って、しばらく空を見上げていた。",
    "値段は３．５円だったが、誰も気にしなかった。やがて夜になった。",
)

PAGE = (
    "<h2>Tea</h2><p>Green tea takes <b>less</b> heat, and <i>less</i> time.</p>",
    "<p>Black tea takes more of both, as <a href='/all'>all</a> know.</p>",
    "<ul><li>coffee: 93 degrees, 3 minutes</li><li>mint: 100, and 10</li></ul>",
)

RECORDS = (
    '[{"id":1,"tags":["a","b"],"text":"It is good. It is cheap."},',
    '{"id":2,"tags":["c"],"text":"It is neither, and it is late."},',
    '{"id":3,"tags":[],"text":"Ask again. Nobody knows it yet."}]',
)

DOCUMENTS = {
    "Markdown": MARKDOWN,
    "prose that was broken to fit a width": WRAPPED,
    "source code": PYTHON,
    "a contract": CONTRACT,
    "a Chinese novel": NOVEL,
    "a Japanese tale": TALE,
    "HTML in one line": PAGE,
    "JSON in one line": RECORDS,
}


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_falls_into_the_parts_that_a_reader_would_make(
    qwen, with_tiktoken, name, line_end
):
    parts = [part.replace("\n", line_end) for part in DOCUMENTS[name]]
    sizes = [len(with_tiktoken.encode_ordinary(part)) for part in parts]
    limit = max(sizes)
    assert all(a + b > limit + 1 for a, b in pairwise(sizes)), "one right answer"
    assert qwen.split("".join(parts), limit) == parts


def test_a_heading_alone_is_no_piece(qwen):
    """The paragraph is over the limit, and its title stays with its first sentences."""
    text = "# Tea\n\n" + "Tea is a drink that many people like. " * 20
    first, *others = qwen.split(text, 40)
    assert first.startswith("# Tea\n\nTea is a drink")
    assert all(piece.startswith("Tea is") for piece in others)


def test_a_block_of_code_over_the_limit_is_cut_at_its_lines(qwen):
    code = "```c\n" + "".join(f"int a{i} = f({i});\n" for i in range(60)) + "```\n"
    text = f"As below.\n\n{code}\nIt ends."
    pieces = qwen.split(text, 100)
    assert "".join(pieces) == text
    assert all(piece.endswith(";\n") for piece in pieces[:-1])
    assert "```\n" in pieces[-1]

"""The published words: which there are, and that nothing is left unfilled in them."""

from datetime import date

import pytest

from tokenfare.catalog import published_template, tool_wording
from tokenfare.errors import InvalidRequestError

FORMS = ["hermes", "qwen-agent", "qwen-agent-english"]


@pytest.mark.parametrize("name", [*FORMS, "qwen-agent-parallel", "qwen-agent-english-parallel"])
def test_a_form_has_a_place_for_the_definitions(name):
    wording = tool_wording(name)
    assert wording.text.count("{definitions}") == 1
    assert wording.text.startswith("# ")
    assert "{" in wording.definition


@pytest.mark.parametrize(
    ("name", "says", "tools"),
    [
        ("qwen2", "You are a helpful assistant.", False),
        ("qwen2.5", "You are Qwen, created by Alibaba Cloud. You are a helpful assistant.", True),
        ("qwen3", "", True),
    ],
)
def test_a_published_template_says_what_it_adds_and_where_it_stands(name, says, tools):
    template = published_template(name)
    assert template.chat.default_system == says
    assert (template.tools is not None) == tools
    assert "huggingface.co/Qwen" in template.source
    assert template.as_of >= date(2024, 6, 7)


def test_an_unknown_template_is_refused_with_the_known_ones():
    with pytest.raises(InvalidRequestError, match=r"'qwen9'; known: qwen2, qwen2\.5, qwen3"):
        published_template("qwen9")

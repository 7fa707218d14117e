"""Tools and JSON mode: intervals that hold for what was recorded."""

import pytest

from models import model
from tokenfare.budget import Options, count_request, options_of
from tokenfare.errors import InvalidRequestError
from tokenfare.messages import parse
from tokenfare.tokenizers import get_tokenizer

WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather of a city",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    },
}


def test_without_options_nothing_is_added() -> None:
    found = count_request(parse("hello"), model(), get_tokenizer("qwen"))
    assert (found.options.value, found.total.exact) == (0, True)


def test_tools_widen_the_count_and_stay_above_what_qwens_template_takes() -> None:
    """The published template of Qwen 2.5 written out here, counted by the tokenizer itself."""
    import json

    tokenizer = get_tokenizer("qwen")
    template = (
        "\n\n# Tools\n\nYou may call one or more functions to assist with the user query.\n\n"
        "You are provided with function signatures within <tools></tools> XML tags:\n<tools>\n"
        + json.dumps(WEATHER)
        + "\n</tools>\n\nFor each function call, return a json object with function name and "
        "arguments within <tool_call></tool_call> XML tags:\n<tool_call>\n"
        '{"name": <function-name>, "arguments": <args-json-object>}\n</tool_call>'
    )
    found = count_request(parse("hello"), model(), tokenizer, Options((WEATHER,)))
    system = 5 + 6  # "You are a helpful assistant." in its frame, which is added for tools
    assert found.options.low < tokenizer.count(template) + system <= found.options.high
    assert not found.total.exact


def test_json_mode_is_at_most_two_tokens() -> None:
    options = options_of({"response_format": {"type": "json_object"}})
    found = count_request(parse("hello"), model(), get_tokenizer("qwen"), options)
    assert (found.options.low, found.options.high) == (0, 2)


@pytest.mark.parametrize("tools", ["get_weather", {"type": "function"}])
def test_tools_are_a_list(tools: object) -> None:
    with pytest.raises(InvalidRequestError, match="tools are a list"):
        options_of({"tools": tools})

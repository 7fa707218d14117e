"""Tools and JSON mode: intervals that hold for what was recorded."""

import json
from typing import Any

import pytest

import tokenfare as tf
from models import model
from tokenfare.budget import Options, count_request, options_of
from tokenfare.catalog import ToolRules
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


def test_a_json_schema_counts_from_nothing_to_all_of_it() -> None:
    """Whether a model is shown it is not recorded, so either may be the truth."""
    schema = {"name": "answer", "schema": {"type": "object", "description": "很长 " * 900}}
    form = {"response_format": {"type": "json_schema", "json_schema": schema}}
    bare = tf.count_messages("Hello", model="qwen-plus").total
    with_it = tf.count_messages("Hello", model="qwen-plus", parameters=form).total
    shown = tf.count(json.dumps(schema)).high
    assert with_it.low == bare.low
    assert with_it.high >= bare.high + shown
    assert tf.fits("Hello", model="qwen-plus", parameters=form).tokens == with_it.high


def test_json_mode_is_what_the_model_says() -> None:
    options = options_of({"response_format": {"type": "json_object"}})
    found = count_request(parse("hello"), model(), get_tokenizer("qwen"), options)
    assert (found.options.low, found.options.high) == (0, 8)


@pytest.mark.parametrize("tools", ["get_weather", {"type": "function"}])
def test_tools_are_a_list(tools: object) -> None:
    with pytest.raises(InvalidRequestError, match="tools are a list"):
        options_of({"tools": tools})


def tool(parameters: object) -> dict[str, object]:
    return {"type": "function", "function": {"name": "f", "parameters": parameters}}


@pytest.mark.parametrize(
    ("tools", "says"),
    [
        (["f"], r"tools\[0\]: an object, not str"),
        ([WEATHER, {"type": "function"}], r"tools\[1\]\.function: an object"),
        ([{"function": {"description": "x"}}], r"tools\[0\]\.function\.name: a name is missing"),
        (
            [tool("string")],
            r"tools\[0\]\.function\.parameters: a JSON Schema is an object, not str",
        ),
        ([tool({"type": "text"})], r"parameters\.type: 'text' is not a JSON type; one of array"),
        ([tool({"type": [["string"]]})], r"parameters\.type: \['string'\] is not a JSON type"),
        ([tool({"required": "city"})], r"parameters\.required: a list, not str"),
        ([tool({"required": [1]})], r"parameters\.required\[0\]: the name of a property, not 1"),
        ([tool({"properties": ["city"]})], r"parameters\.properties: an object, not list"),
        (
            [tool({"properties": {"a": {"items": {"anyOf": [{}, 3]}}}})],
            r"parameters\.properties\.a\.items\.anyOf\[1\]: a JSON Schema is an object, not int",
        ),
    ],
)
def test_a_tool_that_is_none_is_refused_with_its_place(tools: list[object], says: str) -> None:
    with pytest.raises(InvalidRequestError, match=says):
        options_of({"tools": tools})


def test_a_forced_call_of_a_name_with_half_a_surrogate_pair_is_bounded() -> None:
    forced = {"tool_choice": {"type": "function", "function": {"name": "\ud800"}}}
    found = tf.count_messages("hello", model="llama3.1-8b", tools=[WEATHER], parameters=forced)
    assert found.total.low <= found.total.value <= found.total.high


def test_a_schema_without_end_is_refused() -> None:
    deep: dict[str, object] = {}
    for _ in range(200):
        deep = {"items": deep}
    with pytest.raises(InvalidRequestError, match="nested more than 100 deep"):
        options_of({"tools": [tool(deep)]})


@pytest.mark.parametrize(
    "schema",
    [
        True,
        {},
        {"type": ["string", "null"], "enum": [None, "a"]},
        {"type": "object", "properties": {"a": {"$ref": "#/$defs/a"}}, "$defs": {"a": False}},
        {"type": "array", "prefixItems": [{"type": "integer"}], "items": {"type": "string"}},
    ],
)
def test_what_json_schema_allows_is_allowed(schema: object) -> None:
    assert options_of({"tools": [tool(schema)]}).tools == (tool(schema),)


def test_tools_of_which_the_words_are_known_are_exact_and_others_are_not() -> None:
    known = ToolRules(form="hermes", certain=("single",))
    exact = count_request(
        parse("hello"), model(tools=known), get_tokenizer("qwen"), Options((WEATHER,))
    )
    parallel = Options((WEATHER,), parallel_calls=True)
    guessed = count_request(parse("hello"), model(tools=known), get_tokenizer("qwen"), parallel)
    assert exact.total.exact
    assert not guessed.total.exact
    assert guessed.total.low < int(exact.total) < guessed.total.high


def test_a_room_that_is_no_number_is_not_taken_for_a_second_one() -> None:
    room: Any = float("nan")
    with pytest.raises(InvalidRequestError, match="max_output_tokens is a whole number, not nan"):
        tf.fits("hello", model="qwen-max", max_output_tokens=room)


@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens"])
def test_a_room_among_the_parameters_is_not_passed_over_in_silence(name: str) -> None:
    """50,000 tokens of answer do not fit, and what 1,000 cost is not what they cost."""
    asked = rf"max_output_tokens is 1000 and the parameters say {name} 50000; give one of them"
    other = {"temperature": 0.2, name: 50_000}
    with pytest.raises(InvalidRequestError, match=asked):
        tf.fits("hello", model="qwen-max", parameters=other)
    with pytest.raises(InvalidRequestError, match=asked):
        tf.route("hello", parameters=other)
    with pytest.raises(InvalidRequestError, match=asked):
        tf.trim([{"role": "user", "content": "hello"}], model="qwen-max", parameters=other)
    assert not tf.fits("hello", model="qwen-max", max_output_tokens=50_000, parameters=other)
    assert tf.count_messages("hello", model="qwen-max", parameters=other).total.exact
    assert tf.trim([{"role": "user", "content": "hello"}], 100, parameters=other).dropped == ()

"""The options of a call that change how many tokens it is billed for.

They are read here from the provider's own parameters; `request` counts what they cost.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tokenfare.errors import InvalidRequestError
from tokenfare.media import Fetch
from tokenfare.messages import Wire

from .schemas import check_tools


@dataclass(frozen=True, slots=True)
class Options:
    """Everything besides the messages that costs tokens or changes how they are counted.

    Attributes:
        tools: Definitions of tools.
        parallel_calls: Whether the model may call several tools at once.
        forced_tool: The name of the tool that must be called.
        json_mode: Whether the answer must be JSON.
        schema: The schema of a JSON answer.
        high_resolution: Whether images may have more tokens.
        thinking: Whether the model reasons first; `None` is its default.
        answers: How many answers are asked for. Each is billed, the input only once.
        control_tokens: Count a control token spelled out in a message as a token, not as text.
        fetch: Gets media from a URL; without it, they count as an interval.
    """

    tools: tuple[Wire, ...] = ()
    parallel_calls: bool = False
    forced_tool: str | None = None
    json_mode: bool = False
    schema: Mapping[str, object] | None = None
    high_resolution: bool = False
    thinking: bool | None = None
    answers: int = 1
    control_tokens: bool = False
    fetch: Fetch | None = None

    def __post_init__(self) -> None:
        check_tools(self.tools)


NO_OPTIONS = Options()

OPTION_NAMES = frozenset(
    {
        "tools",
        "response_format",
        "enable_thinking",
        "n",
        "parallel_tool_calls",
        "tool_choice",
        "vl_high_resolution_images",
    }
)
"""The provider's parameters that `options_of` looks at."""


# OpenAI's two names for the most output tokens.
_ROOMS = ("max_tokens", "max_completion_tokens")


def check_room(max_output_tokens: int, parameters: Mapping[str, object]) -> None:
    """Refuse provider parameters whose room for the answer differs from `max_output_tokens`.

    Otherwise the request that is sent would not be the one that was checked and priced.
    """
    for name in _ROOMS:
        if name in parameters and parameters[name] != max_output_tokens:
            raise InvalidRequestError(
                f"max_output_tokens is {max_output_tokens} and the parameters say {name} "
                f"{parameters[name]!r}; give one of them: max_output_tokens, where a model is "
                "chosen by it"
            )


def options_of(extra: Mapping[str, object]) -> Options:
    """The options among a call's provider parameters."""
    tools = extra.get("tools") or ()
    if isinstance(tools, str | Mapping) or not isinstance(tools, Sequence):
        raise InvalidRequestError(f"tools are a list of definitions, not {type(tools).__name__}")
    form = extra.get("response_format")
    schema = form.get("json_schema") if isinstance(form, Mapping) else None
    thinking = extra.get("enable_thinking")
    return Options(
        tools=tuple(tools),
        parallel_calls=extra.get("parallel_tool_calls") is True,
        forced_tool=_forced(extra.get("tool_choice")),
        json_mode=isinstance(form, Mapping) and form.get("type") != "text",
        schema=schema if isinstance(schema, Mapping) else None,
        high_resolution=extra.get("vl_high_resolution_images") is True,
        thinking=thinking if isinstance(thinking, bool) else None,
        answers=_answers(extra.get("n")),
    )


def _answers(n: object) -> int:
    """The number of answers; 1 if `n` is not a number that the provider accepts."""
    return n if isinstance(n, int) and n > 1 else 1


def _forced(choice: object) -> str | None:
    function = choice.get("function") if isinstance(choice, Mapping) else None
    name = function.get("name") if isinstance(function, Mapping) else None
    return name if isinstance(name, str) else None

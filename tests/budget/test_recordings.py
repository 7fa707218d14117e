"""What the provider billed, in recorded exchanges: the same number, from the catalogue of that day.

The exchanges are those of `sources.recordings` in the catalogue (cnblogs/dashscope-sdk,
test/Cnblogs.DashScope.Tests.Shared/RawHttpData); each row names its own. Sizes of the media, which
are not part of an exchange, are stated: the picture has 1,365 x 2,048 pixels, the frames are 16:9.
"""

from __future__ import annotations

from datetime import date
from typing import Any, NamedTuple

import pytest

from tokenfare.budget import RequestCount, count_request, options_of
from tokenfare.catalog import Catalog
from tokenfare.messages import parse
from tokenfare.tokenizers import measurer

CATALOG = Catalog.load()
ROLE = {"role": "system", "content": "You are a helpful assistant."}
WEATHER = {
    "type": "function",
    "function": {
        "name": "get_current_weather",
        "description": "获取现在的天气",
        "parameters": {
            "type": "object",
            "properties": {
                "location": {
                    "type": "string",
                    "description": "要获取天气的省市名称，例如浙江省杭州市",
                }
            },
            "required": ["location"],
        },
    },
}


def user(*content: str | dict[str, Any]) -> dict[str, Any]:
    if len(content) == 1 and isinstance(content[0], str):
        return {"role": "user", "content": content[0]}
    return {
        "role": "user",
        "content": [
            {"type": "text", "text": part} if isinstance(part, str) else part for part in content
        ],
    }


def call(city: str) -> dict[str, Any]:
    arguments = f'{{"location": "{city}"}}'
    return {"function": {"name": "get_current_weather", "arguments": arguments}}


PICTURE = {
    "type": "image_url",
    "image_url": {"url": "https://example.com/dog_and_girl.jpeg"},
    "tokenfare": {"width": 1365, "height": 2048},
}
SOUND = {
    "type": "input_audio",
    "input_audio": {"data": "https://example.com/2channel_16K.wav"},
    "tokenfare": {"seconds": 30},
}
FRAMES = {
    "type": "video",
    "video": [f"https://example.com/football{i}.jpg" for i in (1, 2, 3, 4)],
    "tokenfare": {"width": 1280, "height": 720},
}


class Exchange(NamedTuple):
    name: str
    day: date
    model: str
    messages: list[dict[str, Any]]
    parameters: dict[str, Any]
    billed: int


EXACT = [
    Exchange(
        "single-generation-text-sse", date(2024, 11, 25), "qwen-max",
        [user("请问 1+1 是多少？")], {}, 16,
    ),
    Exchange(
        "single-generation-text-nosse", date(2025, 3, 17), "qwen-max",
        [user("请问 1+1 是多少？")], {}, 16,
    ),
    Exchange(
        "single-generation-message-logprobs-nosse", date(2025, 7, 7), "qwen-max",
        [user("请问 1+1 是多少？请直接输出结果")], {"logprobs": True}, 20,
    ),
    Exchange(
        "single-generation-message-reasoning-sse", date(2025, 6, 9), "qwen-plus-latest",
        [user("请问 1+1 是多少？")], {"enable_thinking": True}, 16,
    ),
    Exchange(
        "conversation-generation-message-partial-nosse", date(2024, 11, 26), "qwen-max",
        [
            user("请对“春天来了，大地”这句话进行续写，来表达春天的美好和作者的喜悦之情"),
            {"role": "assistant", "content": "春天来了，大地", "partial": True},
        ],
        {}, 34,
    ),
    Exchange(
        "single-generation-message-json-nosse", date(2024, 11, 26), "qwen-max",
        [user("请问 1+1 是多少？用 JSON 格式输出。")],
        {"response_format": {"type": "json_object"}}, 25,
    ),
    Exchange(
        "single-generation-message-with-tools-nosse", date(2024, 11, 25), "qwen-max",
        [user("杭州现在的天气如何？")],
        {
            "tools": [WEATHER],
            "tool_choice": {"type": "function", "function": {"name": "get_current_weather"}},
        },
        211,
    ),
    Exchange(
        "single-generation-message-with-tools-sse", date(2025, 10, 20), "qwen-plus",
        [
            user("杭州上海现在的天气如何？"),
            {
                "role": "assistant",
                "content": "",
                "tool_calls": [call("浙江省杭州市"), call("上海市")],
            },
            {"role": "tool", "content": "浙江省杭州市 大部多云，摄氏 18 度"},
            {"role": "tool", "content": "上海市 多云转小雨，摄氏 19 度"},
        ],
        {"tools": [WEATHER], "parallel_tool_calls": True}, 283,
    ),
    Exchange(
        "single-generation-message-with-parallel-tools-sse", date(2026, 4, 15), "qwen-max",
        [user("杭州和上海现在的天气如何？")],
        {"tools": [WEATHER], "parallel_tool_calls": True}, 250,
    ),
    Exchange(
        "multimodal-generation-vl-sse", date(2024, 11, 26), "qwen-vl-plus",
        [ROLE, user(PICTURE, "这个图片是哪里，请用简短的语言回答")], {}, 1283,
    ),
    Exchange(
        "multimodal-generation-vl-nosse", date(2024, 11, 26), "qwen-vl-plus",
        [ROLE, user(PICTURE, "这个图片是哪里，请用简短的语言回答")],
        {"vl_high_resolution_images": True}, 3613,
    ),
    Exchange(
        "multimodal-generation-vl-video-nosse", date(2024, 11, 26), "qwen-vl-max",
        [user(FRAMES, "描述这个视频的具体过程")], {}, 1466,
    ),
    Exchange(
        "multimodal-generation-audio-nosse", date(2024, 2, 28), "qwen-audio-turbo",
        [ROLE, user(SOUND, "这段音频在说什么，请用简短的语言回答")], {}, 786,
    ),
    Exchange(
        "multimodal-generation-audio-sse", date(2024, 2, 28), "qwen-audio-turbo",
        [ROLE, user(SOUND, "这段音频的第一句话说了什么？")], {}, 783,
    ),
]  # fmt: skip

WITHIN = [
    Exchange(
        "single-generation-message-sse", date(2024, 2, 26), "qwen-max",
        [user("请问 1+1 是多少？")], {}, 8,
    ),
    Exchange(
        "conversation-generation-message-sse", date(2024, 2, 26), "qwen-max",
        [
            user("现在请你记住一个数字，42"),
            {"role": "assistant", "content": "好的，我已经记住了这个数字。"},
            user("请问我刚才提到的数字是多少？"),
        ],
        {}, 24,
    ),
    Exchange(
        "multimodal-generation-message-with-parallel-function-call-sse", date(2026, 4, 15),
        "qwen3.6-plus",
        [user(PICTURE, "根据杭州和上海现在的天气，以这张图片为参考，编一个 100 字以内的小故事")],
        {"tools": [WEATHER], "parallel_tool_calls": True, "enable_thinking": True}, 2807,
    ),
    Exchange(
        "multimodal-generation-message-with-tools-sse", date(2026, 4, 16), "qwen3.6-plus",
        [
            user(PICTURE, "根据杭州和上海现在的天气，以这张图片为参考，编一个 100 字以内的小故事"),
            {
                "role": "assistant",
                "content": [],
                "tool_calls": [call("浙江省杭州市"), call("上海市")],
            },
            {"role": "tool", "content": [{"type": "text", "text": "杭州-大部多云"}]},
            {"role": "tool", "content": [{"type": "text", "text": "上海-晴"}]},
        ],
        {"tools": [WEATHER], "parallel_tool_calls": True, "enable_thinking": True}, 2891,
    ),
]  # fmt: skip


def counted(exchange: Exchange) -> RequestCount:
    model = CATALOG.as_of(exchange.day).get(exchange.model)
    return count_request(
        parse(exchange.messages),
        model,
        measurer(model.tokenizer),
        options_of(exchange.parameters),
    )


@pytest.mark.parametrize("exchange", EXACT, ids=lambda exchange: exchange.name)
def test_what_is_counted_exactly_was_billed(exchange: Exchange) -> None:
    assert int(counted(exchange).total) == exchange.billed


@pytest.mark.parametrize("exchange", WITHIN, ids=lambda exchange: exchange.name)
def test_what_was_billed_lies_between_the_bounds(exchange: Exchange) -> None:
    """A vocabulary that is not here, or a time of which the rule is not known to the day."""
    total = counted(exchange).total
    assert total.low <= exchange.billed <= total.high
    assert not total.exact


@pytest.mark.parametrize(
    ("exchange", "kind", "tokens"),
    [
        ("multimodal-generation-vl-sse", "images", 1247 + 2),
        ("multimodal-generation-vl-nosse", "images", 3577 + 2),
        ("multimodal-generation-vl-video-nosse", "video", 1440 + 2),
        ("multimodal-generation-audio-nosse", "audio", 752),
        ("multimodal-generation-message-with-tools-sse", "images", 2503),
    ],
)
def test_media_are_billed_apart_and_counted_apart(exchange: str, kind: Any, tokens: int) -> None:
    """In 2024 the two markers were billed as text; since late 2025 as part of the image."""
    (found,) = (e for e in (*EXACT, *WITHIN) if e.name == exchange)
    assert int(counted(found).of(kind)) == tokens


@pytest.mark.parametrize("exchange", [*EXACT, *WITHIN], ids=lambda exchange: exchange.name)
def test_a_count_is_the_sum_of_its_parts(exchange: Exchange) -> None:
    found = counted(exchange)
    for end in ("value", "low", "high"):
        parts = sum(getattr(part.count, end) for part in found.parts)
        assert parts == getattr(found.total, end)

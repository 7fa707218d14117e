"""The rules for counting a request, of a model or of a published chat template."""

from __future__ import annotations

from dataclasses import dataclass

from tokenfare.catalog import (
    AudioRules,
    ChatTemplate,
    ImageRules,
    Model,
    PublishedTemplate,
    ToolRules,
    VideoRules,
)


@dataclass(frozen=True, slots=True)
class Rules:
    """How a model turns the parts of a request into tokens; errors mention `name`.

    `files_most` is the most tokens that uploaded files can have, on a model that takes files.
    """

    name: str
    chat: ChatTemplate
    tools: ToolRules | None = None
    images: ImageRules | None = None
    audio: AudioRules | None = None
    video: VideoRules | None = None
    files_most: int | None = None


def rules_of(model: Model) -> Rules:
    """The rules of a model of the catalogue."""
    limits = model.limits
    return Rules(
        model.id,
        model.chat,
        model.tools,
        model.images,
        model.audio,
        model.video,
        (limits.max_input or limits.context) if model.documents else None,
    )


def rules_of_template(template: PublishedTemplate) -> Rules:
    """The rules of an open model's own chat template: text and tools."""
    return Rules(template.name, template.chat, template.tools)

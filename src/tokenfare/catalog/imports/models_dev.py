"""models.dev: its `api.json`, or its tree of TOML files, which has the same content.

Prices are US dollars for a million tokens; a tier begins above a size of the input and holds for
the whole request. `limit.context` is the whole context window.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from tokenfare.catalog.entries import TierEntry
from tokenfare.errors import CatalogError

from . import listed as reading
from .listed import Listed, cache_factors, later_thinking
from .rows import ListedModel, ListedService

_OPENAI_LIKE = ("@ai-sdk/openai-compatible", "@ai-sdk/openai", "@openrouter/ai-sdk-provider")
_KINDS = frozenset({"text", "image", "audio", "video"})
_OVER_200K = 200_000
_NOTHING = "the list says 0, which stands for free, for a subscription or for not known"
_NOT_INHERITED = ("id", "benchmarks", "license", "links", "weights")


def services(data: Mapping[str, Any]) -> Iterator[tuple[Listed, ListedService]]:
    """The providers of the list, with the addresses of those with an OpenAI-compatible API."""
    for name, row in data.items():
        listed = Listed.of(name, row)
        listed.take("id", "models", "doc")
        variables, package, url = listed.texts("env"), listed.take("npm"), listed.text("api")
        if url is not None and (package not in _OPENAI_LIKE or "$" in url):
            listed.leave("api", f"not an OpenAI-compatible address as it stands: {url}")
            url = None
        if len(variables) > 1:
            listed.leave("env", f"more than one variable; the first is taken: {variables}")
        key = variables[0] if variables else None
        yield listed, ListedService(name, listed.text("name") or name, url, key)


def entries(data: Mapping[str, Any]) -> Iterator[tuple[Listed, ListedModel | None]]:
    """Each model as read, and its facts; `None` if it does not answer in text."""
    for provider, row in data.items():
        models = row.get("models") if isinstance(row, Mapping) else None
        for model_id, model in (models if isinstance(models, Mapping) else {}).items():
            listed = Listed.of(f"{provider}/{model_id}", model)
            yield listed, _entry(listed, provider, model_id) if listed else None


def tree(path: Path) -> dict[str, Any]:
    """The TOML files below `path` (it holds `providers` and `models`) in the form of `api.json`."""
    bases = {_name(p, path / "models"): _toml(p) for p in sorted(path.glob("models/**/*.toml"))}
    data: dict[str, Any] = {}
    for file in sorted(path.glob("providers/*/provider.toml")):
        provider = _toml(file)
        files = sorted((file.parent / "models").glob("**/*.toml"))
        models = {
            _name(p, file.parent / "models"): _merged(p, bases) if p.exists() else "a broken link"
            for p in files
        }
        data[file.parent.name] = provider | {"models": models}
    if not data:
        raise CatalogError(path, "providers", "expected files as providers/NAME/provider.toml")
    return data


def _entry(listed: Listed, provider: str, model_id: str) -> ListedModel | None:
    listed.take("id", "name", "last_updated")
    modalities, limit = listed.table("modalities"), listed.table("limit")
    outputs, inputs = modalities.texts("output"), modalities.texts("input")
    if outputs and "text" not in outputs:
        listed.leave("modalities.output", f"answers with {', '.join(outputs)}, not text")
        return None
    for kind in sorted(set(inputs) - _KINDS):
        listed.leave("modalities.input", f"the catalogue has no place for {kind} inside messages")
    if listed.take("status") == "deprecated":
        listed.leave("status", "deprecated, without a day; the model is taken as still served")
    cost = listed.table("cost")
    tiers, note = _tiers(cost)
    return ListedModel(
        id=f"{provider}/{model_id}",
        provider=provider,
        sent_as=model_id,
        family=listed.text("family"),
        context=limit.tokens("context"),
        max_input=limit.tokens("input"),
        max_output=limit.tokens("output"),
        tiers=tiers,
        price_note=note,
        cache=cache_factors(cost, cost.amount, "cache_read", "cache_write", tiers),
        takes=frozenset(inputs) & _KINDS | {"text"},
        released=listed.day("release_date"),
    )


def _tiers(cost: Listed) -> tuple[list[TierEntry], str | None]:
    first = _price(cost)
    if first is None:
        return [], "the list has no price for both input and output tokens"
    steps: list[tuple[int, TierEntry]] = []
    listed, older = cost.take("tiers") or [], cost.table("context_over_200k")
    for number, item in enumerate(listed if isinstance(listed, list) else [listed]):
        table = cost.nested(f"tiers[{number}]", item)
        step = table.table("tier")
        size, kind, price = step.tokens("size"), step.take("type"), _price(table, first)
        if size is None or price is None or kind not in (None, "context"):
            return [], "a tier of the list is not a size of the input with two prices"
        steps.append((size, price))
    over = _price(older, first)
    if over is not None and not steps:  # beside tiers it repeats the last of them
        steps.append((_OVER_200K, over))
    steps.sort(key=lambda step: step[0])
    tiers = [first, *(price for _, price in steps)]
    if not any(tier.input or tier.output for tier in tiers):
        return [], _NOTHING
    bounds = [*(size for size, _ in steps), None]
    return [replace(tier, up_to=to) for tier, to in zip(tiers, bounds, strict=True)], None


def _price(cost: Listed, first: TierEntry | None = None) -> TierEntry | None:
    inputs, outputs = cost.amount("input"), cost.amount("output")
    thinking = cost.amount("reasoning")
    if inputs is None or outputs is None:
        return None
    if first is not None:
        thinking = later_thinking(thinking, outputs, first.thinking_output)
    return TierEntry(input=inputs, output=outputs, thinking_output=thinking)


def _merged(file: Path, bases: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """A model, merged with the base model that it names."""
    model = _toml(file)
    name, omitted = model.pop("base_model", None), model.pop("base_model_omit", ())
    if name is None:
        return model
    if name not in bases:
        raise CatalogError(file, "base_model", f"no file models/{name}.toml")
    base = {key: value for key, value in bases[name].items() if key not in _NOT_INHERITED}
    merged = _deep(base, model)
    for path in omitted:
        _omit(merged, str(path).split("."))
    return merged


def _deep(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for key, value in above.items():
        under = merged.get(key)
        if isinstance(value, Mapping) and isinstance(under, Mapping):
            merged[key] = _deep(under, value)
        else:
            merged[key] = value
    return merged


def _omit(target: dict[str, Any], path: list[str]) -> None:
    inner = target.get(path[0])
    if len(path) == 1:
        target.pop(path[0], None)
    elif isinstance(inner, dict):
        _omit(inner, path[1:])
        if not inner:
            del target[path[0]]


def _name(file: Path, below: Path) -> str:
    return file.relative_to(below).as_posix().removesuffix(".toml")


def _toml(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"), parse_float=reading.number)
    except (RecursionError, ValueError) as error:
        raise CatalogError(file, "", f"not TOML: {error}") from error

"""The catalogue as pages: an overview, and every fact of every model with where it comes from.

The day is the newest of which the catalogue has a fact, what is only announced left aside.
"""

from collections.abc import Iterable, Iterator
from datetime import date

from tokenfare.catalog import Catalog, Evidence, Model
from tokenfare.catalog.description import evidence_name, model_facts
from tokenfare.money import plain

HEADINGS = ("model", "context", "input", "output", "in", "out", "access", "tokenizer", "takes")


def catalog() -> Catalog:
    """The shipped catalogue, none of the user's own, on the newest day of its facts."""
    shipped = Catalog.load(())
    return shipped.as_of(newest_day(shipped))


def newest_day(shipped: Catalog) -> date:
    """The last day that a fact of a model begins on, of those that are not announced only."""
    days = [fact.since for model in shipped.models(all=True) for fact in model.evidence.values()]
    return max(days)


def pages() -> dict[str, str]:
    """The overview and a page for each family, by their paths in the site."""
    found = catalog()
    families: dict[str, list[Model]] = {}
    for model in found.models(all=True):
        families.setdefault(model.family, []).append(model)
    made = {f"models/{name}.md": _family(name, models) for name, models in families.items()}
    return {"models/index.md": _overview(found), **made}


def _overview(found: Catalog) -> str:
    known = found.models(all=True)
    served = [model for model in known if model.status == "available"]
    gone = [model for model in known if model.status == "retired"]
    coming = [model for model in known if model.status == "not released"]
    lines = [
        *("---", "hide:", "  - toc", "---", ""),
        "# Models",
        "",
        f"The {len(known)} models of the catalogue as they are on **{found.day}**, the newest day",
        f"that it has a fact of: {len(served)} are served, {len(gone)} are retired.",
        "Limits are in tokens, prices in yuan (CNY) for a million tokens unless they say",
        "otherwise; a dash is what nobody states.",
        "A plus sign at a price: requests with more input cost more, and the model's own page has",
        "the tiers.",
        "A mark at a model's name: *i*, a limit is inherited from another row of the same table;",
        "*d*, one is worked out; *?*, sources disagree.",
        "",
        "`tokenfare models --as-of DATE` has the same for any day, and `tokenfare models show ID`",
        "a page like those linked here.",
        "[How facts are written down](../catalog.md).",
        "",
        "## Served",
        "",
        *_table(served),
    ]
    if coming:
        lines += ["", "## Announced", "", *_table(coming)]
    lines += [
        "",
        "## Retired",
        "",
        "They are refused as retired from the day given on; until then, what stands here held.",
        "",
        *_table(gone, retired=True),
    ]
    return "\n".join([*lines, ""])


def _table(models: Iterable[Model], *, retired: bool = False) -> Iterator[str]:
    headings = (*HEADINGS, "retired on") if retired else HEADINGS
    yield from ('<div class="models" markdown>', "")
    yield f"| {' | '.join(headings)} |"
    yield "|---|--:|--:|--:|--:|--:|---|---|---|" + ("---|" if retired else "")
    for model in models:
        cells = [
            f"[{model.id}]({model.family}.md#{anchor(model)}){_marks(model)}",
            *map(_number, (model.limits.context, model.limits.max_input, model.limits.max_output)),
            *_prices(model),
            model.access,
            model.tokenizer,
            ", ".join(sorted(model.modalities)),
        ]
        if retired:
            cells.append(str(model.retired_on))
        yield f"| {' | '.join(cells)} |"
    yield from ("", "</div>")


def anchor(model: Model) -> str:
    """The place of a model on its family's page."""
    return model.id.replace(".", "-")


def _marks(model: Model) -> str:
    limits = [each for fact, each in model.evidence.items() if fact.startswith("limits.")]
    marks = [
        mark
        for mark, holds in (
            ("i", any(each.mark == "inherited" for each in limits)),
            ("d", any(each.mark == "derived" for each in limits)),
            ("?", any(each.disputes for each in model.evidence.values())),
        )
        if holds
    ]
    return f" *{''.join(marks)}*" if marks else ""


def _number(value: int | None) -> str:
    return "–" if value is None else f"{value:,}"


def _prices(model: Model) -> tuple[str, str]:
    price = model.price
    if price is None:
        return "–", "–"
    first, more = price.tiers[0], "+" if len(price.tiers) > 1 else ""
    money = "" if price.currency == "CNY" else f" {price.currency}"
    read, written = (plain(price.per_million(each)) for each in (first.input, first.output))
    return f"{read}{more}{money}", f"{written}{more}{money}"


def _family(family: str, models: list[Model]) -> str:
    numbers: dict[str, int] = {}
    lines = [f"# {family}", ""]
    for model in models:
        lines += [f"## {model.id} {{ #{anchor(model)} }}", ""]
        if model.status == "retired":
            lines += [f"**Retired on {model.retired_on}.**", ""]
        lines += ["| fact | value | how it is known |", "|---|---|---|"]
        for fact, value in model_facts(model).items():
            known = _known(model.evidence.get(evidence_name(fact)), numbers)
            lines.append(f"| {fact.replace('_', ' ')} | {_cell(value)} | {known} |")
        lines.append("")
    lines += ["## Sources", ""]
    lines += [f"{number}. {source}" for source, number in numbers.items()]
    return "\n".join([*lines, ""])


def _known(evidence: Evidence | None, numbers: dict[str, int]) -> str:
    if evidence is None:
        return ""
    origin = f" from {evidence.inherited_from}" if evidence.inherited_from else ""
    sure = "" if evidence.confidence == "high" else f", {evidence.confidence} confidence"
    number = numbers.setdefault(evidence.source, len(numbers) + 1)
    said = f"{evidence.mark}{origin}, {evidence.since}{sure} [{number}]"
    if evidence.note:
        said += f"; {evidence.note}"
    for dispute in evidence.disputes:
        other = numbers.setdefault(dispute.source, len(numbers) + 1)
        said += f"; disputed: {dispute.says} [{other}], not used: {dispute.because}"
    return _cell(said)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*")

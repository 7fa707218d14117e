"""Find the cheapest of the models that certainly take a request."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING, Unpack

from tokenfare.budget import Options, RequestPreparer, check_input, check_room
from tokenfare.errors import InvalidRequestError, NoModelFits
from tokenfare.messages import Message, Prompt, Wire, needs, parse
from tokenfare.router import (
    Arrange,
    Decision,
    MeasurerFor,
    Question,
    RequirementOptions,
    Requirements,
    RoutingTable,
    SameSize,
    SizeFor,
    Sizing,
    decide,
    refuse_unknown_words,
    requirements_from,
    settle,
    to_record,
)
from tokenfare.texts import facts_of
from tokenfare.tokenizers import Count, measurer_or_bounds

from .counting import options_from
from .documents import Documents, documents_of

if TYPE_CHECKING:  # so that only the first call that needs the catalogue's class loads it
    from tokenfare.catalog import Catalog
    from tokenfare.router.recorded import Record
    from tokenfare.router.replay import Replay


def route(  # noqa: PLR0913 - a request, what is asked of the model, and when
    prompt: Prompt | None = None,
    *,
    input_tokens: int | None = None,
    documents: Documents = (),
    tools: Sequence[Wire] | None = None,
    parameters: Mapping[str, object] | None = None,
    exact: bool = False,
    profile: Requirements | None = None,
    as_of: date | None = None,
    catalog: Catalog | None = None,
    **requirements: Unpack[RequirementOptions],
) -> Decision:
    """Find the cheapest model that certainly takes a request.

    Args:
        prompt: A text, or messages in OpenAI's form.
        input_tokens: The size of the request instead of a prompt: everything that the provider
            counts.
        documents: Attached documents: paths of files, or `Document` values.
        tools: As for `count_messages`.
        parameters: As for `count_messages`. The room for the answer is `max_output_tokens` alone.
        exact: Count the whole request. By default a long text is counted only as far as the
            decision needs: the size and the fare may then be intervals, and models that rank below
            the chosen one may be rejected because they "may not fit".
        profile: Requirements to start from; the keywords below replace its fields.
        as_of: The day to decide on. By default the catalogue's own day, which is today for the
            shipped catalogue.
        catalog: The catalogue to decide by, instead of the shipped one with your own files on top.
        requirements: The fields of `Requirements`: `max_output_tokens`, `allow`, `purpose`,
            `max_fare`, ...

    Raises:
        NoModelFits: No model takes the request. The error's `decision` has the reason for every
            model.
        InvalidRequestError: An argument is invalid, or names something that no model of the
            catalogue has.

    Examples:
        >>> from datetime import date
        >>> import tokenfare as tf
        >>> decision = tf.route("Hello, world", allow=["qwen-*"], as_of=date(2024, 12, 18))
        >>> decision.model.id
        'qwen-turbo'
        >>> print(decision.fare)
        0.0000039 to 0.0006033 CNY
        >>> decision.rejected[0].detail
        'qwen-audio-turbo: only a trial quota, then every call is an error'
    """
    if (prompt is None) == (input_tokens is None):
        given = "neither is given" if prompt is None else "both are"
        raise InvalidRequestError(f"give either a prompt or input_tokens; {given}")
    facts = facts_of(catalog, as_of)
    wanted = requirements_from(requirements, profile)
    if input_tokens is not None:
        if documents or tools is not None or parameters is not None:
            raise InvalidRequestError(
                "input_tokens is the whole request; documents, tools and parameters need a prompt"
            )
        return route_sized(SameSize(Count.exactly(check_input(input_tokens))), wanted, facts)
    messages = parse(prompt if prompt is not None else "")
    along, options = documents_of(documents), options_from(tools, parameters)
    check_room(wanted.max_output_tokens, parameters or {})
    wanted = needing(wanted, messages, options)
    if exact:
        preparer = RequestPreparer(messages, along, measurer_or_bounds, options)
        return route_sized(preparer.size_for, wanted, facts)

    def arrange(by: MeasurerFor) -> RequestPreparer:
        return RequestPreparer(messages, along, by, options, itemized=False)

    return route_arranged(arrange, wanted, facts)


def routing_table(
    *,
    profile: Requirements | None = None,
    as_of: date | None = None,
    catalog: Catalog | None = None,
    **requirements: Unpack[RequirementOptions],
) -> RoutingTable:
    """Work out the cheapest model for every input length, for many decisions on the same terms.

    `routing_table(...).decide(n)` decides as `route(input_tokens=n, ...)` does, except that it
    returns a decision without a winner if no model fits, instead of raising. The keywords are
    those of `route`.

    Examples:
        >>> from datetime import date
        >>> import tokenfare as tf
        >>> table = tf.routing_table(allow=["qwen-turbo", "qwen-long"], as_of=date(2024, 12, 18))
        >>> [(i.first, i.last, i.model.id if i.model else None) for i in table.intervals]
        [(1, 129024, 'qwen-turbo'), (129025, 10000000, 'qwen-long'), (10000001, None, None)]
        >>> table.decide(500_000).model.id
        'qwen-long'
    """
    facts = facts_of(catalog, as_of)
    return RoutingTable(_question(requirements_from(requirements, profile), facts))


def replay(
    record: Decision | Record | str | Mapping[str, object],
    *,
    as_of: date | None = None,
    catalog: Catalog | None = None,
) -> Replay:
    """Decide a recorded request again, on another day or with another catalogue, and compare.

    Args:
        record: A decision, or its record from `to_record`, as a dict or as JSON (`tokenfare route
            --json` prints one).
        as_of: The day to decide on; by default the catalogue's own day.
        catalog: The catalogue to decide by.

    Raises:
        InputError: The record cannot be read.

    Examples:
        >>> from datetime import date
        >>> import tokenfare as tf
        >>> then = tf.route(input_tokens=1_000, allow=["qwen-*"], as_of=date(2024, 12, 18))
        >>> again = tf.replay(tf.to_record(then), as_of=date(2026, 4, 1))
        >>> again.same, again.now.model.id
        (True, 'qwen-turbo')
    """
    from tokenfare.router.recorded import Record, from_record
    from tokenfare.router.replay import replay

    if isinstance(record, Decision):
        record = to_record(record)
    if not isinstance(record, Record):
        record = from_record(record if isinstance(record, str) else json.dumps(record))
    facts = facts_of(catalog, as_of)
    return replay(record, facts.models(all=True), day=facts.day, digest=facts.digest)


def route_sized(size_for: SizeFor, requirements: Requirements, catalog: Catalog) -> Decision:
    """Decide with a function that returns the request's size on a model. Raises `NoModelFits`."""
    asking = _question(requirements, catalog)
    return _decision_or_error(
        decide(asking.models, size_for, requirements, day=asking.day, digest=asking.digest)
    )


def route_arranged(arrange: Arrange, requirements: Requirements, catalog: Catalog) -> Decision:
    """Decide on a request, counting only as far as the decision needs.

    Raises `NoModelFits`.
    """
    return _decision_or_error(
        settle(_question(requirements, catalog), Sizing(arrange, measurer_or_bounds))
    )


def _decision_or_error(decision: Decision) -> Decision:
    if not decision.found:
        way = f"; for {way}" if (way := decision.way_out()) else ""
        raise NoModelFits(
            f"no model takes this on {decision.day}: {decision.nearest_misses()}{way}", decision
        )
    return decision


@lru_cache(maxsize=32)
def _question(requirements: Requirements, catalog: Catalog) -> Question:
    models = catalog.models(all=True)
    refuse_unknown_words(requirements, models)
    return Question(models, requirements, catalog.day, catalog.digest)


def needing(
    requirements: Requirements, messages: Iterable[Message], options: Options
) -> Requirements:
    """The requirements plus what the request itself needs: modalities, reasoning, answers.

    Raises `InvalidRequestError` if the two contradict each other.
    """
    if requirements.thinking and options.thinking is False:
        raise InvalidRequestError(
            "thinking=True and enable_thinking=False in the request's parameters contradict each "
            "other; leave one of them out"
        )
    if requirements.answers > 1 and options.answers not in (1, requirements.answers):
        raise InvalidRequestError(
            f"answers={requirements.answers} and n={options.answers} in the request's parameters "
            "contradict each other; leave one of them out"
        )
    return replace(
        requirements,
        needs=requirements.needs | needs(messages),
        thinking=requirements.thinking or options.thinking is True,
        answers=max(requirements.answers, options.answers),
    )

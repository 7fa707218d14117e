"""Makes the rows of a plan's table from blocks, column by column.

The prediction is the same for all requests of one outcome, so it is stored once for each outcome
and looked up for each request.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from tokenfare.batch.choice.outcomes import Outcome, Outcomes
from tokenfare.batch.choice.output_lines import Sending
from tokenfare.batch.extra import required
from tokenfare.batch.uninterrupted import undisturbed

from .table import plain_schema, rounded_down, rounded_up

_FREE = Decimal(0)


class Predicted:
    """The predictions by outcome, as columns that grow as outcomes come up."""

    def __init__(self) -> None:
        """Raises `MissingExtra` without pyarrow."""
        self._schema = plain_schema()
        self._known = 0
        self._columns = {name: self._array(name, []) for name in _NAMES}

    def of(self, outcomes: Outcomes) -> Mapping[str, Any]:
        """The columns by name, with a value for each outcome. Known outcomes keep their values."""
        known = len(outcomes)  # the planning thread may add outcomes at the end meanwhile
        if self._known < known:
            arrow = required("pyarrow")
            found = [_predicted(outcomes[number]) for number in range(self._known, known)]
            for i, name in enumerate(_NAMES):
                new = self._array(name, [each[i] for each in found])
                self._columns[name] = arrow.concat_arrays([self._columns[name], new])
            self._known += len(found)
        return self._columns

    def _array(self, name: str, values: list[object]) -> Any:
        with undisturbed():
            return required("pyarrow").array(values, self._schema.field(name).type)


class SentRows:
    """Rows of blocks, collected until they are many: small tables take as long as large ones."""

    def __init__(self) -> None:
        """Raises `MissingExtra` without pyarrow."""
        self._arrow: Any = required("pyarrow")
        self._schema = plain_schema()
        self._predicted = Predicted()
        self._files: list[Any] = []
        self._sent: list[Any] = []
        self._outcomes: list[Outcomes] = []  # of the last block
        self._number = 0

    def __len__(self) -> int:
        """The number of rows that are waiting."""
        return self._number

    def add(self, file: str, sending: Sending) -> None:
        """Take the requests of the next block of the input."""
        sent = self._arrow.array(sending.sent)
        name = self._arrow.scalar(file, self._arrow.string())
        self._files.append(self._arrow.repeat(name, len(sent)))
        self._sent.append(sent)
        self._outcomes = [sending.outcomes]
        self._number += len(sent)

    def take(self) -> Any:
        """Remove all rows that are waiting, at least one, as an Arrow table of `plain_schema`."""
        arrow, schema = self._arrow, self._schema
        sent = arrow.concat_arrays(self._sent)
        [outcomes] = self._outcomes
        known = self._predicted.of(outcomes)
        columns = {name: column.take(sent.field("outcome")) for name, column in known.items()}
        sent_as = sent.field("sent_as")
        if sent_as.null_count < len(sent_as):
            carried = required("pyarrow.compute").is_valid(sent_as)
            for name in ("fare_low", "fare_high"):
                free = arrow.scalar(_FREE, schema.field(name).type)
                columns[name] = required("pyarrow.compute").if_else(carried, free, columns[name])
        columns["file"] = arrow.concat_arrays(self._files)
        columns["line"], columns["custom_id"] = sent.field("line"), sent.field("custom_id")
        columns["sent_as"] = sent_as
        self._files, self._sent, self._number = [], [], 0
        return arrow.table([columns[name] for name in schema.names], schema=schema)


_NAMES = (
    "model",
    "batch",
    "input_low",
    "input_high",
    "max_output_tokens",
    "fare_low",
    "fare_high",
    "currency",
)


def _predicted(outcome: Outcome) -> tuple[object, ...]:
    """The values of an outcome for the columns `_NAMES`."""
    service, model, size = outcome
    requirements = service.requirements
    low, high = service.amounts(model, size)
    return (
        model.id,
        requirements.batch,
        size.low,
        size.high,
        requirements.max_output_tokens,
        rounded_down(low),
        rounded_up(high),
        requirements.currency,
    )

"""Reads the JSON of a decision that `record` wrote."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import ClassVar

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, ValidationError

from tokenfare.catalog import Model
from tokenfare.errors import InputError, InvalidRequestError
from tokenfare.money import Money
from tokenfare.tokenizers import Count

from .requirement_options import requirements_from
from .requirements import Requirements
from .requirements_file import Whole, WrittenRequirements, in_words


class _Lenient(BaseModel):
    """A model that ignores unknown keys, since a later version may add some."""

    model_config: ClassVar[ConfigDict] = ConfigDict(frozen=True, strict=True, extra="ignore")


class _Tokens(_Lenient):
    value: Whole
    low: Whole
    high: Whole


class _Fare(_Lenient):
    low: str
    high: str
    currency: str


class _Ranked(_Lenient):
    model: str
    fare: _Fare


class _Rejected(_Lenient):
    model: str
    reason: str
    detail: str


class _Sizes(_Lenient):
    tokenizer: str | None
    tokens: _Tokens
    models: list[str]


class _Record(_Lenient):
    model: str | None
    as_of: str
    catalog: str
    # Older records call this key `asked`.
    requirements: WrittenRequirements = Field(
        validation_alias=AliasChoices("requirements", "asked")
    )
    sizes: list[_Sizes]
    ranked: list[_Ranked]
    rejected: list[_Rejected]


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome for one model: the high end of its fare, or why it was rejected."""

    fare: Money | None
    detail: str

    def __str__(self) -> str:
        """In words, without the model's name."""
        return self.detail if self.fare is None else f"up to {self.fare}"


@dataclass(frozen=True, slots=True)
class Record:
    """A decision as it was recorded; `outcomes` are by the model's id."""

    model: str | None
    day: date
    digest: str
    requirements: Requirements
    sizes: RecordedSizes = field(repr=False)
    outcomes: Mapping[str, Outcome] = field(repr=False)


@dataclass(frozen=True, slots=True)
class RecordedSizes:
    """The sizes of a recorded request, by model and by tokenizer (`None`: any)."""

    by_model: Mapping[str, Count]
    by_tokenizer: Mapping[str | None, Count]

    def known(self, model: Model) -> bool:
        """Whether the request was counted with the model's tokenizer."""
        return self._found(model) is not None

    def __call__(self, model: Model) -> Count:
        """The size on a model: as recorded, or else the range over all models of its tokenizer."""
        found = self._found(model)
        if found is None:
            raise InvalidRequestError(f"{model.id}: its tokenizer was not counted with")
        return found

    def _found(self, model: Model) -> Count | None:
        found = self.by_model.get(model.id) or self.by_tokenizer.get(model.tokenizer)
        return found or self.by_tokenizer.get(None)


def from_record(text: str, name: str = "record") -> Record:
    """Read the JSON of a `to_record`. Raises `InputError`, which names the place."""
    try:
        data = json.loads(text)
        found = _Record.model_validate(data)
        return _read(found)
    except json.JSONDecodeError as error:
        raise InputError(
            name, f"not JSON: {error.msg} in line {error.lineno}, column {error.colno}"
        ) from None
    except ValidationError as error:
        key, expected = in_words(error, WrittenRequirements.model_fields)
        where = f"{key}: " if key else ""
        raise InputError(name, f"not a decision: {where}{expected}") from None
    except (InvalidRequestError, RecursionError, ValueError, TypeError, ArithmeticError) as error:
        raise InputError(name, f"not a decision: {error}") from None


def _read(found: _Record) -> Record:
    by_model: dict[str, Count] = {}
    by_tokenizer: dict[str | None, Count] = {}
    for row in found.sizes:
        count = Count(row.tokens.value, row.tokens.low, row.tokens.high, "recorded")
        by_model.update(dict.fromkeys(row.models, count))
        by_tokenizer[row.tokenizer] = _both(by_tokenizer.get(row.tokenizer, count), count)
    outcomes = {entry.model: Outcome(_fare(entry), "ranked") for entry in found.ranked}
    if found.model is not None and found.model not in outcomes:
        raise ValueError(f"model: {found.model!r} is not among the models under `ranked`")
    outcomes |= {
        entry.model: Outcome(None, entry.detail.removeprefix(f"{entry.model}: "))
        for entry in found.rejected
    }
    return Record(
        found.model,
        date.fromisoformat(found.as_of),
        found.catalog,
        requirements_from(found.requirements.given),
        RecordedSizes(by_model, by_tokenizer),
        outcomes,
    )


def _fare(entry: _Ranked) -> Money:
    try:
        return Money.parse(entry.fare.high, entry.fare.currency)
    except ValueError as error:
        raise ValueError(f"ranked: {entry.model}: fare.high: expected {error}") from None


def _both(one: Count, other: Count) -> Count:
    return Count(
        max(one.value, other.value), min(one.low, other.low), max(one.high, other.high), "recorded"
    )

"""The catalogue: facts of every day, as seen on one day.

`Catalog.load()` reads the shipped catalogue and lays the user's files over it; `as_of` gives the
same catalogue on another day without reading the files again. Models are built on first use and
cached. A catalogue is immutable: laying a file over it gives a new one.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path

from tokenfare.errors import InvalidRequestError, UnknownModel
from tokenfare.plurals import number_of
from tokenfare.variables import given_by

from . import facts as facts_module
from . import load
from .facts import Facts
from .history import model_on, provider_on
from .index import FILES_VARIABLE
from .learnt import LearntLimits, together
from .model import Model, Provider

_NEAREST = 3


def today() -> date:
    """Today by this machine's clock and time zone."""
    return datetime.now(tz=UTC).astimezone().date()


def paths_in(environment: Mapping[str, str]) -> tuple[str, ...]:
    """The files that `TOKENFARE_CATALOG` names."""
    return tuple(filter(None, environment.get(FILES_VARIABLE, "").split(os.pathsep)))


def _named(paths: object) -> list[Path]:
    """Check that these are paths, before any file is opened."""
    if not isinstance(paths, Iterable):
        paths = [paths]
    given = list(paths)
    odd = [path for path in given if not isinstance(path, str | os.PathLike)]
    if odd:
        raise InvalidRequestError(
            f"a catalogue file is named by its path (str or os.PathLike), not {odd[0]!r}"
            + ("; a day is given as day=…" if isinstance(odd[0], date) else "")
        )
    return [Path(path) for path in given]


def _checked(day: object) -> date:
    """Check a day. A `datetime` is refused, since its day depends on the time zone."""
    if isinstance(day, date) and not isinstance(day, datetime):
        return day
    raise InvalidRequestError(f"a day is a datetime.date such as date(2024, 12, 18), not {day!r}")


class Catalog:
    """The known models and providers, as they are on one day.

    A catalogue is immutable: `as_of` and `overlay` return another one.

    Examples:
        >>> from datetime import date
        >>> import tokenfare as tf
        >>> catalog = tf.Catalog.load(day=date(2024, 12, 18))
        >>> catalog.get("qwen-max").limits.max_input
        30720
        >>> print(catalog.get("qwen-plus").price.cost(input_tokens=1_000, output_tokens=500))
        0.0018 CNY
    """

    def __init__(
        self, facts: Facts, day: date, learnt: Mapping[str, LearntLimits] | None = None
    ) -> None:
        """Create a catalogue from facts; use `Catalog.load` instead."""
        self._facts = facts
        self._day = _checked(day)
        self._learnt: Mapping[str, LearntLimits] = learnt or {}
        self._built: dict[str, Model] = {}
        self._listed: dict[bool, tuple[Model, ...]] = {}

    @classmethod
    def load(
        cls,
        paths: str | os.PathLike[str] | Sequence[str | os.PathLike[str]] | None = None,
        *,
        day: date | None = None,
        clock: Callable[[], date] = today,
        environment: Mapping[str, str] | None = None,
    ) -> Catalog:
        """Load the shipped catalogue, with your own files laid over it.

        Args:
            paths: One file, or several in the order in which to lay them over. By default those
                named in the variable `TOKENFARE_CATALOG`, separated as in `PATH`; an empty list
                means none.
            day: The day to look at; today by default.
            clock: A function that returns today's date.
            environment: Where to look up the variable; by default `os.environ`.

        Raises:
            CatalogError: A file is invalid; the error has its path and key.
        """
        variable = FILES_VARIABLE if paths is None else None
        if paths is None:
            paths = paths_in(os.environ if environment is None else environment)
        if isinstance(paths, str | os.PathLike):
            paths = (paths,)
        facts = load.shipped()
        for path in _named(paths):
            with given_by(variable):
                facts = load.overlaid_file(facts, path)
        return cls(facts, clock() if day is None else day)

    @property
    def day(self) -> date:
        """The day of this catalogue."""
        return self._day

    @property
    def digest(self) -> str:
        """SHA-256, in hex, of the facts of all days, including limits learnt from refusals.

        Catalogues with the same digest decide alike on the same day.
        """
        if not self._learnt:
            return self._facts.digest
        bounds = [(name, *limits.bounds) for name, limits in sorted(self._learnt.items())]
        return facts_module.sha256(f"{self._facts.digest} {json.dumps(bounds)}".encode())

    @property
    def newest_price(self) -> date | None:
        """The latest day from which a price in this catalogue applies; `None` without any price.

        Fares of later days are assumptions: the last known prices are taken to still apply.
        """
        prices = (price for row in self._facts.models.values() for price in row.prices)
        return max((price.since for price in prices if price.priced), default=None)

    def as_of(self, day: date) -> Catalog:
        """The same catalogue on another day."""
        return Catalog(self._facts, day, self._learnt)

    def overlay(self, path: str | Path) -> Catalog:
        """The same catalogue with one more file laid over it.

        New models are added. For a known model, a fact in the file replaces that fact from its
        first `from` day on. Raises `CatalogError`.
        """
        return Catalog(load.overlaid_file(self._facts, *_named([path])), self._day, self._learnt)

    def learning(self, model_id: str, learnt: LearntLimits) -> Catalog:
        """The same catalogue with limits that a provider named when it refused a request."""
        return Catalog(self._facts, self._day, together(self._learnt, model_id, learnt))

    def get(self, name: str) -> Model:
        """The model of this name: an id or an alias, optionally after a provider and a slash.

        Retired models are found too; `status` says so. Raises `UnknownModel` with the nearest ids.
        """
        if not isinstance(name, str):
            raise InvalidRequestError(f"a model is named by a text, not {type(name).__name__}")
        model_id = self._facts.named(name) or self._facts.named(self._bare(name))
        if model_id is None:
            raise UnknownModel(name, self._nearest(self._bare(name)))
        return self._model(model_id)

    def models(self, *, all: bool = False) -> tuple[Model, ...]:  # noqa: A002 - reads as the flag
        """The models that are served on the day, by id; with `all`, the others too."""
        if all not in self._listed:
            found = (self._model(model_id) for model_id in sorted(self._facts.models))
            self._listed[all] = tuple(m for m in found if all or m.status == "available")
        return self._listed[all]

    def provider(self, name: str) -> Provider:
        """The provider of this id. Raises `InvalidRequestError` if there is none."""
        row = self._facts.providers.get(name)
        if row is None:
            known = ", ".join(sorted(self._facts.providers))
            raise InvalidRequestError(f"no provider is called {name!r}; known: {known}")
        return provider_on(row, self._day, self._facts)

    def __repr__(self) -> str:
        """Show the number of models and the day."""
        return f"<Catalog of {number_of(len(self._facts.models), 'model')} on {self._day}>"

    def _model(self, model_id: str) -> Model:
        model = self._built.get(model_id)
        if model is None:
            model = model_on(self._facts.models[model_id], self._day, self._facts)
            if model_id in self._learnt:
                model = self._learnt[model_id].laid_over(model)
            self._built[model_id] = model
        return model

    def _bare(self, name: str) -> str:
        """The name without a known provider before it: `qwen-plus` for `alibaba/qwen-plus`.

        A colon may stand for the slash.
        """
        ends = [at for at in (name.find("/"), name.find(":")) if at > 0]
        cut = min(ends, default=None)
        if cut is None or name[:cut].lower() not in self._facts.prefixes:
            return name
        return name[cut + 1 :]

    def _nearest(self, name: str) -> tuple[str, ...]:
        """The ids that are most similar to a name, the most similar first.

        If the name ends in a month and a day, the snapshot of that day comes before all others.
        """
        import difflib  # only for an error
        import re

        name, names = name.lower(), tuple(self._facts.names)
        short = re.fullmatch(r"(.+)-(\d\d)(\d\d)", name)
        whole = short and re.compile(rf"{re.escape(short[1])}-\d{{4}}-{short[2]}-{short[3]}")
        dated = [each for each in names if whole and whole.fullmatch(each)]
        close = difflib.get_close_matches(name, names, n=2 * _NEAREST)
        ids = dict.fromkeys(filter(None, map(self._facts.named, [*dated, *close])))
        return tuple(ids)[:_NEAREST]

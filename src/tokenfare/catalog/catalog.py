"""The catalogue: facts of every day, seen from one day.

`Catalog.load()` reads the shipped files and lays the user's over them; `as_of` looks from another
day without reading anything again. Models are built when they are first asked for and kept. A
catalogue never changes: laying a file over one gives another.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path

from tokenfare.errors import InvalidRequestError, UnknownModel

from . import facts as facts_module
from . import load
from .facts import Facts
from .history import model_on, provider_on
from .index import FILES_VARIABLE
from .learnt import Learnt, together
from .model import Model, Provider

_NEAREST = 3


def today() -> date:
    """Today by this machine's clock and time zone."""
    return datetime.now(tz=UTC).astimezone().date()


def paths_in(environment: Mapping[str, str]) -> tuple[str, ...]:
    """The files that `TOKENFARE_CATALOG` names."""
    return tuple(filter(None, environment.get(FILES_VARIABLE, "").split(os.pathsep)))


def _named(paths: object) -> list[Path]:
    """Paths as they are; what is none is told so before a file is looked for."""
    if not isinstance(paths, Iterable):
        paths = [paths]
    given = list(paths)
    odd = [path for path in given if not isinstance(path, str | os.PathLike)]
    if odd:
        raise InvalidRequestError(
            f"a catalogue file is named by its path (str or os.PathLike), not {odd[0]!r}"
        )
    return [Path(path) for path in given]


def _checked(day: object) -> date:
    """A day as it is. A moment is none: which day it falls on is a question of the time zone."""
    if isinstance(day, date) and not isinstance(day, datetime):
        return day
    raise InvalidRequestError(f"a day is a datetime.date such as date(2024, 12, 18), not {day!r}")


class Catalog:
    """Models and providers as they are on `day`."""

    def __init__(self, facts: Facts, day: date, learnt: Mapping[str, Learnt] | None = None) -> None:
        """Look at facts from a day; people use `Catalog.load`."""
        self._facts = facts
        self._day = _checked(day)
        self._learnt: Mapping[str, Learnt] = learnt or {}
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
        """The shipped catalogue with files laid over it, in their order.

        The files are `paths` (one, or a list), or those that the variable `TOKENFARE_CATALOG`
        names, with a colon between two (a semicolon on Windows); an empty `paths` asks for ours
        alone. `day` is today by `clock` if not given. Raises `CatalogError` for a file that is not
        one.
        """
        if paths is None:
            paths = paths_in(os.environ if environment is None else environment)
        if isinstance(paths, str | os.PathLike):
            paths = (paths,)
        facts = load.shipped()
        for path in _named(paths):
            facts = load.overlaid_file(facts, path)
        return cls(facts, clock() if day is None else day)

    @property
    def day(self) -> date:
        """The day that this catalogue answers for."""
        return self._day

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of the facts of every day, whatever files they are spread over.

        What was learnt from refusals is a part of it.
        """
        if not self._learnt:
            return self._facts.digest
        return facts_module.sha256(f"{self._facts.digest} {sorted(self._learnt.items())}".encode())

    def as_of(self, day: date) -> Catalog:
        """The same facts on another day."""
        return Catalog(self._facts, day, self._learnt)

    def overlay(self, path: str | Path) -> Catalog:
        """This catalogue with one more file laid over it.

        The file's models are added; where it speaks of a fact of a model that is known already, it
        alone is heard on that fact from its first `from` on.
        """
        return Catalog(load.overlaid_file(self._facts, *_named([path])), self._day, self._learnt)

    def learning(self, model_id: str, learnt: Learnt) -> Catalog:
        """This catalogue with limits of a model that a provider named in a refusal."""
        return Catalog(self._facts, self._day, together(self._learnt, model_id, learnt))

    def get(self, name: str) -> Model:
        """The model of this name: its id, another spelling, or `dashscope/qwen-plus`.

        Raises `UnknownModel` with the nearest names. A retired model is found; its status says so.
        """
        if not isinstance(name, str):
            raise InvalidRequestError(f"a model is named by a text, not {type(name).__name__}")
        model_id = self._facts.named(name) or self._facts.named(self._bare(name))
        if model_id is None:
            raise UnknownModel(name, self._nearest(self._bare(name)))
        return self._model(model_id)

    def models(self, *, all: bool = False) -> tuple[Model, ...]:  # noqa: A002 - reads as the flag
        """The models that are served on the day, by id; with `all`, those of every day.

        They are built at the first question and kept.
        """
        if all not in self._listed:
            found = (self._model(model_id) for model_id in sorted(self._facts.models))
            self._listed[all] = tuple(m for m in found if all or m.status == "available")
        return self._listed[all]

    def provider(self, name: str) -> Provider:
        """The provider of this id. Raises `InvalidRequestError` if none has it."""
        row = self._facts.providers.get(name)
        if row is None:
            known = ", ".join(sorted(self._facts.providers))
            raise InvalidRequestError(f"no provider is called {name!r}; known: {known}")
        return provider_on(row, self._day, self._facts)

    def __repr__(self) -> str:
        """How many models, on which day."""
        return f"<Catalog of {len(self._facts.models)} models on {self._day}>"

    def _model(self, model_id: str) -> Model:
        model = self._built.get(model_id)
        if model is None:
            model = model_on(self._facts.models[model_id], self._day, self._facts)
            if model_id in self._learnt:
                model = self._learnt[model_id].laid_over(model)
            self._built[model_id] = model
        return model

    def _bare(self, name: str) -> str:
        """`qwen-plus` of `dashscope/qwen-plus` and `alibaba:qwen-plus`."""
        ends = [at for at in (name.find("/"), name.find(":")) if at > 0]
        cut = min(ends, default=None)
        if cut is None or name[:cut].lower() not in self._facts.prefixes:
            return name
        return name[cut + 1 :]

    def _nearest(self, name: str) -> tuple[str, ...]:
        """Ids, the nearest first, by how much of the letters they share.

        Before all of them, for a name that ends in month and day, the snapshot of that day.
        """
        import difflib  # for a mistake only
        import re

        name, names = name.lower(), tuple(self._facts.names)
        short = re.fullmatch(r"(.+)-(\d\d)(\d\d)", name)
        whole = short and re.compile(rf"{re.escape(short[1])}-\d{{4}}-{short[2]}-{short[3]}")
        dated = [each for each in names if whole and whole.fullmatch(each)]
        close = difflib.get_close_matches(name, names, n=2 * _NEAREST)
        ids = dict.fromkeys(filter(None, map(self._facts.named, [*dated, *close])))
        return tuple(ids)[:_NEAREST]

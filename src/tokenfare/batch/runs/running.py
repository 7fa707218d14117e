"""An open plan folder: its plan, its journal, and a channel to the provider.

Every command on a plan's folder opens one (`running`) for its duration.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from tokenfare.api import default_catalog
from tokenfare.catalog import BatchRules, Catalog
from tokenfare.client.settings import DEFAULT_PROVIDER, Settings, settings
from tokenfare.client.unknown_options import refuse_unknown
from tokenfare.dispatch import Flow, drive
from tokenfare.errors import InvalidRequestError

from .journal import Journal, journal
from .plan_folder import Planned, planned

T = TypeVar("T")

_ENDPOINT = "endpoint"
_FACTS_AND_PLACE = {"catalog", "api_key", "base_url"}  # arguments of a client beside its options


@dataclass(frozen=True, slots=True)
class Running:
    """An open plan folder: what is planned, what was done, and how to call the provider."""

    plan: Planned
    journal: Journal
    settings: Settings
    http: Any

    def ask(self, flow: Flow[T]) -> T:
        """Run a flow to its result."""
        return drive(flow, self.http)

    def claim(self) -> None:
        """Bind the folder to this endpoint, to which something is being sent."""
        self.journal.state(_ENDPOINT, self.settings.channel.endpoint.base_url)

    def disclaim(self) -> None:
        """Undo `claim`: nothing was sent."""
        self.journal.forget(_ENDPOINT)

    @property
    def rules(self) -> BatchRules:
        """The rules of the batch service. Raises `InvalidRequestError` if there is none."""
        catalog = self.settings.learning.catalog
        provider = catalog.provider(self.settings.provider)
        if provider.batch is None:
            raise InvalidRequestError(
                f"{provider.name} has no batch service: send the plan live "
                f"(`tokenfare batch run --all`)"
            )
        return provider.batch


@contextmanager
def running(
    folder: str | os.PathLike[str], *, exclusive: bool = True, **options: Any
) -> Iterator[Running]:
    """Open a plan's folder to work on it; `options` are those of `tokenfare.Client`.

    With `exclusive`, it is locked against other processes. Raises `InputError` if it is not a plan,
    `InvalidRequestError` if another process works on it or if it was sent to another endpoint,
    `MissingKey` without a key, and `TypeError` for an unknown option.
    """
    import httpx

    refuse_unknown(name for name in options if name not in _FACTS_AND_PLACE)
    plan = planned(folder)
    catalog = options.pop("catalog", None) or default_catalog(plan.day)
    options["provider"] = options.get("provider") or _provider_of(plan, catalog)
    made = settings(catalog, **options)
    with journal(plan.folder, exclusive=exclusive) as opened:
        _same_endpoint(plan.folder, opened, made.channel.endpoint.base_url)
        with httpx.Client() as http:
            try:
                yield Running(plan, opened, made, http)
            finally:
                made.books.close()


def _provider_of(plan: Planned, catalog: Catalog) -> str:
    """The provider of the plan's models, which must be the same for all."""
    found = sorted({catalog.get(file.model).provider for file in plan.files})
    if len(found) > 1:
        raise InvalidRequestError(
            f"{plan.folder}: has models of {', '.join(found)}; plan each provider separately"
        )
    return found[0] if found else DEFAULT_PROVIDER


def _same_endpoint(folder: Path, opened: Journal, url: str) -> None:
    was = opened.fact(_ENDPOINT)
    if was not in {None, url}:
        raise InvalidRequestError(
            f"{folder}: was sent to {was}, and not to {url}; give that base URL, or plan the "
            f"requests into another folder"
        )

"""What both clients have: how they are made, what they decide by, and which options they vary."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from datetime import date
from typing import TYPE_CHECKING, Any, NoReturn, Self, Unpack

from tokenfare.api import Documents
from tokenfare.catalog.catalog import today
from tokenfare.dispatch import OnWait
from tokenfare.errors import InvalidRequestError
from tokenfare.messages import Prompt
from tokenfare.router import RequirementOptions, Requirements, requirements_from
from tokenfare.texts import facts_of

from .plan import Ladder, ladder
from .settings import Options, Settings, settings
from .unknown_options import refuse_unknown

if TYPE_CHECKING:  # see `facts_of`
    from tokenfare.catalog import Catalog


class BaseClient(ABC):
    """A client without its connections: `Client` and `AsyncClient` hold those."""

    _lent = False

    def __init__(
        self,
        *,
        api_key: str | Callable[[], str] | None = None,
        base_url: str | None = None,
        catalog: Catalog | None = None,
        as_of: date | None = None,
        http_client: Any = None,
        **options: Unpack[Options],
    ) -> None:
        """Prepare to call the provider; nothing is sent.

        Args:
            api_key: The API key; by default that in the provider's variable, `DASHSCOPE_API_KEY`.
                Or what is asked for it at the beginning of each call, quickly, such as a
                `tokenfare.dispatch.KeyFile`, for keys that are exchanged while the client lives.
            base_url: Any OpenAI-compatible endpoint; by default that of the provider in its region.
            catalog: The catalogue to decide by; by default the shipped one under your own files.
            as_of: The day to decide on; by default that of `catalog`, and without one the day of
                each call by this machine's clock.
            http_client: A client of httpx or httpx2 to send with; it stays yours to close.
            options: See `tokenfare.client.settings.Options`.

        Raises:
            MissingKey: No API key was given and the variable is not set.
            TypeError: There is no such option; the error says what is meant.
        """
        refuse_unknown(options)
        if catalog is None and as_of is None:
            options.setdefault("today", today)
        known = facts_of(catalog)
        facts = known if as_of is None else known.as_of(as_of)
        self._settings: Settings = settings(facts, api_key=api_key, base_url=base_url, **options)
        self._hold(http_client)

    @abstractmethod
    def _hold(self, http_client: Any) -> None:
        """Keep the connections to call by: the caller's, or new ones."""

    def _share(self) -> None:  # noqa: B027 - there may be nothing to open
        """Open what a copy of this client is to have in common with it."""

    def __repr__(self) -> str:
        """Where it calls and with which day's facts; never the key."""
        return (
            f"<{type(self).__name__} of {self.base_url} on {self._settings.learning.catalog.day}>"
        )

    def __reduce__(self) -> NoReturn:
        raise InvalidRequestError(
            f"{self!r} holds connections and a key, and does not travel to another process: make "
            "a client there, with the same arguments"
        )

    @property
    def base_url(self) -> str:
        """Where it calls."""
        return self._settings.channel.endpoint.base_url

    @property
    def on_wait(self) -> OnWait | None:
        """What is told of each wait, if it was given."""
        return self._settings.channel.on_wait

    @property
    def catalog(self) -> Catalog:
        """The catalogue that calls are decided by, with the limits that refusals have named."""
        return self._settings.learning.catalog

    def requirements(self, **requirements: Unpack[RequirementOptions]) -> Requirements:
        """What a call with these keywords asks: the client's profile under them, its own provider.

        Raises `InvalidRequestError` for what it cannot ask.
        """
        return self._settings.held(requirements_from(requirements, self._settings.profile))

    def with_options(
        self,
        *,
        project: str | None = None,
        api_key: str | None = None,
        escalate: bool | Requirements | None = None,
        on_wait: OnWait | None = None,
    ) -> Self:
        """This client for another project, another key or another way to fall back.

        It has the connections, the ledger and the limiter of this one and closes nothing, so one
        may be made for each call. With another key, rate limits are kept apart and uploaded files
        deleted after the call.

        Args:
            project: The name that calls are booked under.
            api_key: The API key.
            escalate: As for the client; or requirements that the models after the first are to
                meet, whatever is asked of the first.
            on_wait: As for the client.
        """
        self._share()
        other = object.__new__(type(self))
        other.__dict__.update(self.__dict__)
        other._settings = self._settings.varied(
            project=project, api_key=api_key, escalate=escalate, on_wait=on_wait
        )
        other._lent = True
        return other

    def _close_files(self) -> None:
        self._settings.books.close()
        self._settings.uploads.close()
        self._settings.pace.close()

    def _ladder(
        self,
        prompt: Prompt,
        documents: Documents,
        parameters: Mapping[str, object],
        options: RequirementOptions,
    ) -> Ladder:
        return ladder(
            prompt,
            documents,
            self.requirements(**options),
            self._settings.learning.catalog,
            parameters=parameters,
            escalate=self._settings.escalate,
        )

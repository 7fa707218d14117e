"""What both clients share: their construction, their catalogue, and their options."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, NoReturn, Self, Unpack

from tokenfare.api import Documents
from tokenfare.catalog.catalog import Catalog, today
from tokenfare.dispatch import OnWait
from tokenfare.errors import InvalidRequestError
from tokenfare.messages import Prompt
from tokenfare.router import RequirementOptions, Requirements, requirements_from
from tokenfare.texts import facts_of

from .model_ladder import Ladder, ladder
from .settings import Options, Settings, settings
from .unknown_options import refuse_unknown


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
            api_key: The API key; by default that of the provider's variable, `DASHSCOPE_API_KEY`.
                Or a function that returns the key, called at the beginning of each call, such as
                `tokenfare.dispatch.KeyFile`, for keys that are rotated.
            base_url: Any OpenAI-compatible endpoint; by default that of the provider in its region.
            catalog: The catalogue to decide by; by default the shipped one with your own files laid
                over it.
            as_of: The day to decide on; by default that of `catalog` or, without one, the day of
                each call by this machine's clock.
            http_client: A client of httpx or httpx2 to send with; it stays yours to close, and to
                replace after a fork.
            options: See `tokenfare.client.settings.Options`.

        Raises:
            MissingKey: No API key was given and the variable is not set.
            TypeError: There is no such option; the error says what may be meant.
        """
        refuse_unknown(options)
        if catalog is None and as_of is None:
            options.setdefault("today", today)
        facts = facts_of(catalog, as_of)
        self._settings: Settings = settings(facts, api_key=api_key, base_url=base_url, **options)
        self._hold(http_client)

    @abstractmethod
    def _hold(self, http_client: Any) -> None:
        """Keep the connections to call by: the caller's, or new ones."""

    def __repr__(self) -> str:
        """Show the address and the day of the facts; never the key."""
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
        """The base URL of the endpoint."""
        return self._settings.channel.endpoint.base_url

    @property
    def on_wait(self) -> OnWait | None:
        """The callback for each wait, if one was given."""
        return self._settings.channel.on_wait

    @property
    def catalog(self) -> Catalog:
        """The catalogue that calls are decided by, including limits learnt from refusals."""
        return self._settings.learning.catalog

    def requirements(self, **requirements: Unpack[RequirementOptions]) -> Requirements:
        """The requirements of a call with these keywords, over the client's profile.

        Raises `InvalidRequestError` for requirements that this client cannot meet.
        """
        return self._settings.restrict(requirements_from(requirements, self._settings.profile))

    def with_options(
        self,
        *,
        project: str | None = None,
        api_key: str | None = None,
        escalate: bool | Requirements | None = None,
        on_wait: OnWait | None = None,
    ) -> Self:
        """A copy of this client for another project, another key or another fallback.

        The copy shares connections, ledger and limiter with this client and need not be closed, so
        you can make one for each call. With another key, rate limits are kept apart and uploaded
        files are deleted after the call.

        Args:
            project: The name that calls are booked under.
            api_key: The API key.
            escalate: As for the client; or requirements for the models after the first, in place of
                the call's own.
            on_wait: As for the client.
        """
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

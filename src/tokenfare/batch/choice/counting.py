"""The sizes of the requests of a chunk, on every kind of models that may take them.

The plain chats (roles and texts) of a chunk are counted together on all cores, once for all kinds
that differ only in what such chats do not have: tools, JSON mode, media.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeAlias

from tokenfare.batch.inputs.requests import Request
from tokenfare.budget import Rules, count_chats, count_request, rules_of
from tokenfare.catalog import Model
from tokenfare.messages import parse
from tokenfare.tokenizers import Bounds, Count, Measurer, Tokenizer, measurer_or_bounds

from .services import Service, Sizes

_PlainKind: TypeAlias = tuple[str, Rules]
"""The tokenizer, and what a chat template adds to plain chats."""


class Counter:
    """Counts the requests of one chunk, each once for all models that count it alike."""

    def __init__(self, requests: Sequence[Request]) -> None:
        """Keep the requests; nothing is counted yet."""
        self._requests = requests
        self._plain: dict[_PlainKind, dict[int, Count]] = {}
        self._by_service: dict[Service, tuple[dict[int, Count], ...]] = {}
        self._places = [i for i, each in enumerate(requests) if each.plain]

    def sizes(self, place: int, service: Service) -> Sizes:
        """A request's size on each kind of a service. Raises `InvalidRequestError`."""
        request = self._requests[place]
        if request.plain:
            return tuple([sizes[place] for sizes in self._of_plain(service)])
        return tuple(_count_one(request, kind[0]) for kind in service.kinds)

    def _of_plain(self, service: Service) -> tuple[dict[int, Count], ...]:
        """The sizes of all plain requests, on each kind of a service."""
        if service not in self._by_service:
            kinds = (alike_for_plain(kind[0]) for kind in service.kinds)
            self._by_service[service] = tuple(map(self._in_bulk, kinds))
        return self._by_service[service]

    def _in_bulk(self, kind: _PlainKind) -> dict[int, Count]:
        if kind not in self._plain:
            name, rules = kind
            chats = [self._requests[i].messages for i in self._places]
            counter = _ends(name)
            if isinstance(counter, Tokenizer):
                counts = count_chats(chats, rules, counter)
            else:
                counts = [count_request(parse(chat), rules, counter).total for chat in chats]
            self._plain[kind] = dict(zip(self._places, counts, strict=True))
        return self._plain[kind]


def _ends(name: str) -> Measurer:
    """The tokenizer; or its bounds without an estimate, which takes longest and is not needed."""
    found = measurer_or_bounds(name)
    return replace(found, guess=len) if isinstance(found, Bounds) else found


def alike_for_plain(model: Model) -> _PlainKind:
    """A key that is the same for models on which every plain chat has the same size."""
    return model.tokenizer, _for_plain(rules_of(model))


def _for_plain(rules: Rules) -> Rules:
    """The rules without what plain chats do not have, so that more models count alike."""
    chat = replace(rules.chat, json_mode=(0, 0), control_tokens=None)
    return Rules("", chat)


def _count_one(request: Request, model: Model) -> Count:
    counter = _ends(model.tokenizer)
    return count_request(parse(request.messages), model, counter, request.options).total

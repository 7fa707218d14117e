"""The sizes of many requests at once, on every class of models that may take them.

Plain chats (roles and texts) of a chunk are counted together on all cores, once for all classes
that differ only in what such chats do not have: tools, JSON mode, media.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import replace

from tokenfare.budget import Rules, count_chats, count_request, rules_of
from tokenfare.catalog import Model
from tokenfare.messages import parse
from tokenfare.tokenizers import Count, Tokenizer, measurer

from .choosing import Service, Sizes
from .requests import Request


class Counter:
    """Counts the requests of one chunk; what was counted is kept as long as the chunk."""

    def __init__(self, requests: Sequence[Request]) -> None:
        """Keep the requests; nothing is counted yet."""
        self._requests = requests
        self._plain: dict[Hashable, dict[int, Count]] = {}
        self._places = [i for i, each in enumerate(requests) if each.plain]

    def sizes(self, place: int, service: Service) -> Sizes:
        """A request's size on each class of a service. Raises `InvalidRequestError`."""
        request = self._requests[place]
        if request.plain:
            return tuple(self._in_bulk(kind[0])[place] for kind in service.kinds)
        return tuple(_alone(request, kind[0]) for kind in service.kinds)

    def _in_bulk(self, model: Model) -> dict[int, Count]:
        rules = _for_plain(rules_of(model))
        kind = (model.tokenizer, rules)
        if kind not in self._plain:
            chats = [self._requests[i].messages for i in self._places]
            counter = measurer(model.tokenizer)
            if isinstance(counter, Tokenizer):
                counts = count_chats(chats, rules, counter)
            else:
                counts = [count_request(parse(chat), rules, counter).total for chat in chats]
            self._plain[kind] = dict(zip(self._places, counts, strict=True))
        return self._plain[kind]


def _for_plain(rules: Rules) -> Rules:
    """The rules without what plain chats do not meet, so that more models count alike."""
    chat = replace(rules.chat, json_mode=(0, 0), control_tokens=None)
    return Rules("", chat)


def _alone(request: Request, model: Model) -> Count:
    counter = measurer(model.tokenizer)
    return count_request(parse(request.messages), model, counter, request.options).total

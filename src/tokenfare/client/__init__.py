"""Router and dispatch joined: choose the cheapest model that takes a request, and ask it."""

from __future__ import annotations

from .clients import AsyncChatStream as AsyncChatStream
from .clients import AsyncClient as AsyncClient
from .clients import ChatStream as ChatStream
from .clients import Client as Client
from .model_ladder import ladder as ladder
from .reply import Reply as Reply

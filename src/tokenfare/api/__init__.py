"""The top-level functions: counting, fitting, shortening and routing of requests.

The layers below take everything as an argument: the catalogue, the day, a tokenizer. The functions
here fill in the defaults (the shipped catalogue, today) and call one function of a layer.
`counting` is about sizes, `documents` about attached files, `routing` about models, `shortening`
about what is too long.
"""

from __future__ import annotations

from tokenfare.texts import DEFAULT_TOKENIZER as DEFAULT_TOKENIZER
from tokenfare.texts import count as count
from tokenfare.texts import default_catalog as default_catalog
from tokenfare.texts import measurer_for as measurer_for
from tokenfare.texts import tokenizer_for as tokenizer_for

from .counting import conversation as conversation
from .counting import count_chats as count_chats
from .counting import count_image as count_image
from .counting import count_messages as count_messages
from .counting import fits as fits
from .counting import options_from as options_from
from .counting import parameters_of as parameters_of
from .counting import rules_for as rules_for
from .counting import size_on as size_on
from .documents import Documents as Documents
from .documents import document_of as document_of
from .documents import documents_of as documents_of
from .documents import read_document as read_document
from .routing import needing as needing
from .routing import replay as replay
from .routing import route as route
from .routing import route_arranged as route_arranged
from .routing import route_sized as route_sized
from .routing import routing_table as routing_table
from .shortening import DEFAULT_TEMPLATE as DEFAULT_TEMPLATE
from .shortening import split as split
from .shortening import trim as trim
from .shortening import truncate as truncate

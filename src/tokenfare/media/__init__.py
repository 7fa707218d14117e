"""Reads the size of media: pixels, seconds or text, from headers where these are enough.

It knows files and formats; `tokenfare.budget` counts their tokens. Nothing is fetched: a URL that
is not a `data:` URL is opened only by a function that the caller passes in. The libraries that read
the formats (imagesize, tinytag, pypdfium2) come with the extra `media` and are imported when
needed.
"""

from __future__ import annotations

from .document import DocumentText as DocumentText
from .document import is_text as is_text
from .document import read_document as read_document
from .image import Picture as Picture
from .image import is_side as is_side
from .image import picture as picture
from .image import size_of as size_of
from .sound import Sound as Sound
from .sound import sound as sound
from .source import Fetch as Fetch
from .source import Source as Source
from .source import opened as opened

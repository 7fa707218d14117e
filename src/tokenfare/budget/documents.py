"""How many tokens a document is: those of its text, or an interval around them.

A text file is billed as its text. A PDF or DOCX is parsed by the provider, and the result is
billed: tables become markup, headers are dropped or repeated, a scanned page is read as an image.
The interval for those is a judgement and not proved, which `how="extraction"` says: from half to
twice the tokens of the text that is read here, and more for each page.
"""

from __future__ import annotations

from tokenfare.messages import Document
from tokenfare.tokenizers import Count, Measurer

_FACTOR = 2
_MOST = 500
_PAGE_MOST = 100
_BLANK_PAGE_MOST = 2_000


def count_document(document: Document, measurer: Measurer) -> Count:
    """The tokens of a document alone."""
    read = measurer.measure(document.text)
    if not document.parsed:
        return read
    pages = document.pages * _PAGE_MOST + document.blank_pages * _BLANK_PAGE_MOST
    return Count.within(
        read.value, read.low // _FACTOR, read.high * _FACTOR + pages + _MOST, "extraction"
    )

"""Reads the text of a document: exact for a text file, an estimate for PDF and DOCX.

The provider parses documents itself (tables, scanned pages, layout), and bills only its own result.
The text that is read here is close to it at best; `exact` says whether it is the same.
"""

from __future__ import annotations

import io
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tokenfare.errors import InputError
from tokenfare.extras import required

if TYPE_CHECKING:  # the XML parser is loaded only for a DOCX
    from xml.etree import ElementTree as ET

_WORD = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_PDF, _DOCX = b"%PDF", b"PK\x03\x04"
_MAX_XML_BYTES = 256 * 1024 * 1024
"""A DOCX unpacks to about ten times its size; one that unpacks to more than this is an attack."""


@dataclass(frozen=True, slots=True)
class DocumentText:
    """The text that was read, and whether it is exactly what the provider will read.

    `pages` is the number of pages, if known; `blank_pages` is the number of those without text,
    which are most likely scanned.
    """

    text: str
    exact: bool
    pages: int = 0
    blank_pages: int = 0


def read_document(name: str, content: bytes) -> DocumentText:
    """Read a PDF, a DOCX or UTF-8 text; the first bytes tell which it is.

    Raises `InputError` with `name` if it cannot be read, `MissingExtra` if a PDF needs pypdfium2
    and it is not installed.
    """
    if content.startswith(_PDF):
        return _pdf(name, content)
    if content.startswith(_DOCX):
        return _docx(name, content)
    try:
        return DocumentText(content.decode(), exact=True)
    except UnicodeDecodeError as error:
        raise InputError(
            name,
            f"not UTF-8: byte 0x{content[error.start]:02x} at offset {error.start}; "
            "and not a PDF or DOCX",
        ) from None


def is_text(beginning: bytes) -> bool:
    """Whether a document that begins with these bytes (at least four) is read as text."""
    return not beginning.startswith((_PDF, _DOCX))


def _pdf(name: str, content: bytes) -> DocumentText:
    pypdfium2 = required("pypdfium2", "reading a PDF", "media")
    try:
        with closing(pypdfium2.PdfDocument(content)) as document:
            texts = [page.get_textpage().get_text_range() for page in document]
    except pypdfium2.PdfiumError as error:
        raise InputError(name, f"a PDF that cannot be read: {error}") from None
    blank = sum(not text.strip() for text in texts)
    return DocumentText("\n".join(texts), exact=False, pages=len(texts), blank_pages=blank)


def _docx(name: str, content: bytes) -> DocumentText:
    import zipfile
    from xml.etree import ElementTree as ET

    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            part = packed.getinfo("word/document.xml")
            if part.file_size > _MAX_XML_BYTES:
                raise InputError(name, f"unpacks to {part.file_size:,} bytes of text")
            xml = packed.read(part)
    except KeyError:
        raise InputError(name, "a ZIP file that is not a DOCX") from None
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
        raise InputError(name, f"a DOCX that cannot be read: {error}") from None
    try:
        root = ET.fromstring(xml)  # noqa: S314 - expat itself stops runaway entities, since 2.4.1
    except ET.ParseError as error:
        raise InputError(name, f"a DOCX that cannot be read: {error}") from None
    return DocumentText("\n".join(map(_paragraph, root.iter(f"{_WORD}p"))), exact=False)


def _paragraph(paragraph: ET.Element) -> str:
    return "".join(_run(node) for node in paragraph.iter())


def _run(node: ET.Element) -> str:
    if node.tag == f"{_WORD}t":
        return node.text or ""
    return {f"{_WORD}tab": "\t", f"{_WORD}br": "\n"}.get(node.tag, "")

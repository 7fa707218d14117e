"""The text of a document, read here: exact for a text file, an estimate for PDF and DOCX.

The provider parses documents by its own means (tables, scanned pages, layout), and only that text
is billed. What is read here is near it at best; `exact` says which it is.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tokenfare.errors import InputError
from tokenfare.extras import required

if TYPE_CHECKING:  # reading XML is loaded when there is a DOCX
    from xml.etree import ElementTree as ET

_WORD = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_PDF, _DOCX = b"%PDF", b"PK\x03\x04"
_MAX_XML_BYTES = 256 * 1024 * 1024
"""A DOCX unpacks to about ten times its size; more than this is no document but an attack."""


@dataclass(frozen=True, slots=True)
class DocumentText:
    """What was read: the text, and whether that is just what the provider will read.

    `pages` is how many there are, if that is known, `blank_pages` on how many of them no text was
    found: scanned ones, most likely.
    """

    text: str
    exact: bool
    pages: int = 0
    blank_pages: int = 0


def read_document(name: str, content: bytes) -> DocumentText:
    """Read a document by its first bytes: PDF, DOCX, or text in UTF-8.

    Raises `InputError` with `name` for what cannot be read, `MissingExtra` if a PDF needs pypdfium2
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
    """Whether a document that begins with these bytes, four or more, is read as a text."""
    return not beginning.startswith((_PDF, _DOCX))


def _pdf(name: str, content: bytes) -> DocumentText:
    pypdfium2 = required("pypdfium2", "reading a PDF", "media")
    try:
        document = pypdfium2.PdfDocument(content)
    except pypdfium2.PdfiumError as error:
        raise InputError(name, f"a PDF that cannot be read: {error}") from None
    try:
        texts = [page.get_textpage().get_text_range() for page in document]
    except pypdfium2.PdfiumError as error:
        raise InputError(name, f"a PDF that cannot be read: {error}") from None
    finally:
        document.close()
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
        root = ET.fromstring(xml)  # noqa: S314 - expat stops runaway entities by itself (2.4.1 on)
    except ET.ParseError as error:
        raise InputError(name, f"a DOCX that cannot be read: {error}") from None
    return DocumentText("\n".join(map(_paragraph, root.iter(f"{_WORD}p"))), exact=False)


def _paragraph(paragraph: ET.Element) -> str:
    return "".join(_run(node) for node in paragraph.iter())


def _run(node: ET.Element) -> str:
    if node.tag == f"{_WORD}t":
        return node.text or ""
    return {f"{_WORD}tab": "\t", f"{_WORD}br": "\n"}.get(node.tag, "")

"""Reads the text of a document: exact for a text file, an estimate for PDF and DOCX.

The provider parses documents itself (tables, scanned pages, layout), and bills only its own result.
The text that is read here is close to it at best; `exact` says whether it is the same.
"""

from __future__ import annotations

import io
from contextlib import closing
from dataclasses import dataclass

from tokenfare.errors import InputError
from tokenfare.extras import required

_WORD = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_PARAGRAPH, _TEXT = f"{_WORD}p", f"{_WORD}t"
_SPACES = {f"{_WORD}tab": "\t", f"{_WORD}br": "\n"}
_PDF, _DOCX = b"%PDF", b"PK\x03\x04"
_MAX_XML_BYTES = 256 * 1024 * 1024
"""A DOCX that unpacks to more is an attack, as is a small one that unpacks to a hundred times its
size: about ten times are usual."""
_FREE_XML_BYTES = 16 * 1024 * 1024
_MAX_GROWTH = 100
_DEEPEST = 10_000
"""Elements within each other; the parser keeps something of each."""


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

    Of a DOCX, at most 256 MB of XML are read, and beyond 16 MB at most a hundred times the size of
    the file, since a small file can unpack to any length.

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
    from xml.etree import ElementTree as ET

    found = _Paragraphs()
    parser = ET.XMLParser(target=found)  # noqa: S314 - expat stops runaway entities, since 2.4.1
    xml = _document_xml(name, content)
    try:
        parser.feed(xml)
        parser.close()
    except (ET.ParseError, ValueError, LookupError) as error:  # the latter two for encodings
        raise InputError(name, f"a DOCX that cannot be read: {error}") from None
    return DocumentText(found.text, exact=False)


def _document_xml(name: str, content: bytes) -> bytes:
    import zipfile

    most = min(_MAX_XML_BYTES, max(_FREE_XML_BYTES, _MAX_GROWTH * len(content)))
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            part = packed.getinfo("word/document.xml")
            # By OPC there is no other way. What is packed by bzip2 may unpack to gigabytes at once.
            known = part.compress_type in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
            if known and part.file_size <= most:
                return packed.read(part)
    except KeyError:
        raise InputError(name, "a ZIP file that is not a DOCX") from None
    except Exception as error:  # noqa: BLE001 - zipfile lets errors of zlib and others through
        raise InputError(name, f"a DOCX that cannot be read: {error}") from None
    if not known:
        problem = "its text is not packed by deflate; save it again as DOCX"
        raise InputError(name, f"a DOCX that cannot be read: {problem}")
    raise InputError(
        name,
        f"unpacks to {part.file_size:,} bytes of text; {most:,} are read of a file of its size",
    )


class _Paragraphs:
    """Collects the text of paragraphs from the events of an XML parser.

    No tree is built, which would take fifty times the memory of the XML, and of a paragraph that
    has ended only the text is kept. A paragraph within another one, as in a text box, is a line of
    its own. Raises `ValueError` if elements are nested too deeply.
    """

    def __init__(self) -> None:
        self._ended = io.StringIO()
        self._depth = 0
        self._lines: list[list[str]] = []
        self._open: list[list[str]] = []
        self._in_text = False

    def start(self, tag: str, _: object) -> None:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise ValueError(f"more than {_DEEPEST:,} elements within each other")
        self._in_text = tag == _TEXT
        if tag == _PARAGRAPH:
            self._open.append([])
            self._lines.append(self._open[-1])
        elif tag in _SPACES:
            self._add(_SPACES[tag])

    def data(self, text: str) -> None:
        if self._in_text:
            self._add(text)

    def end(self, tag: str) -> None:
        self._depth -= 1
        self._in_text = False
        if tag == _PARAGRAPH:
            self._open.pop()
            if not self._open:
                self._keep()

    @property
    def text(self) -> str:
        return self._ended.getvalue().removesuffix("\n")

    def _keep(self) -> None:
        """Keep the text alone of the outermost paragraph and those within it."""
        for line in self._lines:
            self._ended.write("".join(line) + "\n")
        self._lines.clear()

    def _add(self, text: str) -> None:
        if self._open:
            self._open[-1].append(text)

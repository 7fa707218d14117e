"""Documents: a text is its text, a PDF or DOCX an interval around what is read of it here."""

from __future__ import annotations

import io
import sys
import tracemalloc
import zipfile
from pathlib import Path

import pytest

import tokenfare as tf
from models import model
from tokenfare.budget import PreparedRequest, count_request, prepare
from tokenfare.catalog import DocumentRules, Limits
from tokenfare.errors import InputError, MissingExtra
from tokenfare.media import read_document
from tokenfare.messages import Document, parse
from tokenfare.tokenizers import get_tokenizer

QWEN = get_tokenizer("qwen")
LONG = model(
    "long",
    limits=Limits(max_input=10_000_000),
    documents=DocumentRules("file-extract", 9_000, 9_000, 100, 150_000_000),
)
WORDS = "Hello, world. This is the first page."


def pdf(*pages: str) -> bytes:
    """A PDF with a line of text on each page."""
    objects = [b"<</Type/Catalog/Pages 2 0 R>>"]
    kids = " ".join(f"{3 + 2 * i} 0 R" for i in range(len(pages)))
    objects.append(f"<</Type/Pages/Kids[{kids}]/Count {len(pages)}>>".encode())
    for i, text in enumerate(pages):
        font = "<</Font<</F1<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>"
        page = f"<</Type/Page/Parent 2 0 R/Resources{font}/MediaBox[0 0 600 800]"
        objects.append(f"{page}/Contents {4 + 2 * i} 0 R>>".encode())
        drawn = f"BT /F1 12 Tf 50 700 Td ({text}) Tj ET".encode()
        objects.append(b"<</Length %d>>stream\n%s\nendstream" % (len(drawn), drawn))
    out = io.BytesIO(b"%PDF-1.4\n")
    out.seek(0, io.SEEK_END)
    starts = []
    for number, body in enumerate(objects, start=1):
        starts.append(out.tell())
        out.write(b"%d 0 obj%s endobj\n" % (number, body))
    xref = out.tell()
    out.write(b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1))
    for start in starts:
        out.write(b"%010d 00000 n \n" % start)
    trailer = b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n"
    out.write(trailer % (len(objects) + 1, xref))
    return out.getvalue()


def docx(*paragraphs: str) -> bytes:
    name = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    body = "".join(f"<w:p><w:r><w:t>{text}</w:t></w:r></w:p>" for text in paragraphs)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
        xml = f'<w:document xmlns:w="{name}"><w:body>{body}</w:body></w:document>'
        packed.writestr("word/document.xml", xml)
    return file.getvalue()


def uploaded(document: Document) -> PreparedRequest:
    return prepare(parse("What is it about?"), [document], LONG, QWEN)


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "a.txt").write_text(WORDS)
    (tmp_path / "a.pdf").write_bytes(pdf(WORDS, "The second one."))
    (tmp_path / "scan.pdf").write_bytes(pdf(WORDS, "", ""))
    (tmp_path / "a.docx").write_bytes(docx(WORDS, "另一段。"))
    return tmp_path


def test_a_text_file_is_counted_as_its_text(files: Path) -> None:
    prepared = uploaded(tf.read_document(files / "a.txt"))
    assert int(prepared.count.of("documents")) == QWEN.count(WORDS)
    assert prepared.count.total.exact


@pytest.mark.parametrize("name", ["a.pdf", "a.docx"])
def test_what_the_provider_parses_is_an_interval_that_says_so(files: Path, name: str) -> None:
    document = tf.read_document(files / name)
    found = uploaded(document).count.of("documents")
    assert found.how == "extraction"
    assert found.value == QWEN.count(document.text)
    assert found.low <= QWEN.count(WORDS) < 2 * QWEN.count(WORDS) <= found.high


def test_the_text_of_a_pdf_and_of_a_docx_is_read(files: Path) -> None:
    assert tf.read_document(files / "a.pdf").text.split() == f"{WORDS} The second one.".split()
    assert tf.read_document(files / "a.docx").text == f"{WORDS}\n另一段。"


def test_pages_without_text_widen_the_interval(files: Path) -> None:
    document = tf.read_document(files / "scan.pdf")
    assert (document.pages, document.blank_pages) == (3, 2)
    assert uploaded(document).count.total.high > 2 * 2_000


def test_the_file_itself_is_kept_for_uploading_and_a_text_is_not(files: Path) -> None:
    assert tf.read_document(files / "a.pdf").content == (files / "a.pdf").read_bytes()
    assert tf.read_document(files / "a.txt").content is None


def test_inside_a_message_the_text_that_was_read_is_what_is_sent(files: Path) -> None:
    document = tf.read_document(files / "a.pdf")
    prepared = prepare(parse("What is it about?"), [document], model(), QWEN)
    (message,) = prepared.messages
    assert message.wire["content"] == f"{document.text}\n\nWhat is it about?"
    assert prepared.count.total.exact
    assert int(prepared.count.of("documents")) == QWEN.count(f"{document.text}\n\n")
    text = f"{document.text}\n\nWhat is it about?"
    assert int(prepared.count.total) == QWEN.count(text) + 5 + 3


def test_the_same_file_twice_is_uploaded_and_counted_once(files: Path) -> None:
    document = tf.read_document(files / "a.pdf")
    once = prepare(parse("Well?"), [document], LONG, QWEN).count.total
    assert prepare(parse("Well?"), [document, document], LONG, QWEN).count.total == once


def test_files_of_which_only_the_id_is_known_can_be_anything() -> None:
    messages = parse(
        [
            {"role": "system", "content": "You are a helpful assistant."},
            {"role": "system", "content": "fileid://file-fe-a,fileid://file-fe-b"},
            {"role": "user", "content": "Are they the same?"},
        ]
    )
    found = count_request(messages, LONG, QWEN)
    assert (found.of("documents").low, found.of("documents").high) == (0, 10_000_000)
    assert count_request(messages, model(), QWEN).total.exact  # elsewhere it is just a text


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"%PDF-1.7 broken", "a PDF that cannot be read"),
        (b"PK\x03\x04 broken", "a DOCX that cannot be read"),
        (b"\xff\xfe", "not UTF-8: byte 0xff at offset 0; and not a PDF or DOCX"),
    ],
)
def test_what_cannot_be_read_is_said_with_the_files_name(content: bytes, says: str) -> None:
    with pytest.raises(InputError, match=f"^a.bin: {says}"):
        read_document("a.bin", content)


def test_an_archive_that_is_no_docx_is_refused() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as packed:
        packed.writestr("a.txt", "hello")
    with pytest.raises(InputError, match="a ZIP file that is not a DOCX"):
        read_document("a.zip", file.getvalue())


def test_entities_that_grow_without_end_are_refused() -> None:
    file = io.BytesIO()
    entities = '<!ENTITY a0 "ha">' + "".join(
        f'<!ENTITY a{i} "{f"&a{i - 1};" * 10}">' for i in range(1, 20)
    )
    with zipfile.ZipFile(file, "w") as packed:
        packed.writestr("word/document.xml", f"<!DOCTYPE x [{entities}]><x>&a19;</x>")
    with pytest.raises(InputError, match="a DOCX that cannot be read"):
        read_document("a.docx", file.getvalue())


def docx_of(xml: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("word/document.xml", xml)
    return file.getvalue()


WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"


def test_a_paragraph_within_a_paragraph_is_read_once() -> None:
    """As in a text box. Each was repeated by all around it: 2,000 of ten letters were 20 MB."""
    deep = "<w:p><w:r><w:t>one</w:t><w:tab/><w:t>two</w:t></w:r>" * 3 + "<w:r><w:br/></w:r>"
    xml = f'<w:document xmlns:w="{WORD}"><w:t>no</w:t>{deep}{"</w:p>" * 3}</w:document>'
    assert read_document("a.docx", docx_of(xml)).text == "one\ttwo\none\ttwo\none\ttwo\n"


def test_reading_a_docx_needs_no_memory_for_its_elements() -> None:
    """A few kilobytes of them were packed; as a tree they took a hundred bytes each."""
    content = docx_of(f'<w:document xmlns:w="{WORD}">{"<w:x/>" * 300_000}</w:document>')
    tracemalloc.start()
    try:
        read_document("a.docx", content)
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()


def test_of_a_paragraph_that_has_ended_only_its_text_is_kept() -> None:
    """Each empty one took 64 bytes: a file of 240 KB took four gigabytes."""
    content = docx_of(f'<w:document xmlns:w="{WORD}">{"<w:p/>" * 300_000}</w:document>')
    tracemalloc.start()
    try:
        assert read_document("a.docx", content).text == "\n" * 299_999
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()


def test_a_docx_that_unpacks_to_a_thousand_times_its_size_is_refused() -> None:
    xml = f'<w:document xmlns:w="{WORD}">{"<w:p/>" * 3_000_000}</w:document>'
    with pytest.raises(InputError, match=r"^a\.docx: unpacks to 18,000,\d+ bytes of text; 16,777"):
        read_document("a.docx", docx_of(xml))


@pytest.mark.parametrize("tag", ["w:p", "w:x"])
def test_elements_nested_without_end_are_refused(tag: str) -> None:
    xml = f'<w:document xmlns:w="{WORD}">{f"<{tag}>" * 20_000}{f"</{tag}>" * 20_000}</w:document>'
    with pytest.raises(InputError, match="more than 10,000 elements within each other"):
        read_document("a.docx", docx_of(xml))


@pytest.mark.parametrize("packing", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_docx_is_packed_by_deflate_alone(packing: int) -> None:
    """A kilobyte of bzip2 that claims to be 100 bytes long took two gigabytes."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", packing) as packed:
        packed.writestr("word/document.xml", f'<w:document xmlns:w="{WORD}"/>')
    with pytest.raises(InputError, match=r"^a\.docx: .* not packed by deflate; save it again"):
        read_document("a.docx", file.getvalue())


@pytest.mark.parametrize("packing", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_damaged_docx_is_said_to_be_one(packing: int) -> None:
    """They were zlib's and lzma's own errors, and an `OSError`."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", packing) as packed:
        packed.writestr("word/document.xml", f'<w:document xmlns:w="{WORD}"/>')
        packed.writestr("b", "")
    damaged = bytearray(file.getvalue())
    start = 30 + len("word/document.xml")
    damaged[start : start + 20] = b"\xff" * 20
    with pytest.raises(InputError, match=r"^a\.docx: a DOCX that cannot be read"):
        read_document("a.docx", bytes(damaged))


@pytest.mark.parametrize("encoding", ["big5", "no-such"])
def test_a_docx_in_an_encoding_that_expat_does_not_know(encoding: str) -> None:
    xml = f'<?xml version="1.0" encoding="{encoding}"?><x/>'
    with pytest.raises(InputError, match="a DOCX that cannot be read"):
        read_document("a.docx", docx_of(xml))


def test_a_file_that_is_not_there_is_said() -> None:
    with pytest.raises(InputError, match="no such file"):
        tf.read_document("/no/such/file")


def test_without_the_library_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pypdfium2", None)
    with pytest.raises(MissingExtra, match=r"pip install 'tokenfare\[media\]'"):
        read_document("a.pdf", pdf("x"))

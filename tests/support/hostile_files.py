"""Files made to break their parser, each with the complaint that it must end in."""

import io
import random
import zipfile
from collections.abc import Callable
from pathlib import Path

from tests.support import samples

FILES = Path(__file__).with_name("files")
LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
BOMB = "<w:p><w:r><w:t>" + " " * (40 * 2**20) + "</w:t></w:r></w:p>"


def doctype(entities: str) -> bytes:
    document = f"<!DOCTYPE x [{entities}]><w:document {samples.WORD}>&l9;</w:document>"
    return samples.package({"word/document.xml": document})


def lying_zip() -> bytes:
    """Make an archive with a member that unpacks to more than its header says."""
    honest = samples.docx(samples.paragraph("x" * 100_000))
    size = zipfile.ZipFile(io.BytesIO(honest)).infolist()[0].file_size
    return honest.replace(size.to_bytes(4, "little"), (1_000).to_bytes(4, "little"))


def encrypted_zip() -> bytes:
    content = bytearray(samples.docx("x"))
    content[6] |= 1  # the flag in the member's own header
    content[content.rindex(b"PK\x01\x02") + 8] |= 1  # and in the directory
    return bytes(content)


def encrypted_pdf() -> bytes:
    locked = (
        b"/Encrypt << /Filter /Standard /V 1 /R 2 /P -4 /O <" + b"ab" * 32 + b"> /U <"
        + b"cd" * 32 + b"> >> /ID [<00> <00>]"
    )  # fmt: skip
    objects = {1: b"<< /Type /Catalog /Pages 2 0 R >>", 2: b"<< /Type /Pages /Count 0 /Kids [] >>"}
    return samples.pdf_objects(objects, trailer=locked)


def pdf_bomb() -> bytes:
    """Pack 200 MB of text operators into 200 kB."""
    font = b"<< /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >>"
    page = b"<< /Type /Page /Parent 2 0 R /Contents 4 0 R /MediaBox [0 0 9 9] /Resources %s >>"
    content = b"BT /F1 12 Tf " + b"(aaaaaaaaaaaa) Tj 1 0 Td " * 8_000_000 + b" ET"
    return samples.pdf_objects(
        {
            1: b"<< /Type /Catalog /Pages 2 0 R >>",
            2: b"<< /Type /Pages /Count 1 /Kids [3 0 R] >>",
            3: page % font,
            4: samples.pdf_stream(content),
        }
    )


def pdf_page_loop() -> bytes:
    pages = b"<< /Type /Pages /Count 9 /Kids [2 0 R 2 0 R] /Parent 2 0 R >>"
    return samples.pdf_objects({1: b"<< /Type /Catalog /Pages 2 0 R >>", 2: pages})


def pdf_many_pages() -> bytes:
    page = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] >>"
    pages = b"<< /Type /Pages /Count 200000 /Kids [%s] >>" % (b"3 0 R " * 200_000)
    return samples.pdf_objects({1: b"<< /Type /Catalog /Pages 2 0 R >>", 2: pages, 3: page})


HOSTILE: list[tuple[str, Callable[[], bytes], str]] = [
    ("a.docx", lambda: samples.docx(BOMB), "unfolds to more"),
    ("a.docx", lambda: samples.docx("", **{f"x{n}": b"" for n in range(5_001)}), "unfolds to more"),
    ("a.docx", lying_zip, "damaged"),
    ("a.docx", encrypted_zip, "password"),
    ("a.docx", lambda: doctype('<!ENTITY l0 "ha">' + LAUGHS), "document type"),
    ("a.docx", lambda: doctype('<!ENTITY l9 SYSTEM "file:///etc/passwd">'), "document type"),
    ("a.docx", lambda: samples.docx("<w:p>" * 100_000), "nested too deeply"),
    ("a.docx", lambda: samples.docx("<w:p></w:x>"), "damaged"),
    ("a.docx", lambda: samples.package({"other.xml": "x"}), "has no word/document.xml"),
    ("a.docx", lambda: samples.docx("x")[:-30], "damaged"),
    ("a.docx", lambda: b"PK\x03\x04" + b"\0" * 100, "damaged"),
    ("a.docx", lambda: samples.docx("<w:p/>"), "no text"),
    ("a.pptx", lambda: samples.pptx({"slide1.xml": ("", "")}, ["slide1.xml"]), "no text"),
    ("a.pptx", lambda: samples.docx("x"), "damaged"),
    ("a.xlsx", lambda: samples.docx("x"), "damaged"),
    ("a.pdf", pdf_bomb, "time or memory"),
    ("a.pdf", pdf_page_loop, "no text|damaged"),
    ("a.pdf", pdf_many_pages, "20,000 pages|time or memory"),
    ("a.pdf", encrypted_pdf, "password"),
    ("a.pdf", lambda: samples.pdf(["", ""]), "only pictures"),
    ("a.pdf", lambda: b"%PDF-1.7\n" + b"garbage " * 1000, "damaged"),
    ("a.pdf", lambda: b"\x89PNG\r\n\x1a\n" + b"\0" * 100, "not that of a .pdf"),
    ("a.html", lambda: b"<div>" * 300_000 + b"x", "time or memory"),
    ("a.html", lambda: b"<script>only()</script>", "no text"),
    ("a.rtf", lambda: b"{\\rtf1 \\u99999999999999? }", "damaged"),
    ("a.rtf", lambda: b"not rtf", "not that of a .rtf"),
    ("a.doc", lambda: (FILES / "handbook.doc").read_bytes()[:3000], "damaged"),
    ("a.doc", lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\xff" * 5000, "damaged"),
    ("a.doc", lambda: b"%PDF-1.7", "not that of a .doc"),
    ("a.csv", lambda: b"a,b\n" + b'"' + b"x" * 200_000, "cannot be read"),
    ("a.csv", lambda: b",".join(b"%d" % n for n in range(2_000)), "1,000 columns"),
    ("a.txt", lambda: b"a" * 30_000_000, "25,000,000 characters"),
    ("a.txt", lambda: b"a" * 101_000_000, "25,000,000 characters"),
    ("a.txt", lambda: b"", "empty"),
    ("a.txt", lambda: b" \n\t\r\n", "no text"),
    ("a.txt", lambda: b"%PDF-1.7 text", "not that of a .txt"),
    ("a.txt", lambda: random.Random(1).randbytes(100_000), "not text"),
    ("a.py", lambda: b"\x7fELF\x02\x01\x01" + b"\0" * 1000, "not text"),
]

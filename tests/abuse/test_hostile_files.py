"""Files made to break their parser: each ends as a refusal, within the limits, and alone."""

import io
import os
import random
import re
import sys
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import openpyxl
import pytest

from assistants.documents.confined import parse
from assistants.documents.limits import Limits
from assistants.domain.retrieval.document_text import DocumentError
from tests.support import samples
from tests.support.index_contract import settle

TIGHT = Limits(memory_bytes=768 * 2**20, cpu_seconds=1, wall_seconds=10)
FILES = Path(__file__).parents[1] / "support/files"
LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
BOMB = "<w:p><w:r><w:t>" + " " * (40 * 2**20) + "</w:t></w:r></w:p>"


def refused(tmp_path: Path, filename: str, content: bytes, limits: Limits = TIGHT) -> DocumentError:
    path = tmp_path / "blob"
    path.write_bytes(content)
    with pytest.raises(DocumentError) as refusal:
        parse(path, filename, limits)
    return refusal.value


def doctype(entities: str) -> bytes:
    document = f"<!DOCTYPE x [{entities}]><w:document {samples.WORD}>&l9;</w:document>"
    return samples.package({"word/document.xml": document})


def lying_zip() -> bytes:
    """A member that unpacks to more than its header says."""
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
    """200 MB of text operators in 200 kB."""
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


def shuffled(content: bytes, seed: int) -> bytes:
    """The same start, then bytes changed here and there."""
    chance, damaged = random.Random(seed), bytearray(content)
    for _ in range(max(8, len(damaged) // 50)):
        damaged[chance.randrange(64, len(damaged))] = chance.randrange(256)
    return bytes(damaged)


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


@pytest.mark.parametrize(
    ("filename", "content", "complaint"),
    HOSTILE,
    ids=[f"{number}{one[0]}" for number, one in enumerate(HOSTILE)],
)
def test_a_hostile_file_is_refused_in_words(
    tmp_path: Path, filename: str, content: Callable[[], bytes], complaint: str
) -> None:
    error = refused(tmp_path, filename, content())
    assert error.code == "invalid_file"
    assert any(one in error.message for one in complaint.split("|")), error.message
    assert error.message.endswith(".")


@pytest.mark.parametrize("kind", ["doc", "docx", "rtf", "pdf"])
@pytest.mark.parametrize("seed", range(6))
def test_a_damaged_file_is_read_or_refused(tmp_path: Path, kind: str, seed: int) -> None:
    path = tmp_path / "blob"
    path.write_bytes(shuffled((FILES / f"handbook.{kind}").read_bytes(), seed))
    try:
        assert parse(path, f"a.{kind}", TIGHT).content
    except DocumentError as error:
        assert error.code == "invalid_file"


@pytest.mark.parametrize(
    ("filename", "content"),
    [
        ("a.json", b"[" * 200_000 + b"]" * 200_000),
        ("a.md", b"# " + b" " * 200_000 + b"x" + b" #" * 100_000),
        ("a.tex", b"\\section{" * 100_000),
        ("a.txt", b"x" * 2_000_000),
        ("a.rtf", b"{\\rtf1 x" + b"{" * 100_000 + b"y"),
    ],
)
def test_what_is_only_odd_is_read(tmp_path: Path, filename: str, content: bytes) -> None:
    path = tmp_path / "blob"
    path.write_bytes(content)
    assert parse(path, filename, TIGHT).content


def test_a_cell_at_the_far_end_of_a_sheet_is_read(tmp_path: Path) -> None:
    workbook = openpyxl.Workbook()
    workbook.worksheets[0]["A1"] = "header"
    workbook.worksheets[0]["XFD1048576"] = "far"
    workbook.save(tmp_path / "blob")
    text = parse(tmp_path / "blob", "a.xlsx", Limits(cpu_seconds=10))
    assert text.content.split() == ["Sheet", "header", "far"]


@pytest.fixture
def endless(tmp_path: Path) -> Iterator[Path]:
    """A file whose reader waits for ever: a pipe that somebody holds open and never writes to."""
    path = tmp_path / "blob"
    os.mkfifo(path)
    writer = os.open(path, os.O_RDWR)
    yield path
    os.close(writer)


def test_a_parser_that_sleeps_is_ended_at_the_wall_limit(endless: Path) -> None:
    with pytest.raises(DocumentError, match="time or memory"):
        parse(endless, "a.txt", Limits(wall_seconds=5))


def test_a_process_that_cannot_start_is_the_fault_of_the_service(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "blob").write_text("text")
    with monkeypatch.context() as patch, pytest.raises(DocumentError) as refusal:
        patch.setattr(sys, "path", [])  # so that the child finds no module of ours
        parse(tmp_path / "blob", "a.txt")
    assert refusal.value.code == "server_error"


def test_the_child_has_no_secret_and_nothing_is_left_of_it(
    endless: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "sesame")
    parser = threading.Thread(target=parse_too_late, args=(endless,))
    parser.start()
    child = confined_child()
    environment = (child / "environ").read_bytes().split(b"\0")
    names = {line.partition(b"=")[0] for line in environment if line}
    assert names <= {b"PATH", b"LD_LIBRARY_PATH", b"PYTHONPATH", b"OPENBLAS_NUM_THREADS"}
    told = (child / "cmdline").read_bytes()
    assert b"sesame" not in told and str(endless).encode() not in told
    settle(lambda: sorted(fd.name for fd in (child / "fd").iterdir()) == ["0", "1", "2"])
    parser.join()
    assert not child.exists()


def parse_too_late(path: Path) -> None:
    with pytest.raises(DocumentError):
        parse(path, "a.txt", Limits(wall_seconds=5))


def confined_child() -> Path:
    """The process, as a folder in /proc, that we have started and that stands under limits."""
    found: list[Path] = []

    def appeared() -> bool:
        for process in Path("/proc").glob("[0-9]*"):
            with suppress(FileNotFoundError, ProcessLookupError):
                ours = f"PPid:\t{os.getpid()}\n" in (process / "status").read_text()
                if ours and re.search(r"Max open files +0 +0", (process / "limits").read_text()):
                    found.append(process)
        return bool(found)

    settle(appeared)
    return found[0]

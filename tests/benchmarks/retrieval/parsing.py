"""How fast each format is read in the confined process, cut into chunks, and embedded."""

import csv
import io
import json
import re
import time
from collections.abc import Callable, Sequence
from html import escape
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import openpyxl

from assistants.documents.chunking import chunks
from assistants.documents.confined import parse
from assistants.domain.retrieval.document_text import ExtractedText
from assistants.ports.search import Embedder
from tests.support import samples

LINES_A_PAGE = 50
EMBEDDED = 10  # chunks


def measure(text: str, embedder: Embedder, pdf: Path | None = None) -> list[dict[str, Any]]:
    """Measure the same text in each format, and a PDF of the caller's."""
    with TemporaryDirectory() as folder:
        rows = []
        for filename, content in _formats(text).items():
            path = Path(folder) / filename
            path.write_bytes(content)
            rows.append(_timed(path, filename))
        if pdf is not None:
            rows.append(_timed(pdf, pdf.name))
    return [*rows, _embedding(text, embedder)]


def _timed(path: Path, filename: str) -> dict[str, Any]:
    text, parsing = _clocked(lambda: parse(path, filename))
    found, chunking = _clocked(lambda: chunks(text))
    return {
        "what": filename,
        "megabytes": round(path.stat().st_size / 1e6, 2),
        "characters": len(text.content),
        "pages": len(text.pages) or None,
        "chunks": len(found),
        "parse_seconds": round(parsing, 3),
        "chunk_seconds": round(chunking, 3),
    }


def _embedding(text: str, embedder: Embedder) -> dict[str, Any]:
    some = [chunk.text for chunk in chunks(ExtractedText(text[:40_000]))[:EMBEDDED]]
    embedder.documents(some[:1])  # loads the weights
    _, seconds = _clocked(lambda: embedder.documents(some))
    return {
        "what": f"embed a chunk with {embedder.model}",
        "seconds": round(seconds / len(some), 4),
    }


def _clocked(work: Callable[[], Any]) -> tuple[Any, float]:
    started = time.perf_counter()
    result = work()
    return result, time.perf_counter() - started


def _formats(text: str) -> dict[str, bytes]:
    lines = [line for line in text.splitlines() if line.strip()]
    pages = ["\n".join(lines[at : at + LINES_A_PAGE]) for at in range(0, len(lines), LINES_A_PAGE)]
    printable = ["".join(c if c.isascii() and c != "\\" else "?" for c in page) for page in pages]
    paragraphs = "".join(samples.paragraph(escape(line)) for line in lines)
    slides = {f"slide{n}.xml": (f"Slide {n}", escape(page)) for n, page in enumerate(pages)}
    return {
        "guide.txt": text.encode(),
        "guide.md": text.encode(),
        "guide.tex": text.encode(),
        "guide.json": json.dumps(lines).encode(),
        "guide.html": "".join(f"<p>{escape(line)}</p>" for line in lines).encode(),
        "guide.pdf": samples.pdf(printable),
        "guide.docx": samples.docx(paragraphs),
        "guide.pptx": samples.pptx(slides, list(slides)),
        "guide.rtf": _rtf(lines),
        "guide.csv": _csv(lines),
        "guide.xlsx": _xlsx(lines),
    }


def _rtf(lines: Sequence[str]) -> bytes:
    escaped = (re.sub(r"([\\{}])", r"\\\1", line) for line in lines)
    body = "\\par\n".join(escaped)
    return f"{{\\rtf1\\ansi {body}}}".encode("ascii", "replace")


def _csv(lines: Sequence[str]) -> bytes:
    out = io.StringIO()
    csv.writer(out).writerows([("number", "line"), *enumerate(lines)])
    return out.getvalue().encode()


def _xlsx(lines: Sequence[str]) -> bytes:
    workbook = openpyxl.Workbook(write_only=True)
    sheet = workbook.create_sheet("Guide")
    for row in [("number", "line"), *enumerate(lines)]:
        sheet.append(row)
    out = io.BytesIO()
    workbook.save(out)
    return out.getvalue()

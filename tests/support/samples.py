"""Small files of every kind, made byte by byte, so that a test can also make them wrong."""

import io
import zipfile
import zlib
from collections.abc import Mapping, Sequence

WORD = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
SLIDES = (
    'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" '
    'xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main" '
    'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
)
RELATIONS = 'xmlns="http://schemas.openxmlformats.org/package/2006/relationships"'


def pdf_objects(objects: Mapping[int, bytes], *, trailer: bytes = b"") -> bytes:
    """Make a PDF of these numbered objects; number 1 is the catalog."""
    out = io.BytesIO()
    out.write(b"%PDF-1.7\n")
    places = {}
    for number, body in sorted(objects.items()):
        places[number] = out.tell()
        out.write(b"%d 0 obj\n%s\nendobj\n" % (number, body))
    start = out.tell()
    out.write(b"xref\n0 1\n0000000000 65535 f \n")
    for number, place in places.items():
        out.write(b"%d 1\n%010d 00000 n \n" % (number, place))
    size = max(objects) + 1
    out.write(b"trailer << /Size %d /Root 1 0 R %s >>\n" % (size, trailer))
    out.write(b"startxref\n%d\n%%%%EOF\n" % start)
    return out.getvalue()


def pdf_stream(content: bytes, more: bytes = b"") -> bytes:
    packed = zlib.compress(content, 9)
    head = b"<< /Length %d /Filter /FlateDecode %s >>" % (len(packed), more)
    return head + b"\nstream\n" + packed + b"\nendstream"


def pdf(pages: Sequence[str], outline: Sequence[tuple[str, int]] = ()) -> bytes:
    """Make a PDF with a page for each text; the outline gives titles and their page, from 0."""
    objects = {
        1: b"<< /Type /Catalog /Pages 2 0 R /Outlines 4 0 R >>",
        3: b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    }
    first_page, first_entry = 10, 10 + 2 * len(pages)
    kids = []
    for number, text in enumerate(pages):
        page = first_page + 2 * number
        kids.append(b"%d 0 R" % page)
        lines = [line.replace("(", "\\(").replace(")", "\\)") for line in text.splitlines()]
        shown = " T* ".join(f"({line}) Tj" for line in lines)
        content = f"BT /F1 12 Tf 14 TL 40 760 Td {shown} ET" if lines else ""
        objects[page] = (
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Contents %d 0 R "
            b"/Resources << /Font << /F1 3 0 R >> >> >>" % (page + 1)
        )
        objects[page + 1] = pdf_stream(content.encode("latin-1"))
    objects[2] = b"<< /Type /Pages /Count %d /Kids [%s] >>" % (len(kids), b" ".join(kids))
    objects[4] = b"<< /Type /Outlines >>"
    if outline:
        last = first_entry + len(outline) - 1
        objects[4] = b"<< /Type /Outlines /First %d 0 R /Last %d 0 R >>" % (first_entry, last)
    for position, (title, target) in enumerate(outline):
        entry = first_entry + position
        after = b"/Next %d 0 R" % (entry + 1) if position + 1 < len(outline) else b""
        objects[entry] = b"<< /Title (%s) /Parent 4 0 R /Dest [%d 0 R /Fit] %s >>" % (
            title.encode("latin-1"),
            first_page + 2 * target,
            after,
        )
    return pdf_objects(objects)


def package(parts: Mapping[str, str | bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return out.getvalue()


def docx(body: str, **more: str | bytes) -> bytes:
    """Make a document: `body` is XML in the namespace `w`, `more` are other parts of `word/`."""
    parts = {f"word/{name}.xml": content for name, content in more.items()}
    document = f"<w:document {WORD}><w:body>{body}</w:body></w:document>"
    return package({"word/document.xml": document, **parts})


def paragraph(text: str, style: str = "", before: str = "") -> str:
    properties = f'<w:pPr><w:pStyle w:val="{style}"/></w:pPr>' if style else ""
    return f"<w:p>{properties}<w:r>{before}<w:t>{text}</w:t></w:r></w:p>"


STYLES = (
    f"<w:styles {WORD}>"
    '<w:style w:styleId="Kop1"><w:pPr><w:outlineLvl w:val="0"/></w:pPr></w:style>'
    '<w:style w:styleId="Kop2"><w:basedOn w:val="Kop1"/><w:pPr><w:outlineLvl w:val="1"/></w:pPr>'
    '</w:style><w:style w:styleId="Eigen"><w:basedOn w:val="Kop2"/></w:style>'
    '<w:style w:styleId="Loop"><w:basedOn w:val="Loop"/></w:style></w:styles>'
)


def pptx(slides: Mapping[str, tuple[str, str]], order: Sequence[str]) -> bytes:
    """Slides by file name: title and text; `order` is that of the presentation."""
    parts: dict[str, str | bytes] = {}
    targets = enumerate(slides)
    parts["ppt/_rels/presentation.xml.rels"] = (
        f"<Relationships {RELATIONS}>"
        + "".join(
            f'<Relationship Id="r{number}" Target="slides/{name}"/>' for number, name in targets
        )
        + "</Relationships>"
    )
    ids = "".join(
        f'<p:sldId id="{256 + n}" r:id="r{list(slides).index(name)}"/>'
        for n, name in enumerate(order)
    )
    parts["ppt/presentation.xml"] = (
        f"<p:presentation {SLIDES}><p:sldIdLst>{ids}</p:sldIdLst></p:presentation>"
    )
    for name, (title, text) in slides.items():
        parts[f"ppt/slides/{name}"] = (
            f"<p:sld {SLIDES}><p:sp><p:nvPr><p:ph type='title'/></p:nvPr>"
            f"<a:p><a:r><a:t>{title}</a:t></a:r></a:p></p:sp>"
            f"<p:sp><a:p><a:r><a:t>{text}</a:t></a:r></a:p></p:sp></p:sld>"
        )
    return package(parts)

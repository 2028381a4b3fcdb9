"""Good files of every kind, read as an upload is read: in the confined process."""

import io
from pathlib import Path

import openpyxl
import pytest

from assistants.documents.confined import parse
from assistants.documents.formats import READERS
from assistants.domain.formats import objection
from assistants.domain.retrieval.document_text import DocumentError, ExtractedText
from tests.support import samples

FILES = Path(__file__).parents[2] / "support/files"


def read(tmp_path: Path, filename: str, content: str | bytes) -> ExtractedText:
    path = tmp_path / "blob"  # as downloaded: without the name that the user gave it
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return parse(path, filename)


def sections(text: ExtractedText) -> list[tuple[int, str, str]]:
    """Level and title of each heading, and the word that its section begins with."""
    return [
        (heading.level, heading.title, text.content[heading.start :].split()[0])
        for heading in text.headings
    ]


def test_a_pdf_has_its_pages_and_its_outline(tmp_path: Path) -> None:
    pages = ["Title page", "Chapter one\nFirst text", "More\nChapter two\nSecond text"]
    outline = [("Chapter one", 1), ("Chapter two", 2), ("Unprinted title", 2)]
    text = read(tmp_path, "manual.PDF", samples.pdf(pages, outline))
    assert text.content == "\n".join(pages) + "\n"
    assert [text.content[start:][:7] for start in text.pages] == ["Title p", "Chapter", "More\nCh"]
    assert sections(text) == [
        (1, "Chapter one", "Chapter"),
        (1, "Chapter two", "Chapter"),
        (1, "Unprinted title", "Chapter"),
    ]


def test_a_docx_has_its_headings_tables_notes_and_pages(tmp_path: Path) -> None:
    body = (
        samples.paragraph("Inleiding", "Kop1")
        + samples.paragraph("caf\u00e9 \U0001f600 &amp; more")
        + samples.paragraph("Eigen stijl", "Eigen")
        + "<w:tbl><w:tr><w:tc>" + samples.paragraph("a") + samples.paragraph("b")
        + "</w:tc><w:tc>" + samples.paragraph("c") + "</w:tc></w:tr></w:tbl>"
        + samples.paragraph("next page", before="<w:lastRenderedPageBreak/>")
        + "<w:p><w:r><w:delText>deleted</w:delText><w:instrText>PAGE</w:instrText>"
        + "<w:Fallback><w:t>twice</w:t></w:Fallback></w:r></w:p>"
        + samples.paragraph("loop", "Loop")
    )  # fmt: skip
    note = f"<w:footnotes {samples.WORD}>{samples.paragraph('a note')}</w:footnotes>"
    text = read(tmp_path, "a.docx", samples.docx(body, styles=samples.STYLES, footnotes=note))
    assert text.content == (
        "Inleiding\ncaf\u00e9 \U0001f600 & more\nEigen stijl\na b \tc \t\n"
        "next page\n\nloop\na note\n"
    )
    assert sections(text) == [(1, "Inleiding", "Inleiding"), (2, "Eigen stijl", "Eigen")]
    assert [text.content[start:].split()[0] for start in text.pages] == ["Inleiding", "next"]


def test_a_pptx_has_its_slides_in_the_order_they_are_shown(tmp_path: Path) -> None:
    slides = {"slide1.xml": ("Last", "bye"), "slide2.xml": ("First", "hello")}
    text = read(tmp_path, "a.pptx", samples.pptx(slides, ["slide2.xml", "slide1.xml"]))
    assert text.content == "First\nhello\n\nLast\nbye\n\n"
    assert sections(text) == [(1, "First", "First"), (1, "Last", "Last")]
    assert [text.content[start:].split()[0] for start in text.pages] == ["First", "Last"]


def test_rows_of_a_workbook_name_their_columns(tmp_path: Path) -> None:
    workbook = openpyxl.Workbook()
    sheet = workbook.worksheets[0]
    sheet.title = "People"
    sheet.append(["Name", "Born", None])
    sheet.append(["Ada", 1815, "extra"])
    sheet.append([None, None, None])
    sheet.append(["Bob", None, None])
    out = io.BytesIO()
    workbook.save(out)
    text = read(tmp_path, "a.xlsx", out.getvalue())
    assert text.content == "People\n\nName, Born\n\nName: Ada\nBorn: 1815\nextra\n\nName: Bob\n\n"
    assert sections(text) == [(1, "People", "People")]


@pytest.mark.parametrize(
    "content",
    ['name;born\n"Ada; Countess";1815\nBob;\n', 'name,born\n"Ada; Countess",1815\nBob,\n'],
)
def test_rows_of_a_csv_name_their_columns(tmp_path: Path, content: str) -> None:
    text = read(tmp_path, "a.csv", content)
    assert text.content == "name, born\n\nname: Ada; Countess\nborn: 1815\n\nname: Bob\n\n"


def test_html_is_what_a_reader_sees(tmp_path: Path) -> None:
    page = (
        "<html><head><title>T</title><style>p{}</style></head><body><nav>menu</nav>"
        "<h1>The <em>first</em></h1><p>a <b>bold</b>\n   word &lt; &#x1f600;</p>tail"
        "<script>alert(1)</script><!-- hidden --><ul><li>one<li>two</ul>"
        "<table><tr><td>x</td><td>y</td></tr></table><h2>Second</h2><pre>  kept\n   so</pre>"
    )
    text = read(tmp_path, "a.html", page)
    assert text.content == (
        "The first\na bold word < \U0001f600\ntail\none\ntwo\nx\ty\t\nSecond\n  kept\n   so\n"
    )
    assert sections(text) == [(1, "The first", "The"), (2, "Second", "Second")]


def test_a_page_that_is_a_form_is_read_without_its_controls(tmp_path: Path) -> None:
    """As all pages of some frameworks are."""
    page = "<form><h1>Title</h1><p>a<select><option>b</select><input value=c></p></form><button>d"
    assert read(tmp_path, "a.html", page).content == "Title\na\n"


def test_markdown_headings_are_found_outside_code(tmp_path: Path) -> None:
    source = "# One\ntext\n```\n# not one\n```\n## Two ##\n#hash\n    # indented\n"
    text = read(tmp_path, "a.md", source)
    assert text.content == source
    assert sections(text) == [(1, "One", "#"), (2, "Two", "##")]


def test_latex_sections_are_headings(tmp_path: Path) -> None:
    source = "\\chapter[Short]{Long one}\nx\n% \\section{no}\n\\subsection*{Sub}\n"
    text = read(tmp_path, "a.tex", source)
    assert text.content == source
    assert [(heading.level, heading.title) for heading in text.headings] == [
        (2, "Long one"),
        (4, "Sub"),
    ]


@pytest.mark.parametrize("kind", ["txt", "json", "py", "tex", "ts", "go", "md", "sh"])
def test_text_is_kept_unchanged(tmp_path: Path, kind: str) -> None:
    source = '{"a": [1, "caf\u00e9 \U0001f600"]}\n\tif x:\n\n  \u6f22\u5b57\n'
    assert read(tmp_path, f"a.{kind}", source).content == source


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "iso-8859-15"]
)
def test_western_text_is_read_in_every_usual_encoding(tmp_path: Path, encoding: str) -> None:
    prose = "Der Prüfer läßt die Schlüssel über Nacht zurück. Die Straße führt nach Österreich.\n"
    assert read(tmp_path, "a.txt", (prose * 5).encode(encoding)).content == prose * 5


@pytest.mark.parametrize(("encoding", "prose"), [
    ("shift_jis", "これは日本語の文章です。検索のために保存されています。\n"),
    ("koi8-r", "Это русский текст, который хранится для поиска. Он достаточно длинный.\n"),
])  # fmt: skip
def test_other_scripts_are_read_in_their_old_encodings(
    tmp_path: Path, encoding: str, prose: str
) -> None:
    assert read(tmp_path, "a.txt", (prose * 20).encode(encoding)).content == prose * 20


def test_rtf_is_its_text(tmp_path: Path) -> None:
    source = r"{\rtf1\ansi{\fonttbl\f0 Arial;}\f0 caf\'e9 {\b bold}\par \u28450?\par}"
    assert read(tmp_path, "a.rtf", source).content == "caf\u00e9 bold\n\u6f22\n"


@pytest.mark.parametrize("kind", ["doc", "docx", "rtf", "pdf"])
def test_a_document_of_libreoffice_is_read_whole(kind: str) -> None:
    text = parse(FILES / f"handbook.{kind}", f"handbook.{kind}")
    words = " ".join(text.content.replace("|", " ").split())
    for passage in (
        "Printer handbook The ZX-81 prints 40 pages a minute. “Quoted” – naïve café, 漢字かな",
        "Open the rear hatch and pull the sheet gently. See the film. Code Meaning E13 Jam in",
        "tray 2 Toner Order part TN-4400.",
    ):
        assert passage in words
    assert "\U0001f600" in words
    if kind in ("docx", "pdf"):
        titles = [(heading.level, heading.title) for heading in text.headings]
        assert titles == [(1, "Printer handbook"), (2, "Paper jams"), (2, "Toner")]


def test_a_word_file_is_read_as_what_it_is(tmp_path: Path) -> None:
    document = samples.docx(samples.paragraph("from Word"))
    assert read(tmp_path, "a.doc", document).content == "from Word\n"
    assert read(tmp_path, "a.doc", r"{\rtf1 from Word}").content.strip() == "from Word"


def test_line_ends_and_control_characters_are_made_plain(tmp_path: Path) -> None:
    source = "a\r\nb\rc\u0001\u0007\u001b[31m\ufeffd\u00a0e\tf\n"
    assert read(tmp_path, "a.txt", source).content == "a\nb\nc[31md e\tf\n"


def test_every_kind_that_has_a_reader_can_be_searched() -> None:
    assert not [name for name in READERS if objection(f"a.{name}", "search")]


@pytest.mark.parametrize("filename", ["a.png", "a.zip", "a.pkl", "a.mp3", "README", "a.", ".pdf"])
def test_other_types_are_refused_by_name(tmp_path: Path, filename: str) -> None:
    with pytest.raises(DocumentError, match="not supported for retrieval") as refusal:
        read(tmp_path, filename, "text")
    assert refusal.value.code == "unsupported_file"

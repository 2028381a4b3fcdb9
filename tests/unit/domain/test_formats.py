"""The table of file formats, against the tables of the original's guides."""

import pytest

from assistants.domain.errors import InvalidRequestError
from assistants.domain.formats import (
    FORMATS,
    Use,
    extension_of,
    mime_type_of,
    require_use,
)

BOTH = "c cpp cs css doc docx html java js json md pdf php pptx py rb sh tex ts txt"
BEYOND = "csv htm markdown rtf tsv xlsx xml"
TEXT = "bash h ini jsonl kt log rs rst sql toml vue yaml yml"
SEARCH = set(f"{BOTH} go".split())
CODE = set(f"{BOTH} csv jpeg jpg gif png tar xlsx xml zip pkl".split())
VISION = {"png", "jpg", "jpeg", "gif", "webp"}
TABLES: list[tuple[Use, set[str]]] = [
    ("code", CODE),
    ("vision", VISION),
]


def extensions_for(use: Use) -> set[str]:
    return {name for one in FORMATS if use in one.uses for name in one.extensions}


@pytest.mark.parametrize(("use", "expected"), TABLES)
def test_a_use_takes_the_extensions_of_the_guide(use: Use, expected: set[str]) -> None:
    assert extensions_for(use) == expected


def test_everything_of_the_guide_and_more_can_be_searched() -> None:
    searched = extensions_for("search")
    assert SEARCH | set(BEYOND.split()) | set(TEXT.split()) <= searched
    assert not searched & {"png", "jpg", "gif", "webp", "zip", "tar", "pkl", "exe", ""}


def test_no_extension_is_listed_twice() -> None:
    extensions = [name for one in FORMATS for name in one.extensions]
    assert len(extensions) == len(set(extensions))


@pytest.mark.parametrize(
    ("filename", "extension", "mime_type"),
    [
        ("a.txt", "txt", "text/plain"),
        ("A.PDF", "pdf", "application/pdf"),
        ("a.tar.gz", "gz", "application/octet-stream"),
        ("../../b\\c.PnG", "png", "image/png"),
        ("no extension", "", "application/octet-stream"),
        (".pdf", "", "application/octet-stream"),
        ("a.LOG", "log", "text/plain"),
        ("ends with.", "", "application/octet-stream"),
        ("данные.csv", "csv", "text/csv"),
    ],
)
def test_a_name_gives_extension_and_type(filename: str, extension: str, mime_type: str) -> None:
    assert (extension_of(filename), mime_type_of(filename)) == (extension, mime_type)


@pytest.mark.parametrize(
    ("filename", "use", "message"),
    [
        ("a.zip", "search", "Files with extensions [.zip] are not supported for retrieval."),
        ("a.go", "code", "Files with extensions [.go] are not supported for code"),
        ("a", "search", "Files with extensions [none] are not supported for retrieval."),
        ("a.webp", "code", "Files with extensions [.webp] are not supported for code"),
    ],
)
def test_a_use_that_does_not_take_a_file_says_so(filename: str, use: Use, message: str) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        require_use(filename, use, "file_ids")
    assert refused.value.message.startswith(message)
    assert (refused.value.param, refused.value.code) == ("file_ids", "unsupported_file")


def test_a_use_that_takes_a_file_says_nothing() -> None:
    require_use("Report.DOCX", "search", "file_ids")

"""Forms as clients send them, and as nobody should."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistants.domain.errors import InvalidRequestError, TooLargeError
from assistants.domain.file import MAX_FILENAME, Content
from assistants.http.multipart import MAX_MEMBERS, MAX_TEXT_BYTES, MultipartForm, read_form
from tests.support.forms import BOUNDARY, HEADERS, Attached, end, form, part

CONTENT_TYPE = HEADERS["content-type"]


opened: list[MultipartForm] = []


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    yield
    while opened:
        opened.pop().close()


def read(*chunks: bytes, content_type: str = CONTENT_TYPE, max_bytes: int = 1000) -> MultipartForm:
    async def body() -> AsyncIterator[bytes]:
        for chunk in chunks:
            yield chunk

    opened.append(asyncio.run(read_form(content_type, body(), max_bytes)))
    return opened[-1]


def content(data: MultipartForm, name: str = "file") -> Content:
    found = data.members[name]
    assert isinstance(found, Content)
    return found


def test_text_and_files_come_as_they_were_sent() -> None:
    data = read(form({"purpose": "assistants", "file": Attached(b"\x00\r\n--\xff", "a b.txt")}))
    file = content(data)
    assert data.members["purpose"] == "assistants"
    assert (file.filename, file.mime_type, file.size) == ("a b.txt", "text/plain", 6)
    assert file.stream.read() == b"\x00\r\n--\xff"


def test_brackets_nest() -> None:
    data = read(form({"expires_after[anchor]": "created_at", "expires_after[seconds]": "3600"}))
    assert data.members == {"expires_after": {"anchor": "created_at", "seconds": "3600"}}


@given(
    body=st.binary(max_size=400).filter(lambda body: f"\r\n--{BOUNDARY}".encode() not in body),
    cuts=st.lists(st.integers(0, 700), max_size=8),
)
def test_it_does_not_matter_how_the_body_is_cut(body: bytes, cuts: list[int]) -> None:
    whole = form({"purpose": "vision", "file": Attached(body), "expires_after[seconds]": "1"})
    bounds = [0, *sorted(cuts), len(whole)]
    data = read(*(whole[a:b] for a, b in pairwise(bounds)))
    assert content(data).stream.read() == body
    assert data.members["expires_after"] == {"seconds": "1"}


def test_what_comes_after_the_end_is_ignored() -> None:
    assert read(form({"a": "b"}), b"\r\n", b"epilogue").members == {"a": "b"}


@pytest.mark.parametrize(
    ("sent", "filename"),
    [
        ("plain.txt", "plain.txt"),
        ("ünïcödé 文件 🗂.pdf", "ünïcödé 文件 🗂.pdf"),
        ("..\\\\..\\\\windows.ini", "..\\..\\windows.ini"),
        ("C:\\\\fake\\\\path.txt", "C:\\fake\\path.txt"),
        ("C:\\fake\\path.txt", "C:\\fake\\path.txt"),
        ("../../../etc/passwd", "../../../etc/passwd"),
        ("say %22hi%22.txt", 'say "hi".txt'),
        ('say \\"hi\\".txt', 'say "hi".txt'),
        ("two%0D%0Alines.txt", "two\r\nlines.txt"),
        ("100%.txt", "100%.txt"),
        ("semi; colon=.txt", "semi; colon=.txt"),
        ("ends with \\", "ends with \\"),
        ("<script>.html", "<script>.html"),
        (".", "."),
        ("x" * MAX_FILENAME, "x" * MAX_FILENAME),
        ("🗂" * MAX_FILENAME, "🗂" * MAX_FILENAME),
    ],
)
def test_a_file_keeps_its_name(sent: str, filename: str) -> None:
    assert content(read(form({"file": Attached(b".", sent)}))).filename == filename


@pytest.mark.parametrize("sent", ["", "x" * (MAX_FILENAME + 1)])
def test_a_file_needs_a_name_of_bearable_length(sent: str) -> None:
    with pytest.raises(InvalidRequestError, match="file name with 1 to 1024") as refused:
        read(form({"file": Attached(b".", sent)}))
    assert refused.value.param == "file"


@pytest.mark.parametrize(
    ("sent", "mime_type"),
    [
        ("image/png", "image/png"),
        ("text/plain; charset=utf-16", "text/plain; charset=utf-16"),
        ("application/vnd.x+json", "application/vnd.x+json"),
        (None, "text/plain"),
        ("application/octet-stream", "text/plain"),
        ("nonsense", "text/plain"),
        ("a/b\x00c", "text/plain"),
        ("text/html; <x>", "text/plain"),
        (f"text/{'x' * 255}", "text/plain"),
    ],
)
def test_a_type_is_kept_if_it_is_one_and_guessed_by_the_name_if_not(
    sent: str | None, mime_type: str
) -> None:
    assert content(read(form({"file": Attached(b".", mime_type=sent)}))).mime_type == mime_type


BROKEN: list[tuple[str, Sequence[bytes]]] = [
    ("nothing", []),
    ("no delimiter", [b"just text"]),
    ("another boundary", [form({"a": "b"}).replace(BOUNDARY.encode(), b"another")]),
    ("a client that vanishes in a header", [part("a", "b")[:30]]),
    ("a client that vanishes in the content", [part("file", Attached(b"12345678"))[:-6]]),
    ("a client that vanishes before the end", [part("a", "b")]),
    ("no Content-Disposition", [f"--{BOUNDARY}\r\n\r\nx\r\n".encode(), end()]),
    ("lines without CR", [form({"a": "b"}).replace(b"\r\n", b"\n")]),
    (
        "a length that is wrong",
        [part("a", "b").replace(b"\r\n\r\n", b"\r\nContent-Length: 9\r\n\r\n"), end()],
    ),
    ("a header that is none", [part("a", "b").replace(b"Content-Disposition:", b"X"), end()]),
]


@pytest.mark.parametrize("chunks", [c for _, c in BROKEN], ids=[name for name, _ in BROKEN])
def test_what_is_no_complete_form_is_refused(chunks: Sequence[bytes]) -> None:
    with pytest.raises(InvalidRequestError, match="Could not parse multipart form"):
        read(*chunks)


@pytest.mark.parametrize(
    ("content_type", "message"),
    [
        ("", r"Invalid Content-Type header \(none\), expected multipart/form-data"),
        ("application/json", r"Invalid Content-Type header \(application/json\)"),
        ("multipart/mixed; boundary=x", "Invalid Content-Type header"),
        ("multipart/form-data", "has no boundary"),
        ("multipart/form-data; boundary=", "has no boundary"),
    ],
)
def test_a_content_type_that_is_no_form_is_named(content_type: str, message: str) -> None:
    with pytest.raises(InvalidRequestError, match=message):
        read(form({"a": "b"}), content_type=content_type)


def test_a_member_that_comes_twice_is_refused() -> None:
    for name in ("purpose", "expires_after[seconds]"):
        with pytest.raises(InvalidRequestError, match="Duplicate parameter") as refused:
            read(part(name, "1") + part(name, "2") + end())
        assert refused.value.param == name


def test_a_member_that_is_text_and_nested_is_refused() -> None:
    for names in (["a", "a[b]"], ["a[b]", "a"]):
        with pytest.raises(InvalidRequestError, match="Duplicate parameter"):
            read(b"".join(part(name, "1") for name in names) + end())


def test_text_must_be_utf8() -> None:
    with pytest.raises(InvalidRequestError, match="not UTF-8") as refused:
        read(form({"purpose": "x"}).replace(b"\r\nx", b"\r\n\xff"))
    assert refused.value.param == "purpose"


TOO_LARGE: list[tuple[str, bytes]] = [
    ("one file", form({"file": Attached(b"x" * 1001)})),
    ("two files", form({"file": Attached(b"x" * 600), "other": Attached(b"x" * 600)})),
    ("text", form({"purpose": "x" * (MAX_TEXT_BYTES + 1)})),
    ("members", form({f"a{number}": "" for number in range(MAX_MEMBERS + 1)})),
    ("a header", form({"file": Attached(b"x", "x" * 20_000)})),
    ("headers", part("a", "b").replace(b"\r\n\r\n", b"\r\nX: y" * 20 + b"\r\n\r\n") + end()),
]


@pytest.mark.parametrize("body", [b for _, b in TOO_LARGE], ids=[name for name, _ in TOO_LARGE])
def test_what_is_beyond_a_limit_is_refused_as_too_large(body: bytes) -> None:
    with pytest.raises(TooLargeError):
        read(body)


def test_a_file_of_exactly_the_limit_is_taken() -> None:
    assert content(read(form({"file": Attached(b"x" * 1000)}))).size == 1000


def test_a_large_file_goes_to_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("assistants.http.multipart._IN_MEMORY_BYTES", 100)
    data = read(form({"file": Attached(b"x" * 1000)}))
    stream: Any = content(data).stream
    assert stream._rolled
    assert stream.read() == b"x" * 1000
    data.close()
    assert stream.closed


def test_a_fingerprint_is_of_the_members_not_of_the_bytes_between_them() -> None:
    members: dict[str, str | Attached] = {"purpose": "batch", "file": Attached(b"content")}
    first = read(form(members))
    again = read(
        form(members).replace(BOUNDARY.encode(), b"other"),
        content_type="multipart/form-data; boundary=other",
    )
    assert first.fingerprint() == again.fingerprint()
    assert content(first).stream.read() == b"content", "it can still be read"
    for changed in (
        {**members, "purpose": "vision"},
        {**members, "file": Attached(b"another")},
        {**members, "file": Attached(b"content", "another.txt")},
        {**members, "file": Attached(b"content", mime_type="text/html")},
    ):
        assert read(form(changed)).fingerprint() != first.fingerprint()

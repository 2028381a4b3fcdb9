"""Files made to break their parser: each ends as a refusal, within the limits, and alone."""

import os
import random
import re
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import openpyxl
import pytest

from assistants.documents.confined import parse
from assistants.documents.limits import Limits
from assistants.domain.retrieval.document_text import DocumentError
from tests.support.hostile_files import FILES, HOSTILE
from tests.support.waiting import wait_until

TIGHT = Limits(memory_bytes=768 * 2**20, cpu_seconds=1, wall_seconds=10)


def refused(tmp_path: Path, filename: str, content: bytes, limits: Limits = TIGHT) -> DocumentError:
    path = tmp_path / "blob"
    path.write_bytes(content)
    with pytest.raises(DocumentError) as refusal:
        parse(path, filename, limits)
    return refusal.value


def shuffled(content: bytes, seed: int) -> bytes:
    """Keep the start, and change bytes here and there after it."""
    chance, damaged = random.Random(seed), bytearray(content)
    for _ in range(max(8, len(damaged) // 50)):
        damaged[chance.randrange(64, len(damaged))] = chance.randrange(256)
    return bytes(damaged)


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
        parse(endless, "a.txt", Limits(wall_seconds=5))  # its process starts in less


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
    command = (child / "cmdline").read_bytes()
    assert b"sesame" not in command and str(endless).encode() not in command
    wait_until(lambda: sorted(fd.name for fd in (child / "fd").iterdir()) == ["0", "1", "2"])
    parser.join()
    assert not child.exists()


def parse_too_late(path: Path) -> None:
    with pytest.raises(DocumentError):
        parse(path, "a.txt", Limits(wall_seconds=5))


def confined_child() -> Path:
    """Find the process that we have started and that stands under limits, as a folder in /proc."""
    found: list[Path] = []

    def appeared() -> bool:
        for process in Path("/proc").glob("[0-9]*"):
            with suppress(FileNotFoundError, ProcessLookupError):
                ours = f"PPid:\t{os.getpid()}\n" in (process / "status").read_text()
                if ours and re.search(r"Max open files +0 +0", (process / "limits").read_text()):
                    found.append(process)
        return bool(found)

    wait_until(appeared)
    return found[0]

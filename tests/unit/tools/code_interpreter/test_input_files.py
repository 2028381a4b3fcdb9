"""Which of a run's files its code interpreter gets, under which names, and what the model reads."""

import pytest

from assistants.domain.file import StoredFile
from assistants.domain.ids import FileId
from assistants.domain.run import RunSettings
from assistants.services.tools.code_interpreter.input_files import (
    MAX_BYTES,
    MAX_FILES,
    describe_input_files,
    select_input_files,
)
from tests.support.code_interpreter_case import CodeInterpreterCase
from tests.support.deployment import Deployment
from tests.support.fake_sandboxes import FakeSandboxes
from tests.support.fakes import FakeBlobs, FakeClock

GIB = 1 << 30


def file(id: str, name: str = "a.csv", size: int = 1) -> StoredFile:
    return StoredFile(
        id=id,
        bytes=size,
        created_at=0,
        filename=name,
        purpose="assistants",
        mime_type="text/csv",
    )


def run_with(*file_ids: str) -> RunSettings:
    return CodeInterpreterCase().new_run(*file_ids)


def found(*files: StoredFile) -> dict[FileId, StoredFile]:
    return {file.id: file for file in files}


def test_files_have_the_names_they_were_uploaded_under_in_the_runs_order() -> None:
    files = found(file("file-1"), file("file-2", "dir/b.csv"), file("file-3"))
    names = select_input_files(run_with("file-3", "file-1", "file-2"), files).files
    assert {name: each.id for name, each in names.items()} == {
        "a.csv": "file-3",
        "a-2.csv": "file-1",
        "b.csv": "file-2",
    }


def test_the_model_reads_names_and_sizes() -> None:
    text = describe_input_files(run_with("file-1"), found(file("file-1", size=12_345)))
    assert text is not None
    assert "- /mnt/data/a.csv (12,345 bytes)" in text


def test_of_no_files_nothing_is_said() -> None:
    assert describe_input_files(run_with("file-gone"), {}) is None


def test_the_description_says_that_files_are_too_many() -> None:
    files = [file(f"file-{n}", f"{n}") for n in range(MAX_FILES + 7)]
    given = select_input_files(run_with(*(each.id for each in files)), found(*files))
    assert len(given.files) == MAX_FILES
    assert "7 files are not in /mnt/data" in given.notes[0]


@pytest.mark.parametrize("sizes", [[GIB], [MAX_BYTES // 4] * 5])
def test_files_that_would_fill_the_disk_are_left_out_and_named(sizes: list[int]) -> None:
    files = [file(f"file-{n}", f"{n}", size) for n, size in enumerate(sizes)]
    given = select_input_files(run_with(*(each.id for each in files)), found(*files))
    assert len(given.files) == len(files) - 1
    assert "1 files are not in /mnt/data" in given.notes[0]


def test_the_prompt_of_a_run_with_the_tool_names_its_files() -> None:
    blobs, clock = FakeBlobs(), FakeClock()
    service = Deployment(
        ["hello"], ["hello"], blobs=blobs, clock=clock, sandboxes=FakeSandboxes(blobs, clock)
    )
    form = (
        b'--b\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nassistants\r\n--b\r\n'
        b'Content-Disposition: form-data; name="file"; filename="sales.csv"\r\n\r\nx\r\n--b--\r\n'
    )
    headers = {"content-type": "multipart/form-data; boundary=b"}
    uploaded = service.api.request("POST", "/files", content=form, headers=headers).json["id"]
    resources = {"code_interpreter": {"file_ids": [uploaded]}}
    assistant = service.assistant(
        instructions="Be kind.",
        tools=[{"type": "code_interpreter"}],
        tool_resources=resources,
    )
    service.run(assistant_id=assistant)
    service.run(assistant_id=assistant, tools=[])
    with_tool, without = (request.messages[0]["content"] for request in service.model.requests)
    assert with_tool.startswith("Be kind.\n\n")
    assert "/mnt/data/sales.csv (1 bytes)" in with_tool
    assert without == "Be kind."

"""Files over fakes: what is kept, what is shown, and that nothing is left over."""

from collections.abc import Iterator
from typing import Any

import pytest

from assistants.domain.file import LIFE_SECONDS
from assistants.http.endpoints.files import STREAMED_BYTES
from assistants.services.files.contents import ORPHAN_SECONDS
from assistants.services.storage import keys
from tests.support.api_client import Answer
from tests.support.crashes import Killed
from tests.support.deployment import Deployment
from tests.support.fakes import FakeBlobs, FakeTable
from tests.support.forms import BOUNDARY, HEADERS, Attached, end, form, part

HOUR = 3600
Members = dict[str, Any]


@pytest.fixture
def service() -> Deployment:
    return Deployment()


def send(service: Deployment, content: bytes = b"hello", **members: Any) -> Answer:
    """POST /files; `filename` and `mime_type` are the file's, the other members the form's."""
    named = Attached(
        content, members.pop("filename", "notes.txt"), members.pop("mime_type", "text/plain")
    )
    headers = {**HEADERS, **members.pop("headers", {})}
    body = form({"purpose": "user_data", **members, "file": named})
    return service.api.request("POST", "/files", headers=headers, content=body)


def create(service: Deployment, content: bytes = b"hello", **members: Any) -> dict[str, Any]:
    answer = send(service, content, **members)
    assert answer.status == 200, answer.body
    file: dict[str, Any] = answer.json
    return file


def left(service: Deployment) -> tuple[list[str], list[str]]:
    """Return the keys of all rows and the names of all blobs."""
    rows = [f"{key.partition} {key.sort}" for key in service.table.rows]
    return rows, sorted(service.blobs.contents)


def test_a_file_is_described_as_the_original_does(service: Deployment) -> None:
    file = create(service, b"hello", purpose="assistants")
    assert file == {
        "id": file["id"],
        "object": "file",
        "bytes": 5,
        "created_at": int(service.clock.now),
        "expires_at": None,
        "filename": "notes.txt",
        "purpose": "assistants",
        "status": "processed",
        "status_details": None,
    }
    assert service.api.get(f"/files/{file['id']}") == file
    assert service.api.get("/files")["data"] == [file]


def test_the_bytes_lie_below_their_project_and_no_note_is_left(service: Deployment) -> None:
    file = create(service, b"\x00\xff" * 10)
    assert service.blobs.contents == {f"files/{service.project}/{file['id']}": b"\x00\xff" * 10}
    order = file["id"].removeprefix("file-")
    assert left(service)[0] == [
        f"P#{service.project}#file {order}",
        f"P#{service.project}#file#user_data {order}",
    ]


def test_a_deleted_file_leaves_nothing(service: Deployment) -> None:
    file = create(service)
    deleted = service.api.delete(f"/files/{file['id']}")
    assert deleted == {"id": file["id"], "object": "file", "deleted": True}
    assert left(service) == ([], [])
    for method, url in (("GET", ""), ("DELETE", ""), ("GET", "/content")):
        answer = service.api.request(method, f"/files/{file['id']}{url}")
        assert answer.status == 404
        assert answer.error["message"] == f"No such File object: {file['id']}"
        assert answer.error["param"] == "id"


def test_files_are_listed_by_purpose_newest_first(service: Deployment) -> None:
    first = create(service, purpose="vision")
    second = create(service, purpose="batch")
    third = create(service, purpose="vision")

    def ids(query: str) -> list[str]:
        return [file["id"] for file in service.api.get(f"/files{query}")["data"]]

    assert ids("") == [third["id"], second["id"], first["id"]]
    assert ids("?purpose=vision") == [third["id"], first["id"]]
    assert ids("?purpose=vision&order=asc&limit=1") == [first["id"]]
    assert ids(f"?purpose=vision&after={third['id']}") == [first["id"]]
    assert ids("?purpose=evals") == []
    answer = service.api.request("GET", "/files?purpose=other")
    assert (answer.status, answer.error["param"]) == (400, "purpose")


def test_a_list_of_files_has_limits_of_its_own(service: Deployment) -> None:
    for _ in range(101):
        create(service)
    page = service.api.get("/files")
    assert (len(page["data"]), page["has_more"]) == (101, False)
    assert service.api.request("GET", "/files?limit=10000").status == 200
    for limit in (0, 10_001):
        answer = service.api.request("GET", f"/files?limit={limit}")
        assert (answer.status, answer.error["param"]) == (400, "limit")


@pytest.mark.parametrize("purpose", ["vision", "batch", "fine-tune", "evals"])
def test_content_comes_back_as_it_was_sent(service: Deployment, purpose: str) -> None:
    content = bytes(range(256)) * 10_000
    file = create(
        service, content, purpose=purpose, filename='ü "x".bin', mime_type="application/x-y"
    )
    answer = service.api.request("GET", f"/files/{file['id']}/content")
    assert (answer.status, answer.body) == (200, content)
    assert answer.headers["content-type"] == "application/x-y"
    assert answer.headers["content-disposition"] == (
        "attachment; filename*=UTF-8''%C3%BC%20%22x%22.bin"
    )
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("purpose", ["assistants", "user_data"])
def test_some_purposes_keep_their_files_here(service: Deployment, purpose: str) -> None:
    file = create(service, purpose=purpose)
    message = service.api.refused("GET", f"/files/{file['id']}/content")
    assert message == f"Not allowed to download files of purpose: {purpose}"


def test_a_large_file_is_had_from_elsewhere(service: Deployment) -> None:
    edge = create(service, bytes(STREAMED_BYTES), purpose="vision")
    large = create(service, bytes(STREAMED_BYTES + 1), purpose="vision", filename="ü.bin")
    assert service.api.request("GET", f"/files/{edge['id']}/content").status == 200
    answer = service.api.request("GET", f"/files/{large['id']}/content")
    assert (answer.status, answer.body) == (302, b"")
    url = f"https://blobs.test/files/{service.project}/{large['id']}"
    assert answer.headers["location"] == f"{url}?as=%C3%BC.bin&type=text/plain&for=300"
    assert answer.headers["cache-control"] == "no-store"


def test_a_name_too_long_for_a_header_is_left_out_of_it(service: Deployment) -> None:
    file = create(service, purpose="vision", filename="🗂" * 1024)
    assert file["filename"] == "🗂" * 1024
    answer = service.api.request("GET", f"/files/{file['id']}/content")
    assert answer.headers["content-disposition"] == "attachment"


def test_a_file_ends_when_its_time_has_come(service: Deployment) -> None:
    after: Members = {"expires_after[anchor]": "created_at", "expires_after[seconds]": "3600"}
    file = create(service, **after)
    stays = create(service)
    assert file["expires_at"] == file["created_at"] + HOUR
    service.clock.now += HOUR
    assert service.api.request("GET", f"/files/{file['id']}").status == 404, "before any sweep"
    assert [one["id"] for one in service.api.get("/files")["data"]] == [stays["id"]]
    service.backend.maintenance.sweeper.sweep()
    rows, blobs = left(service)
    assert blobs == [f"files/{service.project}/{stays['id']}"]
    assert len(rows) == 2


def test_a_sweep_before_the_time_changes_nothing(service: Deployment) -> None:
    after: Members = {"expires_after[anchor]": "created_at", "expires_after[seconds]": "3600"}
    file = create(service, **after)
    key = keys.file(service.project, file["id"])
    before = left(service)
    service.backend.files.service.expire(service.project, key)
    assert left(service) == before


def test_batch_files_expire_after_thirty_days_by_default(service: Deployment) -> None:
    now = int(service.clock.now)
    assert create(service, purpose="batch")["expires_at"] == now + LIFE_SECONDS["batch"]
    after: Members = {"expires_after[anchor]": "created_at", "expires_after[seconds]": "7200"}
    assert create(service, purpose="batch", **after)["expires_at"] == now + 7200


def test_a_file_of_another_tenant_does_not_exist(service: Deployment) -> None:
    file = create(service, purpose="vision")
    service.api._key = "sk-other"
    for method, url in (("GET", ""), ("DELETE", ""), ("GET", "/content")):
        assert service.api.request(method, f"/files/{file['id']}{url}").status == 404
    assert service.api.get("/files")["data"] == []
    assert len(service.blobs.contents) == 1


def test_the_same_creation_sent_twice_makes_one_file(service: Deployment) -> None:
    headers = {"idempotency-key": "once"}
    first = create(service, headers=headers)
    other_boundary = form({"purpose": "user_data", "file": Attached(b"hello")}).replace(
        BOUNDARY.encode(), b"other"
    )
    again = service.api.request(
        "POST",
        "/files",
        headers={**headers, "content-type": "multipart/form-data; boundary=other"},
        content=other_boundary,
    )
    assert again.json == first
    assert send(service, b"changed", headers=headers).status == 400
    rows, blobs = left(service)
    assert blobs == [f"files/{service.project}/{first['id']}"]
    assert not [row for row in rows if "#blob" in row]


HOSTILE: list[tuple[str, bytes, str | None, str]] = [
    ("no form", b'{"purpose": "vision"}', None, "Could not parse multipart form"),
    ("no body", b"", None, "Could not parse multipart form"),
    (
        "a wrong boundary",
        form({"a": "b"}).replace(BOUNDARY.encode(), b"x"),
        None,
        "Could not parse",
    ),
    ("no file", form({"purpose": "vision"}), "file", "Missing required parameter: 'file'."),
    (
        "no purpose",
        form({"file": Attached(b"x")}),
        "purpose",
        "Missing required parameter: 'purpose'.",
    ),
    (
        "an empty file",
        form({"purpose": "vision", "file": Attached(b"")}),
        "file",
        "File is empty.",
    ),
    (
        "text instead of a file",
        form({"purpose": "vision", "file": "text"}),
        "file",
        "Invalid type for 'file': expected a file, but got a string instead.",
    ),
    (
        "an unknown purpose",
        form({"purpose": "assistants_output", "file": Attached(b"x")}),
        "purpose",
        "Invalid value: 'assistants_output'. Supported values are: 'assistants', 'batch',",
    ),
    (
        "an unknown member",
        form({"purpose": "vision", "file": Attached(b"x"), "other": "x"}),
        "other",
        "Unknown parameter: 'other'.",
    ),
    (
        "a second file",
        form({"purpose": "vision", "file": Attached(b"x"), "more": Attached(b"y")}),
        "more",
        "Unknown parameter: 'more'.",
    ),
    (
        "a life that is too short",
        form(
            {
                "purpose": "vision",
                "file": Attached(b"x"),
                "expires_after[anchor]": "created_at",
                "expires_after[seconds]": "3599",
            }
        ),
        "expires_after.seconds",
        "Invalid 'expires_after.seconds': integer below minimum value.",
    ),
    (
        "a life without an anchor",
        form({"purpose": "vision", "file": Attached(b"x"), "expires_after[seconds]": "3600"}),
        "expires_after.anchor",
        "Missing required parameter: 'expires_after.anchor'.",
    ),
    (
        "a client that vanishes",
        part("purpose", "vision") + part("file", Attached(b"x" * 100))[:-20],
        None,
        "Could not parse multipart form: Unexpected end",
    ),
    (
        "a name that is too long",
        form({"purpose": "vision", "file": Attached(b"x", "x" * 1025)}),
        "file",
        "Invalid 'file': expected a file name",
    ),
    ("only the end", end(), "file", "Missing required parameter: 'file'."),
]


@pytest.mark.parametrize(
    ("content", "param", "message"),
    [case[1:] for case in HOSTILE],
    ids=[case[0] for case in HOSTILE],
)
def test_what_is_refused_leaves_nothing(
    service: Deployment, content: bytes, param: str | None, message: str
) -> None:
    answer = service.api.request("POST", "/files", headers=HEADERS, content=content)
    assert (answer.status, answer.error["param"]) == (400, param)
    assert answer.error["message"].startswith(message)
    assert left(service) == ([], [])


def test_a_body_that_is_not_a_form_is_refused_as_such(service: Deployment) -> None:
    answer = service.api.request("POST", "/files", {"purpose": "vision"})
    assert answer.status == 400
    assert "expected multipart/form-data" in answer.error["message"]


def test_bytes_that_could_not_be_written_leave_nothing() -> None:
    class Failing(FakeBlobs):
        def write(self, name: str, pieces: Any) -> int:
            super().write(name, pieces)
            raise ConnectionError("S3 is gone")

    service = Deployment(blobs=Failing())
    assert send(service).status == 500
    assert left(service) == ([], [])


class DyingTable(FakeTable):
    """A table whose function is killed between the bytes and the row, and writes nothing more."""

    dead = False

    def commit(self, *writes: Any) -> None:
        if self.dead or len(writes) > 1:
            self.dead = True
            raise Killed
        super().commit(*writes)


def test_bytes_without_a_file_are_found_and_removed() -> None:
    table = DyingTable()
    service = Deployment(table=table)
    with pytest.raises(Killed):
        send(service)
    assert len(service.blobs.contents) == 1, "written before the function was killed"
    table.dead = False
    service.backend.maintenance.sweeper.sweep()
    assert len(service.blobs.contents) == 1, "it might still be at work"
    service.clock.now += ORPHAN_SECONDS
    service.backend.maintenance.sweeper.sweep()
    assert left(service) == ([], [])


def test_a_sweep_never_takes_the_bytes_of_a_file(service: Deployment) -> None:
    file = create(service)
    storage = service.backend.files.contents
    service.table.commit(storage.note_orphan(service.project, file["id"]))
    service.clock.now += ORPHAN_SECONDS
    service.backend.maintenance.sweeper.sweep()
    rows, blobs = left(service)
    assert blobs == [f"files/{service.project}/{file['id']}"]
    assert not [row for row in rows if "#blob" in row]


def test_a_writer_that_was_given_up_cannot_make_its_file_any_more() -> None:
    class Slow(FakeBlobs):
        def write(self, name: str, pieces: Any) -> int:
            size = super().write(name, pieces)
            slow.clock.now += ORPHAN_SECONDS
            slow.backend.maintenance.sweeper.sweep()
            return size

    slow = Deployment(blobs=Slow())
    assert send(slow).status == 500
    assert left(slow) == ([], [])


def test_a_deletion_that_was_cut_short_is_finished_by_the_sweep() -> None:
    class Unreachable(FakeBlobs):
        reachable = False

        def delete(self, names: Any) -> None:
            if not self.reachable:
                raise ConnectionError("S3 is gone")
            super().delete(names)

    blobs = Unreachable()
    service = Deployment(blobs=blobs)
    file = create(service)
    assert service.api.request("DELETE", f"/files/{file['id']}").status == 500
    assert service.api.request("GET", f"/files/{file['id']}").status == 404
    blobs.reachable = True
    service.clock.now += ORPHAN_SECONDS
    service.backend.maintenance.sweeper.sweep()
    assert left(service) == ([], [])


def images(file_id: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Return requests that show a file to a model, and the place that names it."""
    part = {"type": "image_file", "image_file": {"file_id": file_id}}
    message = {"role": "user", "content": [{"type": "text", "text": "Look"}, part]}
    yield "/threads", {"messages": [message]}


def test_an_image_must_exist_and_look_like_one(service: Deployment) -> None:
    image = create(service, b"...", filename="a.png", purpose="vision")
    nameless = create(service, b"...", filename="a", purpose="vision")
    text = create(service, b"...", filename="a.txt")
    for file_id in (image["id"], nameless["id"]):
        for url, body in images(file_id):
            assert service.api.post(url, body)["object"] == "thread"
    for url, body in images(text["id"]):
        answer = service.api.request("POST", url, body)
        assert (answer.status, answer.error["code"]) == (400, "unsupported_file")
        assert answer.error["param"] == "messages[0].content[1].image_file.file_id"
    for url, body in images("file-missing"):
        answer = service.api.request("POST", url, body)
        assert answer.status == 404
        assert answer.error["message"] == "No file found with id 'file-missing'."
    for url, body in images("../x"):
        answer = service.api.request("POST", url, body)
        assert (answer.status, answer.error["code"]) == (400, "invalid_value")

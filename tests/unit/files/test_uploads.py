"""Uploads over fakes: parts in any order, every way to end, and that nothing is left over."""

import hashlib
from typing import Any

import pytest

from assistants.domain.upload import MAX_DIRECT_BYTES, MAX_PARTS, MAX_UPLOAD_BYTES
from assistants.services.files.uploads import KEPT_SECONDS
from tests.support.api_client import Answer
from tests.support.deployment import Deployment
from tests.support.fakes import FakeBlobs
from tests.support.forms import HEADERS, Attached, form

HOUR = 3600


@pytest.fixture
def blobs() -> "InterruptedBlobs":
    return InterruptedBlobs()


@pytest.fixture
def service(blobs: "InterruptedBlobs") -> Deployment:
    return Deployment(blobs=blobs)


def begin(service: Deployment, size: int = 6, **members: Any) -> dict[str, Any]:
    body = {"filename": "a.txt", "purpose": "vision", "mime_type": "text/plain", "bytes": size}
    upload: dict[str, Any] = service.api.post("/uploads", {**body, **members})
    return upload


def send(service: Deployment, upload: dict[str, Any], content: bytes) -> Answer:
    body = form({"data": Attached(content, "upload", "application/octet-stream")})
    url = f"/uploads/{upload['id']}/parts"
    return service.api.request("POST", url, headers=HEADERS, content=body)


def add(service: Deployment, upload: dict[str, Any], content: bytes) -> str:
    answer = send(service, upload, content)
    assert answer.status == 200, answer.body
    assert answer.json["object"] == "upload.part"
    assert answer.json["upload_id"] == upload["id"]
    return str(answer.json["id"])


def complete(service: Deployment, upload: dict[str, Any], *parts: str, **members: Any) -> Answer:
    url = f"/uploads/{upload['id']}/complete"
    return service.api.request("POST", url, {"part_ids": list(parts), **members})


def cancel(service: Deployment, upload: dict[str, Any]) -> Answer:
    return service.api.request("POST", f"/uploads/{upload['id']}/cancel")


def only_the_upload_is_left(service: Deployment) -> bool:
    rows = [key.partition for key in service.table.rows]
    return rows == [f"P#{service.project}#upl"] and not service.blobs.contents


def test_an_upload_is_described_as_the_original_does(service: Deployment) -> None:
    upload = begin(service)
    assert upload == {
        "id": upload["id"],
        "object": "upload",
        "created_at": int(service.clock.now),
        "filename": "a.txt",
        "bytes": 6,
        "purpose": "vision",
        "status": "pending",
        "expires_at": int(service.clock.now) + HOUR,
        "file": None,
    }


def test_parts_become_a_file_in_the_order_that_is_asked_for(service: Deployment) -> None:
    upload = begin(service)
    second = add(service, upload, b"def")
    first = add(service, upload, b"abc")
    completed = complete(service, upload, first, second).json
    assert completed["status"] == "completed"
    file = completed["file"]
    assert (file["bytes"], file["filename"], file["purpose"]) == (6, "a.txt", "vision")
    assert service.api.get(f"/files/{file['id']}") == file
    content = service.api.request("GET", f"/files/{file['id']}/content")
    assert (content.body, content.headers["content-type"]) == (
        b"abcdef",
        "text/plain",
    )
    assert service.blobs.list("uploads/") == [], "the parts are freed"
    assert not [key for key in service.table.rows if "#blob" in key.partition]


def test_parts_that_are_not_asked_for_are_left_out_and_freed(service: Deployment) -> None:
    upload = begin(service)
    wanted, _ = add(service, upload, b"abcdef"), add(service, upload, b"unwanted")
    file = complete(service, upload, wanted).json["file"]
    assert list(service.blobs.contents) == [f"files/{service.project}/{file['id']}"]


def test_one_part_is_copied_and_never_read(service: Deployment) -> None:
    upload = begin(service)
    part = add(service, upload, b"abcdef")
    file = complete(service, upload, part).json["file"]
    source = f"uploads/{service.project}/{upload['id']}/{part}"
    assert service.blobs.copied == [(source, f"files/{service.project}/{file['id']}")]


@pytest.mark.parametrize("parts", [[b"abcdef"], [b"abc", b"def"]])
def test_the_md5_is_checked_if_it_is_given(service: Deployment, parts: list[bytes]) -> None:
    upload = begin(service)
    ids = [add(service, upload, part) for part in parts]
    wrong = complete(service, upload, *ids, md5="0" * 32)
    assert (wrong.status, wrong.error["param"]) == (400, "md5")
    assert len(service.blobs.contents) == len(parts), "no file, but the parts can be tried again"
    right = hashlib.md5(b"abcdef").hexdigest()
    assert complete(service, upload, *ids, md5=right.upper()).json["status"] == "completed"


def test_the_life_of_the_file_can_be_given(service: Deployment) -> None:
    upload = begin(service, expires_after={"anchor": "created_at", "seconds": 7200})
    service.clock.now += 60
    file = complete(service, upload, add(service, upload, b"abcdef")).json["file"]
    assert file["expires_at"] == file["created_at"] + 7200 == int(service.clock.now) + 7200


def test_a_cancelled_upload_frees_its_parts_and_takes_no_more(service: Deployment) -> None:
    upload = begin(service)
    part = add(service, upload, b"abc")
    assert cancel(service, upload).json["status"] == "cancelled"
    assert cancel(service, upload).json["status"] == "cancelled", "a repetition changes nothing"
    message = f"Upload {upload['id']} is cancelled and cannot be changed any more."
    for refused in (send(service, upload, b"def"), complete(service, upload, part)):
        assert (refused.status, refused.error["message"]) == (400, message)
    assert only_the_upload_is_left(service)


def test_an_upload_expires_after_an_hour_and_frees_its_parts(service: Deployment) -> None:
    upload = begin(service)
    part = add(service, upload, b"abcdef")
    service.clock.now += HOUR - 1
    service.backend.maintenance.sweeper.sweep()
    assert len(service.blobs.contents) == 1
    service.clock.now += 1
    for refused in (
        send(service, upload, b"x"),
        complete(service, upload, part),
        cancel(service, upload),
    ):
        assert refused.status == 400
        assert "is expired" in refused.error["message"], "before any sweep"
    service.backend.maintenance.sweeper.sweep()
    assert only_the_upload_is_left(service)


def test_what_comes_in_after_the_end_is_swept_when_the_hour_is_over(service: Deployment) -> None:
    upload = begin(service)
    late = service.api.post(f"/uploads/{upload['id']}/direct_parts")
    cancel(service, upload)
    service.blobs.put(late["url"], b"abcdef")
    service.clock.now += HOUR
    service.backend.maintenance.sweeper.sweep()
    assert len(service.blobs.contents) == 1, "the URL may just have been used"
    service.clock.now += 60
    service.backend.maintenance.sweeper.sweep()
    assert only_the_upload_is_left(service)
    assert service.table.due(2**40, limit=9) == []


def test_the_table_forgets_an_upload_a_day_after_its_hour(service: Deployment) -> None:
    upload = begin(service)
    cancel(service, upload)
    (row,) = service.table.rows.values()
    assert row.ttl == upload["expires_at"] + KEPT_SECONDS


def test_a_completed_upload_takes_nothing_more(service: Deployment) -> None:
    upload = begin(service)
    part = add(service, upload, b"abcdef")
    complete(service, upload, part)
    message = f"Upload {upload['id']} is completed and cannot be changed any more."
    for refused in (
        send(service, upload, b"x"),
        cancel(service, upload),
        complete(service, upload, "part_other"),
        service.api.request("POST", f"/uploads/{upload['id']}/direct_parts"),
    ):
        assert (refused.status, refused.error["message"]) == (400, message)
    assert len(service.blobs.contents) == 1


def test_the_same_completion_asked_for_again_is_the_same_file(service: Deployment) -> None:
    upload = begin(service)
    part = add(service, upload, b"abcdef")
    assert complete(service, upload, part).json == complete(service, upload, part).json
    assert len(service.api.get("/files")["data"]) == 1


WRONG_PARTS: list[tuple[str, list[int | str], str, str]] = [
    ("missing one", [0], "part_ids", "The parts have 3 bytes, but the upload was created for 6."),
    ("one twice", [0, 0], "part_ids[1]", "is no part of this upload, or named twice."),
    ("unknown", [0, "part_unknown"], "part_ids[1]", "'part_unknown' is no part of this upload"),
    ("path up", [0, "../x/part"], "part_ids[1]", "'../x/part' is no part of this upload"),
    ("empty name", [""], "part_ids[0]", "'' is no part of this upload"),
    ("too large", [0, 1, 2], "part_ids", "The parts have 7 bytes"),
    ("none", [], "part_ids", "Invalid 'part_ids': array too short."),
    ("too many", ["x"] * (MAX_PARTS + 1), "part_ids", "Invalid 'part_ids': array too long."),
]


@pytest.mark.parametrize(
    ("named", "param", "message"),
    [case[1:] for case in WRONG_PARTS],
    ids=[case[0] for case in WRONG_PARTS],
)
def test_parts_that_are_not_the_file_are_refused_and_kept(
    service: Deployment, named: list[int | str], param: str, message: str
) -> None:
    upload = begin(service)
    parts = [add(service, upload, content) for content in (b"abc", b"def", b"g")]
    ids = [parts[one] if isinstance(one, int) else one for one in named]
    before = dict(service.blobs.contents)
    refused = complete(service, upload, *ids)
    assert (refused.status, refused.error["param"]) == (400, param)
    assert message in refused.error["message"]
    assert service.blobs.contents == before
    assert complete(service, upload, *parts[:2]).status == 200, "it can still be completed"


def test_parts_of_another_upload_or_tenant_are_refused(service: Deployment) -> None:
    upload, other = begin(service), begin(service)
    part = add(service, other, b"abcdef")
    assert complete(service, upload, part).status == 400
    service.api._key = "sk-other"
    foreign = begin(service)
    assert complete(service, foreign, part).status == 400
    for answer in (
        send(service, other, b"x"),
        complete(service, other, part),
        cancel(service, other),
    ):
        assert answer.status == 404
        assert answer.error["message"] == f"No upload found with id '{other['id']}'."
    assert len(service.blobs.contents) == 1


def test_a_part_without_bytes_is_refused(service: Deployment) -> None:
    upload = begin(service)
    refused = send(service, upload, b"")
    assert (refused.status, refused.error["param"]) == (400, "data")
    assert refused.error["message"] == "The part is empty."
    missing = service.api.request(
        "POST", f"/uploads/{upload['id']}/parts", headers=HEADERS, content=form({"a": "b"})
    )
    assert missing.error["message"] == "Missing required parameter: 'data'."
    assert only_the_upload_is_left(service)


@pytest.mark.parametrize(
    ("members", "param"),
    [
        ({"bytes": 0}, "bytes"),
        ({"bytes": -1}, "bytes"),
        ({"bytes": MAX_UPLOAD_BYTES + 1}, "bytes"),
        ({"bytes": "6"}, "bytes"),
        ({"filename": ""}, "filename"),
        ({"filename": "x" * 1025}, "filename"),
        ({"purpose": "assistants_output"}, "purpose"),
        ({"mime_type": None}, "mime_type"),
        ({"expires_after": {"anchor": "created_at", "seconds": 1}}, "expires_after.seconds"),
        ({"other": 1}, "other"),
    ],
)
def test_an_upload_that_cannot_be_is_refused(
    service: Deployment, members: dict[str, Any], param: str
) -> None:
    body = {"filename": "a", "purpose": "vision", "mime_type": "text/plain", "bytes": 6}
    refused = service.api.request("POST", "/uploads", {**body, **members})
    assert (refused.status, refused.error["param"]) == (400, param)
    assert not service.table.rows


def test_a_direct_part_is_put_to_a_url_and_completes_the_upload_alone(service: Deployment) -> None:
    upload = begin(service)
    service.clock.now += 600
    direct = service.api.post(f"/uploads/{upload['id']}/direct_parts")
    assert direct["object"] == "upload.part"
    assert direct["expires_at"] == upload["expires_at"]
    assert direct["url"].endswith("?size=6&for=3000")
    early = complete(service, upload, direct["id"])
    assert (early.status, early.error["param"]) == (400, "part_ids[0]"), "nothing was sent yet"
    service.blobs.put(direct["url"], b"abcdef")
    assert complete(service, upload, direct["id"]).json["file"]["bytes"] == 6
    assert service.blobs.list("uploads/") == []


def test_more_than_s3_takes_at_once_is_not_sent_directly(service: Deployment) -> None:
    upload = begin(service, MAX_DIRECT_BYTES + 1)
    refused = service.api.request("POST", f"/uploads/{upload['id']}/direct_parts")
    assert refused.status == 400
    assert "send parts" in refused.error["message"]


class InterruptedBlobs(FakeBlobs):
    """Blobs during whose writing something else happens, once."""

    happening: Any = None

    def write(self, name: str, pieces: Any) -> int:
        written = super().write(name, pieces)
        self._happen()
        return written

    def _happen(self) -> None:
        happening, self.happening = self.happening, None
        if happening:
            happening()


def test_a_part_that_arrives_with_the_cancel_is_refused_and_gone(
    service: Deployment, blobs: InterruptedBlobs
) -> None:
    upload = begin(service)
    blobs.happening = lambda: cancel(service, upload)
    assert send(service, upload, b"abc").status == 400
    assert only_the_upload_is_left(service)


def test_a_cancel_during_the_completion_wins_and_leaves_nothing(
    service: Deployment, blobs: InterruptedBlobs
) -> None:
    upload = begin(service)
    parts = [add(service, upload, b"abc"), add(service, upload, b"def")]
    blobs.happening = lambda: cancel(service, upload)
    refused = complete(service, upload, *parts)
    assert (refused.status, "is cancelled" in refused.error["message"]) == (400, True)
    assert only_the_upload_is_left(service)


def test_two_completions_at_once_make_one_file(
    service: Deployment, blobs: InterruptedBlobs
) -> None:
    upload = begin(service)
    parts = [add(service, upload, b"abc"), add(service, upload, b"def")]
    winners: list[Answer] = []
    blobs.happening = lambda: winners.append(complete(service, upload, *parts))
    assert complete(service, upload, *parts).json == winners[0].json
    assert list(blobs.contents) == [f"files/{service.project}/{winners[0].json['file']['id']}"]
    assert len(service.api.get("/files")["data"]) == 1


def test_of_two_completions_in_different_orders_one_is_refused(
    service: Deployment, blobs: InterruptedBlobs
) -> None:
    upload = begin(service)
    parts = [add(service, upload, b"abc"), add(service, upload, b"def")]
    winners: list[Answer] = []
    blobs.happening = lambda: winners.append(complete(service, upload, *reversed(parts)))
    assert complete(service, upload, *parts).status == 400
    (content,) = blobs.contents.values()
    assert content == b"defabc"


def test_parts_that_vanish_during_the_completion_are_a_fault_of_ours(
    service: Deployment, blobs: InterruptedBlobs
) -> None:
    upload = begin(service)
    parts = [add(service, upload, b"abc"), add(service, upload, b"def")]
    found = blobs.list("uploads/")
    blobs.delete([found[1].name])
    blobs.list = lambda prefix: found  # type: ignore[method-assign]
    assert complete(service, upload, *parts).status == 500
    assert not [key for key in service.table.rows if "#blob" in key.partition]
    assert list(blobs.contents) == [found[0].name]

"""File batches over fakes: of any size, taken up again wherever they break off, counted right."""

import threading
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from assistants.domain.errors import RateLimitError
from assistants.domain.ids import VectorStoreId
from assistants.ports.table import Create, Write
from assistants.services.vector_stores.file_counts import SHARDS
from tests.support.fakes import FakeTable
from tests.support.file_search_deployment import FileSearchDeployment

BIG = 2_000


class DyingTable(FakeTable):
    """A table whose process dies at a commit, so that no later write is done."""

    def __init__(self) -> None:
        super().__init__()
        self.lives = 10**9

    def commit(self, *writes: Write) -> None:
        self.lives -= 1
        if self.lives < 0:
            raise KeyboardInterrupt
        super().commit(*writes)


@pytest.fixture
def table() -> DyingTable:
    return DyingTable()


@pytest.fixture
def deployment(tmp_path: Path, table: DyingTable) -> FileSearchDeployment:
    return FileSearchDeployment(tmp_path, table=table)


def begin(
    deployment: FileSearchDeployment, store_id: str, file_ids: Iterable[str], **members: Any
) -> Any:
    body = {"file_ids": [*file_ids], **members}
    return deployment.api.post(deployment.url(store_id, "file_batches"), body)


def again(deployment: FileSearchDeployment, batch: dict[str, Any]) -> Any:
    url = deployment.url(batch["vector_store_id"], "file_batches", batch["id"])
    return deployment.api.get(url)


def counts(found: dict[str, Any]) -> dict[str, int]:
    return {name: count for name, count in found["file_counts"].items() if count}


def listed(deployment: FileSearchDeployment, batch: dict[str, Any], query: str = "") -> list[str]:
    """Return the ids of all files of a batch, page by page."""
    url = deployment.url(batch["vector_store_id"], "file_batches", batch["id"], "files")
    ids: list[str] = []
    page = deployment.api.get(f"{url}?limit=100&{query}")
    while page["data"]:
        ids += [file["id"] for file in page["data"]]
        page = deployment.api.get(f"{url}?limit=100&{query}&after={ids[-1]}")
    return ids


def test_a_batch_is_described_as_the_original_does(deployment: FileSearchDeployment) -> None:
    store_id = deployment.vector_store()
    batch = begin(deployment, store_id, [deployment.file(), deployment.file(name="a.bin")])
    assert batch == {
        "id": batch["id"],
        "object": "vector_store.files_batch",
        "created_at": int(deployment.clock.now),
        "vector_store_id": store_id,
        "status": "in_progress",
        "file_counts": {
            "in_progress": 2,
            "completed": 0,
            "failed": 0,
            "cancelled": 0,
            "total": 2,
        },
    }
    assert batch["id"].startswith("vsfb_")
    deployment.ingest()
    done = again(deployment, batch)
    assert (done["status"], counts(done)) == (
        "completed",
        {"completed": 1, "failed": 1, "total": 2},
    )


def test_a_batch_of_which_nothing_can_be_read_has_failed(deployment: FileSearchDeployment) -> None:
    batch = begin(deployment, deployment.vector_store(), [deployment.file(name="a.bin")])
    deployment.ingest()
    assert again(deployment, batch)["status"] == "failed"


def test_files_of_a_batch_bring_their_own_attributes_and_chunking(
    deployment: FileSearchDeployment,
) -> None:
    one, other = deployment.file(), deployment.file()
    static = {"max_chunk_size_tokens": 200, "chunk_overlap_tokens": 10}
    files = [
        {"file_id": one, "attributes": {"year": 1}},
        {"file_id": other, "chunking_strategy": {"type": "static", "static": static}},
    ]
    store_id = deployment.vector_store()
    ignored = {"attributes": {"year": 9}, "chunking_strategy": {"type": "auto"}}
    deployment.api.post(deployment.url(store_id, "file_batches"), {"files": files, **ignored})
    first = deployment.api.get(deployment.url(store_id, "files", one))
    second = deployment.api.get(deployment.url(store_id, "files", other))
    assert first["attributes"] == {"year": 1}
    assert first["chunking_strategy"]["static"]["max_chunk_size_tokens"] == 800
    assert (second["attributes"], second["chunking_strategy"]["static"]) == ({}, static)


def test_what_is_said_of_all_files_of_a_batch_holds_for_each(
    deployment: FileSearchDeployment,
) -> None:
    ids = [deployment.file(), deployment.file()]
    store_id = deployment.vector_store()
    begin(deployment, store_id, ids, attributes={"year": 1}, chunking_strategy={"type": "auto"})
    page = deployment.api.get(deployment.url(store_id, "files"))
    assert [file["attributes"] for file in page["data"]] == [{"year": 1}] * 2


def test_a_file_that_is_named_twice_is_one_file(deployment: FileSearchDeployment) -> None:
    file_id = deployment.file()
    batch = begin(deployment, deployment.vector_store(), [file_id, file_id])
    assert counts(batch) == {"in_progress": 1, "total": 1}


def test_two_batches_can_share_files(deployment: FileSearchDeployment) -> None:
    """As when a client repeats a request whose answer it has not seen."""
    ids = [deployment.file() for _ in range(3)]
    store_id = deployment.vector_store()
    first = begin(deployment, store_id, ids[:2])
    second = begin(deployment, store_id, ids[1:])
    assert counts(again(deployment, second)) == {"in_progress": 2, "total": 2}
    deployment.ingest()
    third = begin(deployment, store_id, ids)
    assert (third["status"], counts(third)) == ("completed", {"completed": 3, "total": 3})
    for batch, expected in ((first, ids[:2]), (second, ids[1:]), (third, ids)):
        assert counts(again(deployment, batch)) == {
            "completed": len(expected),
            "total": len(expected),
        }
        assert sorted(listed(deployment, batch)) == sorted(expected)
    assert counts(deployment.api.get(deployment.url(store_id))) == {"completed": 3, "total": 3}


def test_a_file_that_leaves_the_store_leaves_its_batches(deployment: FileSearchDeployment) -> None:
    ids = [deployment.file() for _ in range(2)]
    store_id = deployment.vector_store()
    batch = begin(deployment, store_id, ids)
    deployment.api.delete(deployment.url(store_id, "files", ids[0]))
    assert counts(again(deployment, batch)) == {"in_progress": 1, "total": 1}
    deployment.ingest()
    assert again(deployment, batch)["status"] == "completed"
    assert listed(deployment, batch) == ids[1:]


def test_the_files_of_a_batch_are_listed_by_status(deployment: FileSearchDeployment) -> None:
    good, bad = [deployment.file() for _ in range(3)], deployment.file(name="a.bin")
    store_id = deployment.vector_store(deployment.file())
    batch = begin(deployment, store_id, [*good, bad])
    assert listed(deployment, batch, "order=asc") == [*good, bad]
    assert listed(deployment, batch, "filter=in_progress") == [bad, *good[::-1]]
    deployment.ingest()
    assert listed(deployment, batch, "filter=completed&order=asc") == good
    assert listed(deployment, batch, "filter=failed") == [bad]
    assert listed(deployment, batch, "filter=cancelled") == []


def test_a_cancelled_batch_stops_what_is_not_indexed_yet(deployment: FileSearchDeployment) -> None:
    done, waiting = deployment.file(), [deployment.file() for _ in range(40)]
    store_id = deployment.vector_store()
    batch = begin(deployment, store_id, [done, *waiting])
    deployment.indexing.process(deployment.index_queue.sent[0])
    url = deployment.url(store_id, "file_batches", batch["id"], "cancel")
    cancelled = deployment.api.post(url)
    assert cancelled["status"] == "cancelled"
    assert counts(cancelled) == {"completed": 1, "cancelled": 40, "total": 41}
    assert deployment.api.post(url) == cancelled, "a repetition changes nothing"
    deployment.ingest()
    deployment.sweep()
    assert again(deployment, batch) == cancelled
    assert deployment.indexed() == 1
    assert not deployment.table.due(2**40, limit=9)


def test_files_that_join_while_their_batch_is_cancelled_are_cancelled_too(
    deployment: FileSearchDeployment, table: DyingTable
) -> None:
    ids = [deployment.file() for _ in range(40)]
    store_id = deployment.vector_store()
    commit = table.commit

    def cancelling(*writes: Write) -> None:
        commit(*writes)
        if any(isinstance(write, Create) and write.row.key.sort[:2] == "F#" for write in writes):
            table.commit = commit  # type: ignore[method-assign]
            [row] = [row for row in table.rows.values() if row.key.sort.startswith("B#")]
            deployment.api.post(deployment.url(store_id, "file_batches", row.body["id"], "cancel"))

    table.commit = cancelling  # type: ignore[method-assign]
    batch = begin(deployment, store_id, ids)
    assert batch["status"] == "cancelled"
    deployment.sweep(seconds=61)
    assert counts(again(deployment, batch)) == {"cancelled": 40, "total": 40}
    deployment.sweep()
    assert not table.due(2**40, limit=9)


def test_an_ended_batch_cannot_be_cancelled(deployment: FileSearchDeployment) -> None:
    store_id = deployment.vector_store()
    batch = begin(deployment, store_id, [deployment.file()])
    deployment.ingest()
    url = deployment.url(store_id, "file_batches", batch["id"], "cancel")
    message = deployment.api.refused("POST", url)
    assert message == "Cannot cancel vector store file batch with status 'completed'."


def test_a_batch_that_does_not_exist_is_not_found(deployment: FileSearchDeployment) -> None:
    url = deployment.url(deployment.vector_store(), "file_batches", "vsfb_x")
    for method, path in (("GET", url), ("POST", f"{url}/cancel"), ("GET", f"{url}/files")):
        answer = deployment.api.request(method, path)
        assert answer.status == 404
        assert answer.error["message"] == "No vector store file batch found with id 'vsfb_x'."


def test_two_thousand_files_join_in_one_batch(deployment: FileSearchDeployment) -> None:
    ids = [deployment.file() for _ in range(BIG)]
    store_id = deployment.vector_store()
    batch = begin(deployment, store_id, ids)
    assert counts(batch) == {"in_progress": BIG, "total": BIG}
    assert len({entry_id for _, _, entry_id in deployment.index_queue.sent}) == BIG
    assert listed(deployment, batch, "order=asc") == ids


@pytest.mark.parametrize("lives", range(0, 14))
def test_a_batch_that_breaks_off_is_taken_up_again(
    deployment: FileSearchDeployment, table: DyingTable, lives: int
) -> None:
    """Wherever the process dies: either nothing was begun, or every file joins, exactly once."""
    ids = [deployment.file() for _ in range(100)]
    store_id = deployment.vector_store()
    table.lives = lives
    with suppress(KeyboardInterrupt):
        begin(deployment, store_id, ids)
    died = table.lives < 0
    table.lives = 10**9
    deployment.sweep(seconds=61)
    store_now = deployment.api.get(deployment.url(store_id))
    if lives == 0:
        assert (died, counts(store_now)) == (True, {})
        return
    assert died == (lives < 10), "a hundred files join in eight transactions"
    assert counts(store_now) == {"completed": 100, "total": 100}
    [row] = [row for row in table.rows.values() if row.key.sort.startswith("B#")]
    batch = deployment.api.get(deployment.url(store_id, "file_batches", row.body["id"]))
    assert (batch["status"], counts(batch)) == ("completed", {"completed": 100, "total": 100})
    assert sorted(listed(deployment, batch)) == sorted(ids)
    assert deployment.indexed() == 100


@pytest.mark.parametrize("trouble", [RateLimitError("busy"), RuntimeError("SQS is down")])
def test_trouble_only_delays_the_joining(
    deployment: FileSearchDeployment, table: DyingTable, trouble: Exception
) -> None:
    """The store exists, so its creation must not look as if it had failed."""
    file_id = deployment.file()
    commit = table.commit

    def busy(*writes: Write) -> None:
        if any(isinstance(write, Create) and write.row.key.sort[:2] == "F#" for write in writes):
            raise trouble
        commit(*writes)

    table.commit = busy  # type: ignore[method-assign]
    store_id = deployment.vector_store(file_id)
    table.commit = commit  # type: ignore[method-assign]
    deployment.sweep(seconds=61)
    assert counts(deployment.api.get(deployment.url(store_id))) == {"completed": 1, "total": 1}


def test_a_batch_whose_file_is_deleted_while_it_joins_goes_without_it(
    deployment: FileSearchDeployment, table: DyingTable
) -> None:
    kept, deleted = deployment.file(), deployment.file()
    commit = table.commit

    def deleting(*writes: Write) -> None:
        if any(isinstance(write, Create) and write.row.key.sort[:2] == "F#" for write in writes):
            table.commit = commit  # type: ignore[method-assign]
            deployment.api.delete(f"/files/{deleted}")
        commit(*writes)

    table.commit = deleting  # type: ignore[method-assign]
    batch = begin(deployment, deployment.vector_store(), [kept, deleted])
    assert counts(batch) == {"in_progress": 1, "total": 1}
    assert listed(deployment, batch) == [kept]


def test_counts_are_right_when_hundreds_of_files_end_at_once(
    deployment: FileSearchDeployment,
) -> None:
    ids = [deployment.file() for _ in range(300)]
    store_id = deployment.vector_store()
    batch = begin(deployment, store_id, ids)
    records, vector_store = (
        deployment.backend.vector_stores.file_repository,
        deployment.backend.vector_stores.service,
    )
    found = [records.load(message) for message in deployment.index_queue.sent]
    work = [one for one in found if one is not None]
    lock = threading.Lock()

    def worker() -> None:
        while True:
            with lock:
                if not work:
                    return
                one = work.pop()
                number = len(work)
            if number % 3 == 0:
                assert records.fail(one, "invalid_file", "It is empty.")
            else:
                assert records.complete(one, 10)
            assert not records.complete(one, 10), "each ends once"

    workers = [threading.Thread(target=worker) for _ in range(8)]
    for one in workers:
        one.start()
    for one in workers:
        one.join()
    expected = {"completed": 200, "failed": 100, "total": 300}
    store_now = deployment.api.get(deployment.url(store_id))
    assert (counts(store_now), store_now["usage_bytes"]) == (expected, 2000)
    assert counts(again(deployment, batch)) == expected
    assert not vector_store.is_indexing(deployment.project, VectorStoreId(store_id))
    shards = Counter(
        row.key.sort for row in deployment.table.rows.values() if row.key.sort.startswith("BN#")
    )
    assert len(shards) == SHARDS, "the files are counted in several rows"

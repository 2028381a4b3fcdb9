"""Nothing is left of deleted or expired objects, even if a worker dies or is slow."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from assistants.domain.vector_store import DAY_SECONDS
from assistants.ports.parsing import ParsingUnavailableError
from assistants.services.vector_stores.purge import PAGE
from tests.support.file_search_deployment import FileSearchDeployment


@pytest.fixture
def deployment(tmp_path: Path) -> FileSearchDeployment:
    return FileSearchDeployment(tmp_path)


def nothing_is_left(deployment: FileSearchDeployment) -> bool:
    """No row, no chunk, no byte, once every worker that might be alive is dead."""
    deployment.ingest()
    deployment.sweep()
    deployment.sweep()
    assert deployment.rows() == []
    assert deployment.indexed() == 0
    assert deployment.blobs.contents == {}
    assert deployment.table.due(2**40, limit=9) == []
    return True


def delete_file(deployment: FileSearchDeployment, file_id: str) -> None:
    deployment.api.delete(f"/files/{file_id}")


def test_a_deleted_file_leaves_all_its_stores(deployment: FileSearchDeployment) -> None:
    file_id = deployment.file()
    stores = [deployment.vector_store(file_id) for _ in range(3)]
    deployment.ingest()
    delete_file(deployment, file_id)
    for store_id in stores:
        assert deployment.api.get(deployment.url(store_id, "files"))["data"] == []
        assert deployment.api.get(deployment.url(store_id))["file_counts"]["total"] == 0
        deployment.api.delete(deployment.url(store_id))
    assert nothing_is_left(deployment)


def test_a_file_that_expires_leaves_its_stores(deployment: FileSearchDeployment) -> None:
    file_id = deployment.file()
    store_id = deployment.vector_store(file_id)
    deployment.ingest()
    [key] = [key for key in deployment.rows() if key.partition.endswith("#file")]
    deployment.table.rows[key].body["expires_at"] = int(deployment.clock.now)
    deployment.backend.files.service.expire(deployment.project, key)
    assert deployment.api.get(deployment.url(store_id, "files"))["data"] == []
    deployment.api.delete(deployment.url(store_id))
    assert nothing_is_left(deployment)


@pytest.mark.parametrize("indexed", [False, True])
def test_a_deleted_store_takes_everything_but_the_files(
    deployment: FileSearchDeployment, indexed: bool
) -> None:
    ids = [deployment.file() for _ in range(40)]
    store_id = deployment.vector_store(*ids)
    deployment.api.post(deployment.url(store_id, "file_batches"), {"file_ids": ids})
    if indexed:
        deployment.ingest()
    answer = deployment.api.delete(deployment.url(store_id))
    assert answer == {"id": store_id, "object": "vector_store.deleted", "deleted": True}
    for method in ("GET", "DELETE"):
        refused = deployment.api.request(method, deployment.url(store_id))
        assert refused.status == 404
        assert refused.error["message"] == f"No vector store found with id '{store_id}'."
    assert deployment.api.get("/vector_stores")["data"] == []
    for file_id in ids:
        assert deployment.api.get(f"/files/{file_id}")["id"] == file_id
        delete_file(deployment, file_id)
    assert nothing_is_left(deployment)


def test_a_store_of_more_files_than_one_page_is_purged(deployment: FileSearchDeployment) -> None:
    ids = [deployment.file() for _ in range(PAGE + 1)]
    store_id = deployment.vector_store()
    deployment.api.post(deployment.url(store_id, "file_batches"), {"file_ids": ids})
    deployment.ingest()
    deployment.api.delete(deployment.url(store_id))
    for file_id in ids:
        delete_file(deployment, file_id)
    assert nothing_is_left(deployment)


def test_a_deleted_thread_takes_its_own_stores_but_not_the_files(
    deployment: FileSearchDeployment,
) -> None:
    attached, given = deployment.file(), deployment.file()
    tools = [{"type": "file_search"}]
    message = {
        "role": "user",
        "content": "Look",
        "attachments": [{"file_id": attached, "tools": tools}],
    }
    resources = {"file_search": {"vector_stores": [{"file_ids": [given]}]}}
    first = deployment.api.post("/threads", {"messages": [message]})["id"]
    second = deployment.api.post("/threads", {"tool_resources": resources})["id"]
    deployment.clock.now += 8 * DAY_SECONDS
    deployment.api.post(f"/threads/{first}/messages", message)
    deployment.ingest()
    assert len(deployment.api.get("/vector_stores")["data"]) == 3
    for thread_id in (first, second):
        deployment.api.delete(f"/threads/{thread_id}")
    deployment.ingest()
    assert deployment.api.get("/vector_stores")["data"] == []
    for file_id in (attached, given):
        delete_file(deployment, file_id)
    assert nothing_is_left(deployment)


def detached(deployment: FileSearchDeployment, store_id: str, file_id: str) -> None:
    deployment.api.delete(deployment.url(store_id, "files", file_id))


def store_deleted(deployment: FileSearchDeployment, store_id: str, _: str) -> None:
    deployment.api.delete(deployment.url(store_id))


def file_deleted(deployment: FileSearchDeployment, _: str, file_id: str) -> None:
    deployment.api.delete(f"/files/{file_id}")


def store_expired(deployment: FileSearchDeployment, store_id: str, _: str) -> None:
    deployment.clock.now += 2 * DAY_SECONDS
    deployment.backend.maintenance.sweeper.sweep()


def cancelled(deployment: FileSearchDeployment, store_id: str, file_id: str) -> None:
    batches = deployment.url(store_id, "file_batches")
    [row] = [row for row in deployment.table.rows.values() if row.key.sort.startswith("B#")]
    deployment.api.post(f"{batches}/{row.body['id']}/cancel")


@pytest.mark.parametrize("moment", ["parse", "plan", "write", "put", "complete"])
@pytest.mark.parametrize("end", [detached, store_deleted, file_deleted, store_expired, cancelled])
@pytest.mark.parametrize("dies", [False, True], ids=["survives", "dies"])
def test_what_ends_while_it_is_indexed_leaves_nothing(
    deployment: FileSearchDeployment,
    moment: str,
    end: Callable[[FileSearchDeployment, str, str], None],
    dies: bool,
) -> None:
    """The end comes just before a step of the worker, is carried out at once, and the worker then
    goes on with that step; or it goes on and dies after it.
    """
    file_id = deployment.file("Ada. " * 1000)
    store_id = deployment.vector_store(
        file_id, expires_after={"anchor": "last_active_at", "days": 1}
    )
    owner = {
        "parse": deployment.indexing.parser,
        "plan": deployment.backend.vector_stores.file_repository,
        "write": deployment.blobs,
        "put": deployment.index,
        "complete": deployment.backend.vector_stores.file_repository,
    }[moment]
    step = getattr(owner, moment)
    message = deployment.index_queue.sent.pop()

    def overtaken(*arguments: object, **named: object) -> object:
        object.__setattr__(owner, moment, step)
        end(deployment, store_id, file_id)
        deployment.ingest()
        answer = step(*arguments, **named)
        if dies:
            raise KeyboardInterrupt
        return answer

    object.__setattr__(owner, moment, overtaken)
    try:
        deployment.indexing.process(message)
    except (KeyboardInterrupt, ParsingUnavailableError):
        deployment.indexing.process(message)  # the message is delivered again
    deployment.ingest()
    deployment.sweep()
    assert deployment.indexed() == 0
    assert deployment.blobs.list("texts/") == []
    for url in (deployment.url(store_id), f"/files/{file_id}"):
        deployment.api.request("DELETE", url)
    assert nothing_is_left(deployment)


def test_a_lost_message_is_sent_again(deployment: FileSearchDeployment) -> None:
    """Of a file that waits for its indexing, and of chunks that wait for their deletion."""
    file_id = deployment.file()
    store_id = deployment.vector_store(file_id)
    deployment.index_queue.sent.clear()
    deployment.sweep(seconds=3600)
    file = deployment.url(store_id, "files", file_id)
    assert deployment.api.get(file)["status"] == "completed"
    deployment.api.delete(deployment.url(store_id))
    deployment.purge_queue.sent.clear()
    deployment.clock.now += 300
    deployment.backend.maintenance.sweeper.sweep()
    project, identifier = deployment.purge_queue.sent.pop()
    deployment.backend.maintenance.purge.work(project, identifier, seconds=0)
    deployment.index_queue.sent.clear()
    deployment.purge_queue.sent.clear()
    delete_file(deployment, file_id)
    assert nothing_is_left(deployment)


def test_a_file_that_nobody_can_index_fails_after_a_day(deployment: FileSearchDeployment) -> None:
    file_id = deployment.file()
    store_id = deployment.vector_store(file_id)
    for _ in range(24):
        deployment.index_queue.sent.clear()
        deployment.clock.now += 3600
        deployment.backend.maintenance.sweeper.sweep()
    file = deployment.api.get(deployment.url(store_id, "files", file_id))
    assert file["status"] == "failed"
    assert file["last_error"] == {
        "code": "server_error",
        "message": "The file could not be indexed within a day.",
    }


@pytest.mark.parametrize("change", ["detach", "attributes"])
def test_work_on_an_index_that_does_not_answer_holds_up_nothing_else_that_is_due(
    deployment: FileSearchDeployment, change: str
) -> None:
    """The sweep asks for it through the queue, and not again minute after minute."""
    file_id = deployment.file()
    store_id = deployment.vector_store(file_id)
    deployment.ingest()
    url = deployment.url(store_id, "files", file_id)
    works = {"detach": deployment.index.delete, "attributes": deployment.index.set_attributes}

    def hang(*_: object) -> None:
        raise KeyboardInterrupt

    for work in works.values():
        setattr(deployment.index, work.__name__, hang)
    with suppress(KeyboardInterrupt):
        if change == "detach":
            deployment.api.delete(url)
        else:
            deployment.api.post(url, {"attributes": {"year": 2024}})
    for minute in range(30):
        deployment.index_queue.sent.clear()
        deployment.clock.now += 60
        deployment.backend.maintenance.sweeper.sweep()
        assert len(deployment.index_queue.sent) == (minute in (4, 19)), minute
        assert not deployment.table.due(int(deployment.clock.now), limit=9)
    for work in works.values():
        setattr(deployment.index, work.__name__, work)
    deployment.sweep()
    deployment.api.delete(deployment.url(store_id))
    delete_file(deployment, file_id)
    assert nothing_is_left(deployment)


def test_attributes_that_could_not_reach_the_index_do_so_later(
    deployment: FileSearchDeployment,
) -> None:
    file_id = deployment.file()
    store_id = deployment.vector_store(file_id)
    deployment.ingest()
    set_attributes = deployment.index.set_attributes

    def down(*_: object) -> None:
        raise KeyboardInterrupt

    deployment.index.set_attributes = down  # type: ignore[assignment, method-assign]
    url = deployment.url(store_id, "files", file_id)
    with pytest.raises(KeyboardInterrupt):
        deployment.api.post(url, {"attributes": {"year": 2024}})
    deployment.index.set_attributes = set_attributes  # type: ignore[method-assign]
    deployment.sweep()
    filters = {"type": "eq", "key": "year", "value": 2024}
    body = {"query": "parrot", "filters": filters}
    assert len(deployment.api.post(deployment.url(store_id, "search"), body)["data"]) == 1
    deployment.api.delete(deployment.url(store_id))
    delete_file(deployment, file_id)
    assert nothing_is_left(deployment)

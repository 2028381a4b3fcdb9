"""Whatever is deleted or expires, and whoever dies or is slow: nothing of it is left anywhere."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from assistants.domain.vector_store import DAY_SECONDS
from assistants.ports.parsing import ParsingUnavailableError
from assistants.services.vector_stores.purge import PAGE
from tests.support.library import Library


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return Library(tmp_path)


def nothing_is_left(library: Library) -> bool:
    """No row, no chunk, no byte, once every worker that might be alive is dead."""
    library.ingest()
    library.sweep()
    library.sweep()
    assert library.rows() == []
    assert library.indexed() == 0
    assert library.blobs.contents == {}
    assert library.table.due(2**40, limit=9) == []
    return True


def delete_file(library: Library, file_id: str) -> None:
    library.api.delete(f"/files/{file_id}")


def test_a_deleted_file_leaves_all_its_stores(library: Library) -> None:
    file_id = library.file()
    stores = [library.vector_store(file_id) for _ in range(3)]
    library.ingest()
    delete_file(library, file_id)
    for store_id in stores:
        assert library.api.get(library.url(store_id, "files"))["data"] == []
        assert library.api.get(library.url(store_id))["file_counts"]["total"] == 0
        library.api.delete(library.url(store_id))
    assert nothing_is_left(library)


def test_a_file_that_expires_leaves_its_stores(library: Library) -> None:
    file_id = library.file()
    store_id = library.vector_store(file_id)
    library.ingest()
    [key] = [key for key in library.rows() if key.partition.endswith("#file")]
    library.table.rows[key].body["expires_at"] = int(library.clock.now)
    library.backend.files.service.expire(library.project, key)
    assert library.api.get(library.url(store_id, "files"))["data"] == []
    library.api.delete(library.url(store_id))
    assert nothing_is_left(library)


@pytest.mark.parametrize("indexed", [False, True])
def test_a_deleted_store_takes_everything_but_the_files(library: Library, indexed: bool) -> None:
    ids = [library.file() for _ in range(40)]
    store_id = library.vector_store(*ids)
    library.api.post(library.url(store_id, "file_batches"), {"file_ids": ids})
    if indexed:
        library.ingest()
    answer = library.api.delete(library.url(store_id))
    assert answer == {"id": store_id, "object": "vector_store.deleted", "deleted": True}
    for method in ("GET", "DELETE"):
        refused = library.api.request(method, library.url(store_id))
        assert refused.status == 404
        assert refused.error["message"] == f"No vector store found with id '{store_id}'."
    assert library.api.get("/vector_stores")["data"] == []
    for file_id in ids:
        assert library.api.get(f"/files/{file_id}")["id"] == file_id
        delete_file(library, file_id)
    assert nothing_is_left(library)


def test_a_store_of_more_files_than_one_page_is_purged(library: Library) -> None:
    ids = [library.file() for _ in range(PAGE + 1)]
    store_id = library.vector_store()
    library.api.post(library.url(store_id, "file_batches"), {"file_ids": ids})
    library.ingest()
    library.api.delete(library.url(store_id))
    for file_id in ids:
        delete_file(library, file_id)
    assert nothing_is_left(library)


def test_a_deleted_thread_takes_its_own_stores_but_not_the_files(library: Library) -> None:
    attached, given = library.file(), library.file()
    tools = [{"type": "file_search"}]
    message = {
        "role": "user",
        "content": "Look",
        "attachments": [{"file_id": attached, "tools": tools}],
    }
    resources = {"file_search": {"vector_stores": [{"file_ids": [given]}]}}
    first = library.api.post("/threads", {"messages": [message]})["id"]
    second = library.api.post("/threads", {"tool_resources": resources})["id"]
    library.clock.now += 8 * DAY_SECONDS
    library.api.post(f"/threads/{first}/messages", message)
    library.ingest()
    assert len(library.api.get("/vector_stores")["data"]) == 3
    for thread_id in (first, second):
        library.api.delete(f"/threads/{thread_id}")
    library.ingest()
    assert library.api.get("/vector_stores")["data"] == []
    for file_id in (attached, given):
        delete_file(library, file_id)
    assert nothing_is_left(library)


def detached(library: Library, store_id: str, file_id: str) -> None:
    library.api.delete(library.url(store_id, "files", file_id))


def store_deleted(library: Library, store_id: str, _: str) -> None:
    library.api.delete(library.url(store_id))


def file_deleted(library: Library, _: str, file_id: str) -> None:
    library.api.delete(f"/files/{file_id}")


def store_expired(library: Library, store_id: str, _: str) -> None:
    library.clock.now += 2 * DAY_SECONDS
    library.backend.maintenance.sweeper.sweep()


def cancelled(library: Library, store_id: str, file_id: str) -> None:
    batches = library.url(store_id, "file_batches")
    [row] = [row for row in library.table.rows.values() if row.key.sort.startswith("B#")]
    library.api.post(f"{batches}/{row.body['id']}/cancel")


@pytest.mark.parametrize("moment", ["parse", "plan", "write", "put", "complete"])
@pytest.mark.parametrize("end", [detached, store_deleted, file_deleted, store_expired, cancelled])
@pytest.mark.parametrize("dies", [False, True], ids=["survives", "dies"])
def test_what_ends_while_it_is_indexed_leaves_nothing(
    library: Library,
    moment: str,
    end: Callable[[Library, str, str], None],
    dies: bool,
) -> None:
    """The end comes just before a step of the worker, is carried out at once, and the worker then
    goes on with that step; or it goes on and dies behind it.
    """
    file_id = library.file("Ada. " * 1000)
    store_id = library.vector_store(file_id, expires_after={"anchor": "last_active_at", "days": 1})
    owner = {
        "parse": library.indexing.parser,
        "plan": library.backend.vector_stores.file_repository,
        "write": library.blobs,
        "put": library.index,
        "complete": library.backend.vector_stores.file_repository,
    }[moment]
    step = getattr(owner, moment)
    message = library.index_queue.sent.pop()

    def overtaken(*arguments: object, **named: object) -> object:
        object.__setattr__(owner, moment, step)
        end(library, store_id, file_id)
        library.ingest()
        answer = step(*arguments, **named)
        if dies:
            raise KeyboardInterrupt
        return answer

    object.__setattr__(owner, moment, overtaken)
    try:
        library.indexing.process(message)
    except (KeyboardInterrupt, ParsingUnavailableError):
        library.indexing.process(message)  # the message is delivered again
    library.ingest()
    library.sweep()
    assert library.indexed() == 0
    assert library.blobs.list("texts/") == []
    for url in (library.url(store_id), f"/files/{file_id}"):
        library.api.request("DELETE", url)
    assert nothing_is_left(library)


def test_a_lost_message_is_sent_again(library: Library) -> None:
    """Of a file that waits for its indexing, and of chunks that wait for their deletion."""
    file_id = library.file()
    store_id = library.vector_store(file_id)
    library.index_queue.sent.clear()
    library.sweep(seconds=3600)
    file = library.url(store_id, "files", file_id)
    assert library.api.get(file)["status"] == "completed"
    library.api.delete(library.url(store_id))
    library.purge_queue.sent.clear()
    library.clock.now += 300
    library.backend.maintenance.sweeper.sweep()
    project, identifier = library.purge_queue.sent.pop()
    library.backend.maintenance.purge.work(project, identifier, seconds=0)
    library.index_queue.sent.clear()
    library.purge_queue.sent.clear()
    delete_file(library, file_id)
    assert nothing_is_left(library)


def test_a_file_that_nobody_can_index_fails_after_a_day(library: Library) -> None:
    file_id = library.file()
    store_id = library.vector_store(file_id)
    for _ in range(24):
        library.index_queue.sent.clear()
        library.clock.now += 3600
        library.backend.maintenance.sweeper.sweep()
    file = library.api.get(library.url(store_id, "files", file_id))
    assert file["status"] == "failed"
    assert file["last_error"] == {
        "code": "server_error",
        "message": "The file could not be indexed within a day.",
    }


@pytest.mark.parametrize("change", ["detach", "attributes"])
def test_work_on_an_index_that_does_not_answer_holds_up_nothing_else_that_is_due(
    library: Library, change: str
) -> None:
    """The sweep asks for it through the queue, and not again minute after minute."""
    file_id = library.file()
    store_id = library.vector_store(file_id)
    library.ingest()
    url = library.url(store_id, "files", file_id)
    works = {"detach": library.index.delete, "attributes": library.index.set_attributes}

    def hang(*_: object) -> None:
        raise KeyboardInterrupt

    for work in works.values():
        setattr(library.index, work.__name__, hang)
    with suppress(KeyboardInterrupt):
        if change == "detach":
            library.api.delete(url)
        else:
            library.api.post(url, {"attributes": {"year": 2024}})
    for minute in range(30):
        library.index_queue.sent.clear()
        library.clock.now += 60
        library.backend.maintenance.sweeper.sweep()
        assert len(library.index_queue.sent) == (minute in (4, 19)), minute
        assert not library.table.due(int(library.clock.now), limit=9)
    for work in works.values():
        setattr(library.index, work.__name__, work)
    library.sweep()
    library.api.delete(library.url(store_id))
    delete_file(library, file_id)
    assert nothing_is_left(library)


def test_attributes_that_could_not_reach_the_index_do_so_later(library: Library) -> None:
    file_id = library.file()
    store_id = library.vector_store(file_id)
    library.ingest()
    set_attributes = library.index.set_attributes

    def down(*_: object) -> None:
        raise KeyboardInterrupt

    library.index.set_attributes = down  # type: ignore[assignment, method-assign]
    url = library.url(store_id, "files", file_id)
    with pytest.raises(KeyboardInterrupt):
        library.api.post(url, {"attributes": {"year": 2024}})
    library.index.set_attributes = set_attributes  # type: ignore[method-assign]
    library.sweep()
    filters = {"type": "eq", "key": "year", "value": 2024}
    body = {"query": "parrot", "filters": filters}
    assert len(library.api.post(library.url(store_id, "search"), body)["data"]) == 1
    library.api.delete(library.url(store_id))
    delete_file(library, file_id)
    assert nothing_is_left(library)

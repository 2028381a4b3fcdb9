"""A file of a vector store is indexed once, whatever happens to its workers and to itself."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from assistants.domain.ids import EntryRef
from assistants.domain.retrieval.passage import Chunk
from assistants.ports.search import Embedder, SearchUnavailableError, Vector
from assistants.services.vector_stores import indexing
from assistants.services.vector_stores.indexing import Indexing
from assistants.services.vector_stores.kept_texts import KeptTexts
from tests.support.crashes import Killed
from tests.support.file_search_deployment import FileSearchDeployment

SMALL = {"type": "static", "static": {"max_chunk_size_tokens": 100, "chunk_overlap_tokens": 0}}
LONG = " ".join(f"Parrot number {number} is called Ada {number}." for number in range(80))
CHUNKS = 9


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(indexing, "BATCH", 4)


@pytest.fixture
def deployment(tmp_path: Path) -> FileSearchDeployment:
    return FileSearchDeployment(tmp_path)


class Life:
    def __init__(self, steps: int) -> None:
        self.steps = steps

    def step(self) -> None:
        self.steps -= 1
        if self.steps < 0:
            raise Killed


class Mortal:
    """Lets its user die before and after each call of a port."""

    def __init__(self, target: Any, life: Life) -> None:
        self._target = target
        self._life = life

    def __getattr__(self, name: str) -> Any:
        def call(*arguments: Any, **named: Any) -> Any:
            self._life.step()
            answer = getattr(self._target, name)(*arguments, **named)
            self._life.step()
            return answer

        return call


def mortal(deployment: FileSearchDeployment, steps: int) -> Indexing:
    """Make a worker of the deployment's queue that lives for so many steps."""
    life, whole = Life(steps), deployment.indexing
    table, queue = Mortal(deployment.table, life), Mortal(deployment.index_queue, life)
    index_deletions = replace(whole.repository.index_deletions, table=table, queue=queue)
    return replace(
        whole,
        repository=replace(whole.repository, table=table, index_deletions=index_deletions),
        texts=KeptTexts(Mortal(deployment.blobs, life)),
        index=lambda: Mortal(deployment.index, life),
    )


def attach(
    deployment: FileSearchDeployment, content: str = LONG, name: str = "notes.txt"
) -> tuple[str, str]:
    file = deployment.file(content, name)
    store = deployment.vector_store(file, chunking_strategy=SMALL)
    return store, file


def status(deployment: FileSearchDeployment, store: str, file: str) -> dict[str, Any]:
    found: dict[str, Any] = deployment.api.get(deployment.url(store, "files", file))
    return found


def texts(deployment: FileSearchDeployment) -> list[str]:
    """Return the names of the texts that are kept, each with its layout."""
    names = {name for name in deployment.blobs.contents if name.startswith("texts/")}
    kept = [name for name in names if not name.endswith(".layout")]
    assert names == {*kept, *(f"{name}.layout" for name in kept)}
    return kept


def dies(worker: Indexing, message: EntryRef) -> bool:
    try:
        worker.process(message)
    except Killed:
        return True
    return False


def test_a_worker_that_dies_anywhere_leaves_the_file_to_the_next(tmp_path: Path) -> None:
    killed = 0
    for steps in range(200):
        folder = tmp_path / str(steps)
        folder.mkdir()
        deployment = FileSearchDeployment(folder)
        store, file = attach(deployment)
        [message] = deployment.index_queue.sent
        died = dies(mortal(deployment, steps), message)
        deployment.ingest()
        assert status(deployment, store, file)["status"] == "completed"
        assert deployment.indexed() == CHUNKS
        assert len(texts(deployment)) == 1
        if not died:
            break
        killed += 1
    assert killed > 20


def test_a_file_that_is_detached_from_a_dead_worker_leaves_nothing(tmp_path: Path) -> None:
    for steps in range(200):
        folder = tmp_path / str(steps)
        folder.mkdir()
        deployment = FileSearchDeployment(folder)
        store, file = attach(deployment)
        [message] = deployment.index_queue.sent
        died = dies(mortal(deployment, steps), message)
        deployment.api.delete(deployment.url(store, "files", file))
        deployment.ingest()
        deployment.sweep()
        assert deployment.indexed() == 0
        assert texts(deployment) == []
        if not died:
            break


class Meddled:
    """An embedding model, during whose next work something else is done."""

    def __init__(self, whole: Embedder, meddle: Callable[[], object]) -> None:
        self.model, self.dimensions, self.unrelated = whole.model, whole.dimensions, whole.unrelated
        self.query = whole.query
        self._documents = whole.documents
        self.meddle: Callable[[], object] | None = meddle

    def documents(self, texts: Sequence[str]) -> list[Vector]:
        meddle, self.meddle = self.meddle, None
        if meddle:
            meddle()
        return self._documents(texts)


@pytest.mark.parametrize(
    "place", ["/vector_stores/{store}/files/{file}", "/vector_stores/{store}", "/files/{file}"]
)
def test_what_is_deleted_while_it_is_indexed_is_gone_when_the_worker_has_ended(
    deployment: FileSearchDeployment, place: str
) -> None:
    """The deletion runs first, and the worker goes on to put what nobody wants any more."""
    store, file = attach(deployment)
    [message] = deployment.index_queue.sent
    deployment.index_queue.sent = []

    def meddle() -> None:
        deployment.api.delete(place.format(store=store, file=file))
        deployment.ingest()

    embedder = Meddled(deployment.indexing.embedder(), meddle)
    replace(deployment.indexing, embedder=lambda: embedder).process(message)
    deployment.sweep()
    assert deployment.indexed() == 0
    assert texts(deployment) == []


def test_two_workers_with_the_same_message_make_no_duplicate(
    deployment: FileSearchDeployment,
) -> None:
    store, _ = attach(deployment)
    [message] = deployment.index_queue.sent
    deployment.ingest()
    deployment.indexing.process(message)
    assert deployment.indexed() == CHUNKS
    counts = deployment.api.get(deployment.url(store))["file_counts"]
    assert (counts["completed"], counts["total"]) == (1, 1)


def test_a_retry_goes_on_where_the_last_try_was_stopped(deployment: FileSearchDeployment) -> None:
    """Embedding is what takes time: what is in the index is not embedded again."""
    attach(deployment)
    [message] = deployment.index_queue.sent
    asked: list[int] = []

    class Counted(Meddled):
        def documents(self, texts: Sequence[str]) -> list[Vector]:
            asked.append(len(texts))
            return super().documents(texts)

    def break_off() -> None:
        if len(asked) == 3:
            raise SearchUnavailableError("The embedding model does not answer.")
        embedder.meddle = break_off

    embedder = Counted(deployment.indexing.embedder(), break_off)
    worker = replace(deployment.indexing, embedder=lambda: embedder)
    with pytest.raises(SearchUnavailableError):
        worker.process(message)
    assert deployment.indexed() == 8
    worker.process(message)
    assert asked == [4, 4, 1, 1]
    assert deployment.indexed() == CHUNKS


def test_a_retry_that_cuts_the_text_otherwise_leaves_nothing_of_the_first(
    deployment: FileSearchDeployment,
) -> None:
    attach(deployment)
    [message] = deployment.index_queue.sent
    dies(mortal(deployment, 20), message)
    assert deployment.indexed() > 2
    halves = [Chunk(0, LONG[:500], 0, 500), Chunk(1, LONG[500:], 500, len(LONG))]
    replace(deployment.indexing, chunker=lambda *_, **__: halves).process(message)
    assert deployment.indexed() == 2


def test_a_file_is_completed_when_the_index_shows_all_of_it(
    deployment: FileSearchDeployment,
) -> None:
    store, file = attach(deployment)
    [message] = deployment.index_queue.sent
    looks: list[str] = []

    class Late:
        """Shows what was put there at the third look."""

        def count(self, document: Any) -> int:
            looks.append(status(deployment, store, file)["status"])
            return deployment.index.count(document) if len(looks) > 2 else 0

        def __getattr__(self, name: str) -> Any:
            return getattr(deployment.index, name)

    replace(deployment.indexing, index=Late).process(message)
    assert looks == ["in_progress"] * 3
    assert status(deployment, store, file)["status"] == "completed"


def test_an_index_that_never_shows_a_file_is_tried_again_later(
    deployment: FileSearchDeployment,
) -> None:
    store, file = attach(deployment)
    [message] = deployment.index_queue.sent

    class Blind:
        def count(self, _: Any) -> int:
            return 0

        def __getattr__(self, name: str) -> Any:
            return getattr(deployment.index, name)

    started = deployment.clock.now
    with pytest.raises(SearchUnavailableError, match=f"0 of {CHUNKS} chunks"):
        replace(deployment.indexing, index=Blind).process(message)
    assert deployment.clock.now - started <= indexing.VISIBLE_SECONDS + 1
    assert status(deployment, store, file)["status"] == "in_progress"
    deployment.ingest()
    assert status(deployment, store, file)["status"] == "completed"


def test_a_file_that_was_tried_too_often_fails_in_words(deployment: FileSearchDeployment) -> None:
    store, file = attach(deployment)
    [message] = deployment.index_queue.sent
    dies(mortal(deployment, 20), message)
    assert deployment.indexed() > 0
    deployment.index_queue.sent = []
    deployment.indexing.give_up(message)
    deployment.ingest()
    deployment.sweep()
    found = status(deployment, store, file)
    assert (found["status"], found["last_error"]["code"]) == ("failed", "server_error")
    assert "Attach it again" in found["last_error"]["message"]
    assert deployment.indexed() == 0
    assert deployment.api.get(deployment.url(store))["file_counts"]["failed"] == 1


def test_giving_up_changes_nothing_that_has_ended(deployment: FileSearchDeployment) -> None:
    store, file = attach(deployment)
    [message] = deployment.index_queue.sent
    deployment.ingest()
    deployment.indexing.give_up(message)
    assert status(deployment, store, file)["status"] == "completed"
    deployment.api.delete(deployment.url(store, "files", file))
    deployment.indexing.give_up(message)


def test_usage_counts_the_texts_and_their_vectors(deployment: FileSearchDeployment) -> None:
    store, file = attach(deployment, "The parrot is called Ada.")
    deployment.ingest()
    vector = 4 * deployment.indexing.embedder().dimensions
    expected = len("The parrot is called Ada.") + vector
    assert status(deployment, store, file)["usage_bytes"] == expected
    assert deployment.api.get(deployment.url(store))["usage_bytes"] == expected


def test_the_text_is_kept_as_it_was_read(deployment: FileSearchDeployment) -> None:
    text = "Ada \U0001f99c " * 300_000  # several pieces of what is written at a time
    deployment.indexing = replace(
        deployment.indexing, chunker=lambda *_, **__: [Chunk(0, "Ada", 0, 3)]
    )
    attach(deployment, text)
    deployment.ingest()
    [name] = texts(deployment)
    assert deployment.blobs.contents[name].decode() == text

"""A search index that was lost is filled again from the texts that were kept."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from assistants.adapters.search.sqlite import SqliteIndex
from assistants.domain.ids import EntryRef, FileId, VectorStoreId
from assistants.domain.retrieval.document_text import ExtractedText, Heading
from assistants.domain.vector_store_file import VectorStoreFileModify
from assistants.ports.search import SearchUnavailableError, Vector
from assistants.services.vector_stores import reindexing
from assistants.services.vector_stores.reindexing import Progress, Reindexing
from tests.support.file_search_deployment import FileSearchDeployment
from tests.support.hashing import HashingEmbedder

TEXT = ExtractedText("Birds\nThe parrot is called Ada.", (0,), (Heading(0, 1, "Birds"),))
QUERY = {"query": "What is the parrot called?"}
LATER = 2**40


class OneParser:
    """Reads the same text from every file, and counts how often."""

    def __init__(self) -> None:
        self.parsed: list[str] = []

    def parse(self, blob: str, filename: str) -> ExtractedText:
        self.parsed.append(filename)
        assert blob.startswith("files/")
        return TEXT


@pytest.fixture
def parser() -> OneParser:
    return OneParser()


@pytest.fixture
def deployment(tmp_path: Path, parser: OneParser) -> FileSearchDeployment:
    deployment = FileSearchDeployment(tmp_path)
    deployment.indexing = replace(deployment.indexing, parser=parser)
    return deployment


def lose_index(deployment: FileSearchDeployment, folder: Path) -> None:
    embedder = HashingEmbedder()
    deployment.index = SqliteIndex(
        folder / "other.sqlite", model=embedder.model, dimensions=embedder.dimensions
    )
    assert deployment.indexed() == 0


class WorkingClock:
    """Lets the worker of the queue do its work while somebody sleeps."""

    def __init__(self, deployment: FileSearchDeployment) -> None:
        self._deployment = deployment

    def time(self) -> float:
        return self._deployment.clock.time()

    def sleep(self, seconds: float) -> None:
        self._deployment.clock.sleep(seconds)
        self._deployment.ingest()


def working(deployment: FileSearchDeployment) -> Reindexing:
    return replace(deployment.backend.vector_stores.reindexing, clock=WorkingClock(deployment))


def reindex(deployment: FileSearchDeployment, before: int = LATER) -> Progress:
    work = working(deployment)
    *_, last = work.run(list(work.find(deployment.project, before)))
    return last


def search(deployment: FileSearchDeployment, store: str) -> list[Any]:
    found: list[Any] = deployment.api.post(deployment.url(store, "search"), QUERY)["data"]
    return found


def chunks(deployment: FileSearchDeployment) -> list[Any]:
    rows = deployment.index._connection.cursor().execute("SELECT * FROM chunks ORDER BY number")
    return list(rows)


def numbers(deployment: FileSearchDeployment) -> list[int]:
    rows = deployment.index._connection.cursor().execute(
        "SELECT number FROM chunks ORDER BY number"
    )
    return [number for (number,) in rows]


def counts(deployment: FileSearchDeployment, store: str) -> tuple[dict[str, int], int]:
    found = deployment.api.get(deployment.url(store))
    return found["file_counts"], found["usage_bytes"]


def test_a_lost_index_is_filled_from_the_texts_without_parsing(
    deployment: FileSearchDeployment, parser: OneParser, tmp_path: Path
) -> None:
    store = deployment.vector_store(deployment.file(name="a.txt"), deployment.file(name="b.txt"))
    deployment.ingest()
    found, whole, counted = search(deployment, store), chunks(deployment), counts(deployment, store)
    assert len(found) == 2
    lose_index(deployment, tmp_path)
    assert search(deployment, store) == []
    assert reindex(deployment) == Progress(done=2)
    assert search(deployment, store) == found
    assert chunks(deployment) == whole
    assert counts(deployment, store) == counted
    assert sorted(parser.parsed) == ["a.txt", "b.txt"]  # once each


def test_a_file_whose_text_is_lost_too_is_parsed_again(
    deployment: FileSearchDeployment, parser: OneParser, tmp_path: Path
) -> None:
    store = deployment.vector_store(deployment.file())
    deployment.ingest()
    lose_index(deployment, tmp_path)
    deployment.blobs.delete([one.name for one in deployment.blobs.list("texts/")])
    assert reindex(deployment) == Progress(done=1)
    assert len(search(deployment, store)) == 1
    assert len(parser.parsed) == 2
    assert len(deployment.blobs.list("texts/")) == 2


def test_files_that_are_indexed_in_full_are_not_embedded_again(
    deployment: FileSearchDeployment,
) -> None:
    deployment.vector_store(deployment.file())
    deployment.ingest()

    class Never(HashingEmbedder):
        def documents(self, texts: Sequence[str]) -> list[Vector]:
            raise AssertionError(texts)

    deployment.indexing = replace(deployment.indexing, embedder=Never)
    assert reindex(deployment) == Progress(done=1)
    assert deployment.indexed() == 1


def test_an_index_that_lost_the_first_chunks_of_a_file_gets_all_of_them(
    deployment: FileSearchDeployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assistants.services.vector_stores.indexing.BATCH", 1)
    long = ExtractedText(" ".join(f"Parrot {number} is called Ada." for number in range(80)))
    monkeypatch.setattr(OneParser, "parse", lambda *_: long)
    small = {"type": "static", "static": {"max_chunk_size_tokens": 100, "chunk_overlap_tokens": 0}}
    deployment.vector_store(deployment.file(), chunking_strategy=small)
    [ref] = deployment.index_queue.sent
    deployment.ingest()
    whole = numbers(deployment)
    assert len(whole) > 4
    found = deployment.indexing.repository.load(ref)
    assert found
    deployment.index.delete(found.document, 2)
    assert reindex(deployment) == Progress(done=1)
    assert numbers(deployment) == whole


def test_an_interrupted_reindexing_goes_on_where_it_was_stopped(
    deployment: FileSearchDeployment,
    parser: OneParser,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reindexing, "AT_ONCE", 2)
    store = deployment.vector_store(*(deployment.file(name=f"{number}.txt") for number in range(5)))
    deployment.ingest()
    lose_index(deployment, tmp_path)
    deployment.clock.now += 10
    before = int(deployment.clock.now)
    work = working(deployment)
    states = work.run(list(work.find(deployment.project, before)))
    assert [next(states), next(states)] == [Progress(), Progress(done=2)]
    del states  # two files are done, two in progress
    assert counts(deployment, store)[0]["in_progress"] == 2
    rest = list(work.find(deployment.project, before))
    assert len(rest) == 3
    *_, last = work.run(rest)
    assert last == Progress(done=3)
    assert len(search(deployment, store)) == 5
    assert len(parser.parsed) == 5
    assert list(work.find(deployment.project, before)) == []


def test_a_message_that_was_lost_is_sent_again(
    deployment: FileSearchDeployment, tmp_path: Path
) -> None:
    store = deployment.vector_store(deployment.file())
    deployment.ingest()
    lose_index(deployment, tmp_path)
    work = working(deployment)
    next(iter(work.run(list(work.find(deployment.project, LATER)))))
    deployment.index_queue.sent = []
    assert reindex(deployment) == Progress(done=1)
    assert len(search(deployment, store)) == 1


def test_files_that_failed_for_lack_of_a_service_are_tried_again_and_others_are_not(
    deployment: FileSearchDeployment,
) -> None:
    good, bad = deployment.file(name="good.txt"), deployment.file(name="bad.txt")
    store = deployment.vector_store(good, bad)
    parse = deployment.indexing.parser
    for ref in deployment.index_queue.sent:
        deployment.indexing.give_up(ref)
    deployment.index_queue.sent = []
    assert counts(deployment, store)[0]["failed"] == 2
    assert reindex(deployment) == Progress(failed=2)  # their chunks are still being deleted
    deployment.ingest()
    deployment.sweep()
    assert reindex(deployment) == Progress(done=2)
    assert counts(deployment, store)[0]["completed"] == 2
    deployment.indexing = replace(deployment.indexing, parser=parse)
    refused = deployment.vector_store(deployment.file(name="x.txt"))
    [ref] = deployment.index_queue.sent
    found = deployment.indexing.repository.load(ref)
    assert found
    deployment.indexing.repository.fail(found, "invalid_file", "It is empty.")
    deployment.ingest()
    deployment.sweep()
    assert reindex(deployment) == Progress(done=2)
    assert counts(deployment, refused)[0]["failed"] == 1


def test_a_file_that_fails_while_it_is_indexed_again_is_counted(
    deployment: FileSearchDeployment, tmp_path: Path
) -> None:
    store = deployment.vector_store(deployment.file())
    deployment.ingest()
    lose_index(deployment, tmp_path)

    class Giving:
        def process(self, ref: EntryRef) -> None:
            deployment.index_queue.sent = []
            whole.give_up(ref)

    whole = deployment.indexing
    deployment.indexing = Giving()  # type: ignore[assignment]
    assert reindex(deployment) == Progress(failed=1)
    assert counts(deployment, store) == (
        {"in_progress": 0, "completed": 0, "failed": 1, "cancelled": 0, "total": 1},
        0,
    )


def test_a_file_that_is_indexed_again_has_a_day_from_then_on(
    deployment: FileSearchDeployment, tmp_path: Path
) -> None:
    """Its creation may be years ago."""
    store = deployment.vector_store(deployment.file())
    deployment.ingest()
    lose_index(deployment, tmp_path)
    deployment.clock.now += 400 * 24 * 3600
    work = deployment.backend.vector_stores.reindexing
    next(iter(work.run(list(work.find(deployment.project, LATER)))))
    deployment.index_queue.sent = []
    deployment.sweep(2 * 3600)
    assert counts(deployment, store)[0]["completed"] == 1
    assert deployment.indexed() == 1


def test_what_is_deleted_or_detached_is_done(
    deployment: FileSearchDeployment, tmp_path: Path
) -> None:
    file, other = deployment.file(name="a.txt"), deployment.file(name="b.txt")
    store, gone = deployment.vector_store(file, other), deployment.vector_store(file)
    deployment.ingest()
    lose_index(deployment, tmp_path)
    work = working(deployment)
    refs = list(work.find(deployment.project, LATER))
    deployment.api.delete(deployment.url(gone))
    deployment.api.delete(deployment.url(store, "files", file))
    *_, last = work.run(refs)
    assert last.done + last.failed == 3
    deployment.sweep()
    assert [found["filename"] for found in search(deployment, store)] == ["b.txt"]
    assert deployment.indexed() == 1


def test_an_attribute_that_waits_for_the_index_is_in_the_new_one(
    deployment: FileSearchDeployment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = deployment.file()
    store = deployment.vector_store(file)
    deployment.ingest()
    lost = deployment.index

    def fail(*_: Any) -> None:
        raise SearchUnavailableError("lost")

    monkeypatch.setattr(lost, "set_attributes", fail)
    url = deployment.url(store, "files", file)
    labelled = VectorStoreFileModify(attributes={"kind": "manual"})
    with pytest.raises(SearchUnavailableError):
        deployment.backend.vector_stores.files.modify(
            deployment.project, VectorStoreId(store), FileId(file), labelled
        )
    assert deployment.api.get(url)["attributes"] == {"kind": "manual"}
    lose_index(deployment, tmp_path)
    assert reindex(deployment) == Progress(done=1)
    body = {**QUERY, "filters": {"type": "eq", "key": "kind", "value": "manual"}}
    assert len(deployment.api.post(deployment.url(store, "search"), body)["data"]) == 1

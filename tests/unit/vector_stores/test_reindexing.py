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
from tests.support.hashing import HashingEmbedder
from tests.support.library import Library

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
def library(tmp_path: Path, parser: OneParser) -> Library:
    library = Library(tmp_path)
    library.indexing = replace(library.indexing, parser=parser)
    return library


def lose_index(library: Library, folder: Path) -> None:
    embedder = HashingEmbedder()
    library.index = SqliteIndex(
        folder / "other.sqlite", model=embedder.model, dimensions=embedder.dimensions
    )
    assert library.indexed() == 0


class WorkingClock:
    """Lets the worker of the queue do its work while somebody sleeps."""

    def __init__(self, library: Library) -> None:
        self._library = library

    def time(self) -> float:
        return self._library.clock.time()

    def sleep(self, seconds: float) -> None:
        self._library.clock.sleep(seconds)
        self._library.ingest()


def working(library: Library) -> Reindexing:
    return replace(library.backend.vector_stores.reindexing, clock=WorkingClock(library))


def reindex(library: Library, before: int = LATER) -> Progress:
    work = working(library)
    *_, last = work.run(list(work.find(library.project, before)))
    return last


def search(library: Library, store: str) -> list[Any]:
    found: list[Any] = library.api.post(library.url(store, "search"), QUERY)["data"]
    return found


def chunks(library: Library) -> list[Any]:
    rows = library.index._connection.cursor().execute("SELECT * FROM chunks ORDER BY number")
    return list(rows)


def numbers(library: Library) -> list[int]:
    rows = library.index._connection.cursor().execute("SELECT number FROM chunks ORDER BY number")
    return [number for (number,) in rows]


def counts(library: Library, store: str) -> tuple[dict[str, int], int]:
    found = library.api.get(library.url(store))
    return found["file_counts"], found["usage_bytes"]


def test_a_lost_index_is_filled_from_the_texts_without_parsing(
    library: Library, parser: OneParser, tmp_path: Path
) -> None:
    store = library.vector_store(library.file(name="a.txt"), library.file(name="b.txt"))
    library.ingest()
    found, whole, counted = search(library, store), chunks(library), counts(library, store)
    assert len(found) == 2
    lose_index(library, tmp_path)
    assert search(library, store) == []
    assert reindex(library) == Progress(done=2)
    assert search(library, store) == found
    assert chunks(library) == whole
    assert counts(library, store) == counted
    assert sorted(parser.parsed) == ["a.txt", "b.txt"]  # once each


def test_a_file_whose_text_is_lost_too_is_parsed_again(
    library: Library, parser: OneParser, tmp_path: Path
) -> None:
    store = library.vector_store(library.file())
    library.ingest()
    lose_index(library, tmp_path)
    library.blobs.delete([one.name for one in library.blobs.list("texts/")])
    assert reindex(library) == Progress(done=1)
    assert len(search(library, store)) == 1
    assert len(parser.parsed) == 2
    assert len(library.blobs.list("texts/")) == 2


def test_files_that_are_indexed_in_full_are_not_embedded_again(library: Library) -> None:
    library.vector_store(library.file())
    library.ingest()

    class Never(HashingEmbedder):
        def documents(self, texts: Sequence[str]) -> list[Vector]:
            raise AssertionError(texts)

    library.indexing = replace(library.indexing, embedder=Never)
    assert reindex(library) == Progress(done=1)
    assert library.indexed() == 1


def test_an_index_that_lost_the_first_chunks_of_a_file_gets_all_of_them(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assistants.services.vector_stores.indexing.BATCH", 1)
    long = ExtractedText(" ".join(f"Parrot {number} is called Ada." for number in range(80)))
    monkeypatch.setattr(OneParser, "parse", lambda *_: long)
    small = {"type": "static", "static": {"max_chunk_size_tokens": 100, "chunk_overlap_tokens": 0}}
    library.vector_store(library.file(), chunking_strategy=small)
    [ref] = library.index_queue.sent
    library.ingest()
    whole = numbers(library)
    assert len(whole) > 4
    found = library.indexing.repository.load(ref)
    assert found
    library.index.delete(found.document, 2)
    assert reindex(library) == Progress(done=1)
    assert numbers(library) == whole


def test_an_interrupted_reindexing_goes_on_where_it_was_stopped(
    library: Library, parser: OneParser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reindexing, "AT_ONCE", 2)
    store = library.vector_store(*(library.file(name=f"{number}.txt") for number in range(5)))
    library.ingest()
    lose_index(library, tmp_path)
    library.clock.now += 10
    before = int(library.clock.now)
    work = working(library)
    states = work.run(list(work.find(library.project, before)))
    assert [next(states), next(states)] == [Progress(), Progress(done=2)]
    del states  # two files are done, two in progress
    assert counts(library, store)[0]["in_progress"] == 2
    rest = list(work.find(library.project, before))
    assert len(rest) == 3
    *_, last = work.run(rest)
    assert last == Progress(done=3)
    assert len(search(library, store)) == 5
    assert len(parser.parsed) == 5
    assert list(work.find(library.project, before)) == []


def test_a_message_that_was_lost_is_sent_again(library: Library, tmp_path: Path) -> None:
    store = library.vector_store(library.file())
    library.ingest()
    lose_index(library, tmp_path)
    work = working(library)
    next(iter(work.run(list(work.find(library.project, LATER)))))
    library.index_queue.sent = []
    assert reindex(library) == Progress(done=1)
    assert len(search(library, store)) == 1


def test_files_that_failed_for_lack_of_a_service_are_tried_again_and_others_are_not(
    library: Library,
) -> None:
    good, bad = library.file(name="good.txt"), library.file(name="bad.txt")
    store = library.vector_store(good, bad)
    parse = library.indexing.parser
    for ref in library.index_queue.sent:
        library.indexing.give_up(ref)
    library.index_queue.sent = []
    assert counts(library, store)[0]["failed"] == 2
    assert reindex(library) == Progress(failed=2)  # their chunks are still being deleted
    library.ingest()
    library.sweep()
    assert reindex(library) == Progress(done=2)
    assert counts(library, store)[0]["completed"] == 2
    library.indexing = replace(library.indexing, parser=parse)
    refused = library.vector_store(library.file(name="x.txt"))
    [ref] = library.index_queue.sent
    found = library.indexing.repository.load(ref)
    assert found
    library.indexing.repository.fail(found, "invalid_file", "It is empty.")
    library.ingest()
    library.sweep()
    assert reindex(library) == Progress(done=2)
    assert counts(library, refused)[0]["failed"] == 1


def test_a_file_that_fails_while_it_is_indexed_again_is_counted(
    library: Library, tmp_path: Path
) -> None:
    store = library.vector_store(library.file())
    library.ingest()
    lose_index(library, tmp_path)

    class Giving:
        def process(self, ref: EntryRef) -> None:
            library.index_queue.sent = []
            whole.give_up(ref)

    whole = library.indexing
    library.indexing = Giving()  # type: ignore[assignment]
    assert reindex(library) == Progress(failed=1)
    assert counts(library, store) == (
        {"in_progress": 0, "completed": 0, "failed": 1, "cancelled": 0, "total": 1},
        0,
    )


def test_a_file_that_is_indexed_again_has_a_day_from_then_on(
    library: Library, tmp_path: Path
) -> None:
    """Its creation may be years ago."""
    store = library.vector_store(library.file())
    library.ingest()
    lose_index(library, tmp_path)
    library.clock.now += 400 * 24 * 3600
    work = library.backend.vector_stores.reindexing
    next(iter(work.run(list(work.find(library.project, LATER)))))
    library.index_queue.sent = []
    library.sweep(2 * 3600)
    assert counts(library, store)[0]["completed"] == 1
    assert library.indexed() == 1


def test_what_is_deleted_or_detached_is_done(library: Library, tmp_path: Path) -> None:
    file, other = library.file(name="a.txt"), library.file(name="b.txt")
    store, gone = library.vector_store(file, other), library.vector_store(file)
    library.ingest()
    lose_index(library, tmp_path)
    work = working(library)
    refs = list(work.find(library.project, LATER))
    library.api.delete(library.url(gone))
    library.api.delete(library.url(store, "files", file))
    *_, last = work.run(refs)
    assert last.done + last.failed == 3
    library.sweep()
    assert [found["filename"] for found in search(library, store)] == ["b.txt"]
    assert library.indexed() == 1


def test_an_attribute_that_waits_for_the_index_is_in_the_new_one(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = library.file()
    store = library.vector_store(file)
    library.ingest()
    lost = library.index

    def fail(*_: Any) -> None:
        raise SearchUnavailableError("lost")

    monkeypatch.setattr(lost, "set_attributes", fail)
    url = library.url(store, "files", file)
    labelled = VectorStoreFileModify(attributes={"kind": "manual"})
    with pytest.raises(SearchUnavailableError):
        library.backend.vector_stores.files.modify(
            library.project, VectorStoreId(store), FileId(file), labelled
        )
    assert library.api.get(url)["attributes"] == {"kind": "manual"}
    lose_index(library, tmp_path)
    assert reindex(library) == Progress(done=1)
    body = {**QUERY, "filters": {"type": "eq", "key": "kind", "value": "manual"}}
    assert len(library.api.post(library.url(store, "search"), body)["data"]) == 1

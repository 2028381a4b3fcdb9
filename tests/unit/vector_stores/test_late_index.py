"""An index that shows its writes late, as OpenSearch does: nothing of a file is left or lost."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from assistants.adapters.search.opensearch import OpenSearchIndex
from assistants.services.vector_stores.index_attributes import PATIENCE_SECONDS
from tests.support.hashing import HashingEmbedder
from tests.support.library import Library
from tests.support.opensearch.exchange import Server
from tests.support.opensearch.memory import MemoryNode
from tests.support.opensearch.serverless import Serverless, signed_client

SMALL = {"type": "static", "static": {"max_chunk_size_tokens": 100, "chunk_overlap_tokens": 0}}
TEXT = " ".join(f"Parrot number {number} is called Ada {number}." for number in range(80))
CHUNKS = 9


class LateLibrary(Library):
    """Its index is a collection of Serverless that shows nothing before the clock sleeps."""

    def __init__(self, folder: Path, url: str, node: MemoryNode, serverless: Serverless) -> None:
        super().__init__(folder)
        embedder = HashingEmbedder()
        self.client = signed_client(url)
        self.index: Any = OpenSearchIndex(
            self.client,
            model=embedder.model,
            dimensions=embedder.dimensions,
            dialect="serverless",
            sleep=self.clock.sleep,
        )
        self.node = node
        self.refresh = serverless.refresh
        self.waits = 0
        object.__setattr__(self.clock, "sleep", self._sleep)

    def _sleep(self, seconds: float) -> None:
        self.clock.now += seconds
        self.waits += 1
        self.refresh()

    def attach(self, **members: Any) -> str:
        """Return the address of a file in a store, as it is while it waits to be indexed."""
        store, file = self.vector_store(), self.file(TEXT)
        body = {"file_id": file, "chunking_strategy": SMALL, **members}
        self.api.post(self.url(store, "files"), body)
        return self.url(store, "files", file)

    def recheck(self) -> None:
        """Show what was written, and have everything done that is due later."""
        self.refresh()
        self.sweep()

    def years(self) -> list[Any]:
        """Return the attribute of every copy of a chunk."""
        return [dict(one["pairs"]["items"]).get("year") for one in self.node.documents()]

    def notes(self) -> int:
        return len(self.table.due(2**40, limit=99))


@pytest.fixture
def library(tmp_path: Path) -> Iterator[LateLibrary]:
    node = MemoryNode()
    serverless = Serverless(node, hidden=3)
    with Server(serverless) as server:
        library = LateLibrary(tmp_path, server.url, node, serverless)
        yield library
        library.client.close()


def test_a_file_is_completed_when_all_its_chunks_are_shown(library: LateLibrary) -> None:
    file = library.attach()
    library.ingest()
    assert library.api.get(file)["status"] == "completed"
    assert library.waits == 1
    assert len(library.node.documents()) == CHUNKS


def test_a_worker_that_dies_before_its_chunks_are_shown_leaves_no_second_ones(
    library: LateLibrary,
) -> None:
    file = library.attach()
    [message] = library.index_queue.sent
    count = library.index.count

    def dies(*_: object) -> int:
        raise KeyboardInterrupt

    library.index.count = dies
    with pytest.raises(KeyboardInterrupt):
        library.indexing.process(message)
    library.index.count = count
    assert len(library.node.documents()) == CHUNKS
    library.ingest()
    assert library.api.get(file)["status"] == "completed"
    library.recheck()
    assert len(library.node.documents()) == CHUNKS


def test_of_attributes_that_change_at_once_the_last_reach_every_chunk(library: LateLibrary) -> None:
    file = library.attach(attributes={"year": 1})
    library.ingest()
    for year in (2, 3):
        library.api.post(file, {"attributes": {"year": year}})
    assert sorted(library.years()) == [2] * CHUNKS + [3] * CHUNKS
    library.recheck()
    assert library.years() == [3] * CHUNKS
    assert library.notes() == 1
    library.recheck()
    assert library.notes() == 0
    assert library.years() == [3] * CHUNKS


@pytest.fixture
def relabelled(library: LateLibrary) -> str:
    """A file whose attributes change while it is indexed; its chunks with them are not shown."""
    file = library.attach(attributes={"year": 1})
    put = library.index.put

    def overtaken(*arguments: Any) -> None:
        put(*arguments)
        library.api.post(file, {"attributes": {"year": 2}})

    library.index.put = overtaken
    library.ingest()
    assert library.api.get(file)["status"] == "completed"
    return file


def test_attributes_that_change_during_the_indexing_reach_every_chunk(
    library: LateLibrary, relabelled: str
) -> None:
    library.recheck()
    assert library.years() == [2] * CHUNKS
    library.recheck()
    assert library.notes() == 0


@pytest.mark.parametrize("end", ["file", "store"])
def test_what_ends_before_its_newest_chunks_are_shown_leaves_nothing(
    library: LateLibrary, end: str
) -> None:
    file = library.attach(attributes={"year": 1})
    library.ingest()
    library.api.post(file, {"attributes": {"year": 2}})
    library.api.delete(file if end == "file" else file.partition("/files/")[0])
    library.ingest()
    library.recheck()
    library.recheck()
    assert library.node.documents() == []
    assert library.notes() == 0


def test_what_ends_as_soon_as_it_is_completed_leaves_nothing(
    library: LateLibrary, relabelled: str
) -> None:
    library.api.delete(relabelled)
    library.ingest()
    library.recheck()
    library.recheck()
    assert library.node.documents() == []
    assert library.notes() == 0


def test_what_ends_while_it_is_indexed_leaves_nothing(library: LateLibrary) -> None:
    file = library.attach()
    put = library.index.put

    def overtaken(*arguments: Any) -> None:
        put(*arguments)
        library.api.delete(file)

    library.index.put = overtaken
    library.ingest()
    library.recheck()
    library.recheck()
    assert library.node.documents() == []
    assert library.notes() == 0


def test_chunks_that_the_index_has_lost_are_not_asked_for_for_ever(library: LateLibrary) -> None:
    file = library.attach()
    library.ingest()
    library.node.clear()
    library.refresh()
    library.api.post(file, {"attributes": {"year": 2}})
    library.sweep(PATIENCE_SECONDS - 1)
    assert library.notes() == 1
    library.sweep(PATIENCE_SECONDS)
    assert library.notes() == 0

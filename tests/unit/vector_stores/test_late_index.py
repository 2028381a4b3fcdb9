"""An index that shows its writes late, as OpenSearch does: nothing of a file is left or lost."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from assistants.adapters.search.opensearch import OpenSearchIndex
from assistants.services.vector_stores.index_attributes import PATIENCE_SECONDS
from tests.support.file_search_deployment import FileSearchDeployment
from tests.support.hashing import HashingEmbedder
from tests.support.opensearch.exchange import Server
from tests.support.opensearch.memory import MemoryNode
from tests.support.opensearch.serverless import Serverless, signed_client

SMALL = {"type": "static", "static": {"max_chunk_size_tokens": 100, "chunk_overlap_tokens": 0}}
TEXT = " ".join(f"Parrot number {number} is called Ada {number}." for number in range(80))
CHUNKS = 9


class LateIndexDeployment(FileSearchDeployment):
    """A deployment whose index, a Serverless collection, shows nothing before the clock sleeps."""

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
def deployment(tmp_path: Path) -> Iterator[LateIndexDeployment]:
    node = MemoryNode()
    serverless = Serverless(node, hidden=3)
    with Server(serverless) as server:
        deployment = LateIndexDeployment(tmp_path, server.url, node, serverless)
        yield deployment
        deployment.client.close()


def test_a_file_is_completed_when_all_its_chunks_are_shown(deployment: LateIndexDeployment) -> None:
    file = deployment.attach()
    deployment.ingest()
    assert deployment.api.get(file)["status"] == "completed"
    assert deployment.waits == 1
    assert len(deployment.node.documents()) == CHUNKS


def test_a_worker_that_dies_before_its_chunks_are_shown_leaves_no_second_ones(
    deployment: LateIndexDeployment,
) -> None:
    file = deployment.attach()
    [message] = deployment.index_queue.sent
    count = deployment.index.count

    def dies(*_: object) -> int:
        raise KeyboardInterrupt

    deployment.index.count = dies
    with pytest.raises(KeyboardInterrupt):
        deployment.indexing.process(message)
    deployment.index.count = count
    assert len(deployment.node.documents()) == CHUNKS
    deployment.ingest()
    assert deployment.api.get(file)["status"] == "completed"
    deployment.recheck()
    assert len(deployment.node.documents()) == CHUNKS


def test_of_attributes_that_change_at_once_the_last_reach_every_chunk(
    deployment: LateIndexDeployment,
) -> None:
    file = deployment.attach(attributes={"year": 1})
    deployment.ingest()
    for year in (2, 3):
        deployment.api.post(file, {"attributes": {"year": year}})
    assert sorted(deployment.years()) == [2] * CHUNKS + [3] * CHUNKS
    deployment.recheck()
    assert deployment.years() == [3] * CHUNKS
    assert deployment.notes() == 1
    deployment.recheck()
    assert deployment.notes() == 0
    assert deployment.years() == [3] * CHUNKS


@pytest.fixture
def relabelled(deployment: LateIndexDeployment) -> str:
    """A file whose attributes change while it is indexed; its chunks with them are not shown."""
    file = deployment.attach(attributes={"year": 1})
    put = deployment.index.put

    def overtaken(*arguments: Any) -> None:
        put(*arguments)
        deployment.api.post(file, {"attributes": {"year": 2}})

    deployment.index.put = overtaken
    deployment.ingest()
    assert deployment.api.get(file)["status"] == "completed"
    return file


def test_attributes_that_change_during_the_indexing_reach_every_chunk(
    deployment: LateIndexDeployment, relabelled: str
) -> None:
    deployment.recheck()
    assert deployment.years() == [2] * CHUNKS
    deployment.recheck()
    assert deployment.notes() == 0


@pytest.mark.parametrize("end", ["file", "store"])
def test_what_ends_before_its_newest_chunks_are_shown_leaves_nothing(
    deployment: LateIndexDeployment, end: str
) -> None:
    file = deployment.attach(attributes={"year": 1})
    deployment.ingest()
    deployment.api.post(file, {"attributes": {"year": 2}})
    deployment.api.delete(file if end == "file" else file.partition("/files/")[0])
    deployment.ingest()
    deployment.recheck()
    deployment.recheck()
    assert deployment.node.documents() == []
    assert deployment.notes() == 0


def test_what_ends_as_soon_as_it_is_completed_leaves_nothing(
    deployment: LateIndexDeployment, relabelled: str
) -> None:
    deployment.api.delete(relabelled)
    deployment.ingest()
    deployment.recheck()
    deployment.recheck()
    assert deployment.node.documents() == []
    assert deployment.notes() == 0


def test_what_ends_while_it_is_indexed_leaves_nothing(deployment: LateIndexDeployment) -> None:
    file = deployment.attach()
    put = deployment.index.put

    def overtaken(*arguments: Any) -> None:
        put(*arguments)
        deployment.api.delete(file)

    deployment.index.put = overtaken
    deployment.ingest()
    deployment.recheck()
    deployment.recheck()
    assert deployment.node.documents() == []
    assert deployment.notes() == 0


def test_chunks_that_the_index_has_lost_are_not_asked_for_for_ever(
    deployment: LateIndexDeployment,
) -> None:
    file = deployment.attach()
    deployment.ingest()
    deployment.node.clear()
    deployment.refresh()
    deployment.api.post(file, {"attributes": {"year": 2}})
    deployment.sweep(PATIENCE_SECONDS - 1)
    assert deployment.notes() == 1
    deployment.sweep(PATIENCE_SECONDS)
    assert deployment.notes() == 0

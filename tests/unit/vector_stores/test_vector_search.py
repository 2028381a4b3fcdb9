"""Queries over several stores at once: the best passages of all, and nobody else's."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from assistants.adapters.search.sqlite import SqliteIndex
from assistants.domain.filters import Comparison
from assistants.domain.ids import FileId, ProjectId, VectorStoreId
from assistants.domain.retrieval.passage import Chunk, Document
from assistants.domain.retrieval.ranking import Ranking
from assistants.ports.search import SearchIndex, SearchUnavailableError, no_embedder, no_index
from assistants.services.vector_stores.vector_search import (
    MAX_QUERIES,
    MAX_RESULTS,
    VectorSearch,
)
from tests.support.hashing import HashingEmbedder

EMBEDDER = HashingEmbedder()
TEXTS = ("The cat sleeps on the sofa.", "Dogs bark at night.", "The train leaves at noon.")


@dataclass
class Stores:
    index: SearchIndex

    @property
    def search(self) -> VectorSearch:
        return VectorSearch(lambda: self.index, lambda: EMBEDDER)

    def put(self, project: str, store: str, *texts: str, **attributes: str) -> None:
        ids = ProjectId(project), VectorStoreId(store), FileId(f"file-{store}")
        document = Document(*ids, f"a-{store}", "a.txt", attributes)
        chunks = [Chunk(number, text, 0, len(text)) for number, text in enumerate(texts)]
        self.index.put(document, chunks, EMBEDDER.documents(texts))

    def find(
        self, *queries: str, stores: tuple[str, ...] = ("vs_1",), limit: int = 10
    ) -> list[str]:
        hits = self.search.search(ProjectId("proj"), stores, queries, limit=limit)
        return [hit.passage.chunk.text for hit in hits]


@pytest.fixture
def stores(tmp_path: Path) -> Stores:
    model, dimensions = EMBEDDER.model, EMBEDDER.dimensions
    return Stores(SqliteIndex(tmp_path / "search.sqlite", model=model, dimensions=dimensions))


def test_the_best_passage_of_all_stores_comes_first(stores: Stores) -> None:
    stores.put("proj", "vs_1", *TEXTS[:2])
    stores.put("proj", "vs_2", TEXTS[2])
    assert stores.find("when does the train leave", stores=("vs_1", "vs_2"))[0] == TEXTS[2]


def test_a_passage_counts_for_the_query_that_it_answers_best(stores: Stores) -> None:
    stores.put("proj", "vs_1", *TEXTS)
    found = stores.find("dogs bark", "cat sofa", limit=2)
    assert set(found) == set(TEXTS[:2])


def test_stores_that_are_not_named_and_other_projects_are_not_searched(stores: Stores) -> None:
    stores.put("proj", "vs_2", TEXTS[0])
    stores.put("other", "vs_1", TEXTS[0])
    assert stores.find("cat sofa") == []


def test_a_condition_narrows_the_search(stores: Stores) -> None:
    stores.put("proj", "vs_1", TEXTS[0], lang="en")
    stores.put("proj", "vs_2", TEXTS[0], lang="de")
    condition = Comparison(type="eq", key="lang", value="de")
    hits = stores.search.search(ProjectId("proj"), ["vs_1", "vs_2"], ["cat"], condition=condition)
    assert [hit.passage.document.vector_store_id for hit in hits] == ["vs_2"]


def test_a_threshold_keeps_out_what_is_worse(stores: Stores) -> None:
    stores.put("proj", "vs_1", *TEXTS)
    ranking = Ranking(score_threshold=0.5)
    hits = stores.search.search(ProjectId("proj"), ["vs_1"], ["cat sleeps sofa"], ranking=ranking)
    assert [hit.passage.chunk.text for hit in hits] == [TEXTS[0]]


@pytest.mark.parametrize("queries", [(), ("", " \n")])
def test_blank_queries_find_nothing(stores: Stores, queries: tuple[str, ...]) -> None:
    stores.put("proj", "vs_1", *TEXTS)
    assert stores.find(*queries) == []


def test_without_a_store_nothing_is_found(stores: Stores) -> None:
    assert stores.find("cat", stores=()) == []


@pytest.mark.parametrize(("limit", "queries"), [(0, 1), (MAX_RESULTS + 1, 1), (1, MAX_QUERIES + 1)])
def test_a_search_beyond_the_limits_is_refused(stores: Stores, limit: int, queries: int) -> None:
    with pytest.raises(ValueError, match="beyond the limits"):
        stores.find(*["cat"] * queries, limit=limit)


@pytest.mark.parametrize("missing", [no_index, no_embedder])
def test_where_there_is_no_file_search_it_is_unavailable(missing: Callable[[], object]) -> None:
    with pytest.raises(SearchUnavailableError, match="no "):
        missing()


def test_waking_wakes_the_index(stores: Stores) -> None:
    woken: list[bool] = []
    stores.index.wake = lambda: woken.append(True)  # type: ignore[method-assign]
    stores.search.wake()
    assert woken == [True]

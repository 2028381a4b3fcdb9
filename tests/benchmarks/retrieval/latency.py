"""How long a search takes as an index grows, against plain comparison of all vectors, and how many
of the truly nearest it finds.
"""

import random
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assistants.domain.ids import FileId, ProjectId, VectorStoreId
from assistants.domain.retrieval.passage import Chunk, Document, Passage
from assistants.ports.search import Query, SearchIndex

PROJECT = ProjectId("bench")
DIMENSIONS = 384
QUERIES = 50
NEAREST = 10
FILE_CHUNKS = 200
CLUSTERS = 200  # vectors of real texts stand in groups, where approximate search is harder

Matrix = NDArray[np.float32]


class Collection:
    """So many chunks of random vectors, with words that are as common as words are."""

    def __init__(self, size: int, words: Sequence[str], seed: int = 1) -> None:
        chance = np.random.default_rng(seed)
        centres = chance.standard_normal((CLUSTERS, DIMENSIONS))
        which = chance.integers(0, CLUSTERS, size + QUERIES)
        points = centres[which] + 0.7 * chance.standard_normal((size + QUERIES, DIMENSIONS))
        points /= np.linalg.norm(points, axis=1, keepdims=True)
        self.vectors: Matrix = points[:size].astype(np.float32)
        self.queries: Matrix = points[size:].astype(np.float32)
        self._words = words
        self._chance = random.Random(seed)

    def text(self, length: int) -> str:
        start = self._chance.randrange(len(self._words) - length)
        return " ".join(self._words[start : start + length])


def measure(index: SearchIndex, collection: Collection) -> dict[str, Any]:
    """Fill the index with one store and search it."""
    started = time.perf_counter()
    size = len(collection.vectors)
    _fill(index, collection)
    filled = time.perf_counter() - started
    times, brute, found = [], [], 0
    for vector in collection.queries:
        query = Query(collection.text(6), vector.tolist())
        (answer,), seconds = _clocked(index.search, PROJECT, ["vs"], [query])
        exact, compared = _clocked(_exact, collection.vectors, vector)
        numbers = {_row(hit.passage) for hit in answer.nearest[:NEAREST]}
        found += len(numbers & set(exact.tolist()))
        times.append(seconds * 1000)
        brute.append(compared * 1000)
    return {
        "chunks": size,
        "fill_seconds": round(filled, 2),
        "p50_ms": round(statistics.median(times), 2),
        "p95_ms": round(statistics.quantiles(times, n=20)[-1], 2),
        "brute_force_p50_ms": round(statistics.median(brute), 2),
        "recall@10": round(found / (QUERIES * NEAREST), 4),
    }


def _fill(index: SearchIndex, collection: Collection) -> None:
    for document, rows in _files(len(collection.vectors)):
        texts = (collection.text(300) for _ in rows)
        chunks = [Chunk(number, text, 0, len(text)) for number, text in enumerate(texts)]
        index.put(document, chunks, collection.vectors[rows.start : rows.stop].tolist())
    for document, rows in _files(len(collection.vectors)):
        while index.count(document) < len(rows):
            time.sleep(0.1)


def _files(size: int) -> Iterator[tuple[Document, range]]:
    for first in range(0, size, FILE_CHUNKS):
        name = str(first)
        yield (
            Document(PROJECT, VectorStoreId("vs"), FileId(name), name, name),
            range(first, min(first + FILE_CHUNKS, size)),
        )


def _row(passage: Passage) -> int:
    return int(passage.document.file_id) + passage.chunk.number


def _exact(vectors: Matrix, query: Matrix) -> NDArray[np.intp]:
    return np.argsort(-(vectors @ query))[:NEAREST]


def _clocked(work: Callable[..., Any], *arguments: Any) -> tuple[Any, float]:
    started = time.perf_counter()
    result = work(*arguments)
    return result, time.perf_counter() - started

"""Keep and search chunks in one SQLite file, on this machine and in tests.

Vectors are compared one by one (sqlite-vec), so the nearest are exact. FTS5 finds words.
"""

import threading
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import apsw

from assistants.adapters.search import sqlite_rows as rows
from assistants.domain.filters import Comparison, Compound
from assistants.domain.ids import ProjectId
from assistants.domain.retrieval.passage import Chunk, Document
from assistants.domain.retrieval.ranking import Candidates
from assistants.ports.search import Query, SearchUnavailableError

BUSY_SECONDS = 30


class SqliteIndex:
    """Implement `SearchIndex` in the file `path`, for one model and dimension.

    Raises `ValueError` if the file was made for another model or dimension.
    """

    def __init__(self, path: Path, *, model: str, dimensions: int) -> None:
        self._dimensions = dimensions
        self._lock = threading.Lock()
        self._connection = _connect(path)
        with self._transaction() as cursor:
            cursor.execute(rows.SCHEMA)
            made_for = cursor.execute("SELECT model, dimensions FROM embedding").fetchone()
            if made_for is None:
                cursor.execute("INSERT INTO embedding VALUES (?, ?)", (model, dimensions))
            elif made_for != (model, dimensions):
                raise ValueError(f"{path} holds vectors of {made_for}, not {(model, dimensions)}")

    def put(
        self, document: Document, chunks: Sequence[Chunk], vectors: Sequence[Sequence[float]]
    ) -> None:
        if any(len(vector) != self._dimensions for vector in vectors):
            raise ValueError(f"this index takes vectors of {self._dimensions} dimensions")
        with self._transaction() as cursor:
            owner = rows.save_document(cursor, document)
            for chunk, vector in zip(chunks, vectors, strict=True):
                rows.save_chunk(cursor, owner, document.filename, chunk, vector)

    def set_attributes(self, document: Document, chunks: int) -> bool:
        with self._transaction() as cursor:
            owner = rows.find_document(cursor, document)
            if owner is not None and chunks:
                rows.save_document(cursor, document)
        return True

    def delete(self, document: Document, chunks: int) -> None:
        with self._transaction() as cursor:
            owner = rows.find_document(cursor, document)
            if owner is not None:
                rows.delete_chunks(cursor, owner, 0, chunks)
                rows.delete_document_if_empty(cursor, owner)

    def count(self, document: Document) -> int:
        with self._transaction("BEGIN") as cursor:
            return rows.count_chunks(cursor, rows.find_document(cursor, document))

    def search(
        self,
        project: ProjectId,
        vector_store_ids: Sequence[str],
        queries: Sequence[Query],
        *,
        condition: Comparison | Compound | None = None,
        without: Collection[Document] = (),
        limit: int = 50,
    ) -> list[Candidates]:
        with self._transaction("BEGIN") as cursor:
            found = rows.find_documents(cursor, project, vector_store_ids, condition)
            documents = {row: one for row, one in found.items() if one not in without}
            return [
                Candidates(
                    rows.nearest(cursor, documents, query.vector, limit),
                    rows.matching(cursor, documents, query.text, limit),
                )
                for query in queries
            ]

    def wake(self) -> None:
        """Do nothing: a file does not sleep."""

    @contextmanager
    def _transaction(self, begin: str = "BEGIN IMMEDIATE") -> Iterator[apsw.Cursor]:
        """Make a writer wait at the beginning: within a transaction, SQLite would refuse it."""
        with self._lock:  # a connection may not be used by two threads at the same time
            try:
                cursor = self._connection.execute(begin)
                yield cursor
                cursor.execute("COMMIT")
            except apsw.Error as error:
                raise SearchUnavailableError(f"The search index failed: {error}") from error
            finally:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")


def _connect(path: Path) -> apsw.Connection:
    connection = apsw.Connection(str(path))
    connection.set_busy_timeout(BUSY_SECONDS * 1000)
    connection.enable_load_extension(True)
    connection.load_extension(_extension())
    connection.enable_load_extension(False)
    until = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.pragma("journal_mode", "wal")
            break
        except apsw.BusyError:  # the one statement that does not wait for another process
            if time.monotonic() > until:
                raise
            time.sleep(0.01)
    connection.pragma("synchronous", "normal")
    connection.pragma("cache_size", -64 * 1024)  # KiB: the vectors of 40,000 chunks of MiniLM
    return connection


def _extension() -> str:
    """Return the library of the package `sqlite_vec`. Importing the package would load numpy."""
    found = find_spec("sqlite_vec")
    if found is None or found.origin is None:
        raise ModuleNotFoundError("install sqlite-vec, which compares the vectors")
    return str(Path(found.origin).with_name("vec0"))

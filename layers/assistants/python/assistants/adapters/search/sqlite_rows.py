"""Read and write the tables of the SQLite index: documents, and chunks by vector and by word."""

import json
from array import array
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import apsw

from assistants.domain.filters import Comparison, Compound, matches
from assistants.domain.ids import ProjectId
from assistants.domain.retrieval.passage import Chunk, Document, Passage
from assistants.domain.retrieval.query_terms import query_words, spaced
from assistants.domain.retrieval.ranking import Hit
from assistants.ports.search import Vector

SCHEMA = """
CREATE TABLE IF NOT EXISTS embedding (model TEXT NOT NULL, dimensions INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS documents (
    id INTEGER PRIMARY KEY, project TEXT NOT NULL, store TEXT NOT NULL, file TEXT NOT NULL,
    entry_id TEXT NOT NULL, filename TEXT NOT NULL, attributes TEXT NOT NULL,
    UNIQUE (project, store, file, entry_id)
);
CREATE TABLE IF NOT EXISTS chunks (
    id INTEGER PRIMARY KEY, document INTEGER NOT NULL, number INTEGER NOT NULL,
    content TEXT NOT NULL, UNIQUE (document, number)
);
CREATE TABLE IF NOT EXISTS vectors (
    id INTEGER PRIMARY KEY, document INTEGER NOT NULL, vector BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS vectors_of_document ON vectors (document);
CREATE VIRTUAL TABLE IF NOT EXISTS words USING fts5 (
    body, content='', contentless_delete=1,
    tokenize="porter unicode61 remove_diacritics 2 categories 'L* N* M*'"
);
"""
NEAREST = """
SELECT document, id, 1 - vec_distance_cosine(vector, ?) AS score FROM vectors
WHERE document IN (SELECT value FROM json_each(?)) ORDER BY score DESC, id LIMIT ?
"""
MATCHING = """
SELECT vectors.document, vectors.id, -bm25(words) AS score
FROM words JOIN vectors ON vectors.id = words.rowid
WHERE words MATCH ? AND vectors.document IN (SELECT value FROM json_each(?))
ORDER BY score DESC, vectors.id LIMIT ?
"""


def find_document(cursor: apsw.Cursor, document: Document) -> int | None:
    found: int | None = cursor.execute(
        "SELECT id FROM documents WHERE (project, store, file, entry_id) = (?, ?, ?, ?)",
        _identity(document),
    ).get
    return found


def find_documents(
    cursor: apsw.Cursor,
    project: ProjectId,
    stores: Sequence[str],
    condition: Comparison | Compound | None,
) -> dict[int, Document]:
    """Return the documents of these stores that match the condition, by row."""
    rows: Any = cursor.execute(
        "SELECT id, store, file, entry_id, filename, attributes FROM documents "
        "WHERE project = ? AND store IN (SELECT value FROM json_each(?))",
        (project, json.dumps(list(stores))),
    )
    found = {
        row: Document(project, store, file, entry_id, filename, json.loads(attributes))
        for row, store, file, entry_id, filename, attributes in rows
    }
    if condition is None:
        return found
    return {row: one for row, one in found.items() if matches(condition, one.attributes)}


def save_document(cursor: apsw.Cursor, document: Document) -> int:
    """Add the document, or update its attributes."""
    row: int = cursor.execute(
        "INSERT INTO documents (project, store, file, entry_id, filename, attributes) "
        "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET attributes = excluded.attributes "
        "RETURNING id",
        (*_identity(document), document.filename, json.dumps(document.attributes)),
    ).get
    return row


def delete_document_if_empty(cursor: apsw.Cursor, row: int) -> None:
    cursor.execute(
        "DELETE FROM documents WHERE id = ?1 "
        "AND NOT EXISTS (SELECT 1 FROM chunks WHERE document = ?1)",
        (row,),
    )


def save_chunk(
    cursor: apsw.Cursor, owner: int, filename: str, chunk: Chunk, vector: Sequence[float]
) -> None:
    """Add the chunk of the document in row `owner`, or replace it."""
    delete_chunks(cursor, owner, chunk.number, chunk.number + 1)
    cursor.execute(
        "INSERT INTO chunks (document, number, content) VALUES (?, ?, ?)",
        (owner, chunk.number, json.dumps(asdict(chunk))),
    )
    row = cursor.connection.last_insert_rowid()
    cursor.execute("INSERT INTO vectors VALUES (?, ?, ?)", (row, owner, _blob(vector)))
    body = f"{chunk.context(filename)}\n{chunk.text}"
    cursor.execute("INSERT INTO words (rowid, body) VALUES (?, ?)", (row, spaced(body)))


def delete_chunks(cursor: apsw.Cursor, owner: int, first: int, end: int) -> None:
    """Delete the chunks with numbers from `first` up to, but not including, `end`."""
    chosen = "SELECT id FROM chunks WHERE document = ? AND number >= ? AND number < ?"
    rows = cursor.execute(chosen, (owner, first, end)).fetchall()
    cursor.executemany("DELETE FROM words WHERE rowid = ?", rows)
    cursor.executemany("DELETE FROM vectors WHERE id = ?", rows)
    cursor.executemany("DELETE FROM chunks WHERE id = ?", rows)


def count_chunks(cursor: apsw.Cursor, owner: int | None) -> int:
    counted: int = cursor.execute("SELECT count(*) FROM chunks WHERE document = ?", (owner,)).get
    return counted


def nearest(
    cursor: apsw.Cursor, documents: dict[int, Document], vector: Vector, limit: int
) -> list[Hit]:
    rows = cursor.execute(NEAREST, (_blob(vector), json.dumps(list(documents)), limit))
    return _hits(cursor, documents, rows.fetchall())


def matching(
    cursor: apsw.Cursor, documents: dict[int, Document], text: str, limit: int
) -> list[Hit]:
    any_word = " OR ".join(f'"{word}"' for word in query_words(text))
    if not any_word:
        return []
    rows = cursor.execute(MATCHING, (any_word, json.dumps(list(documents)), limit))
    return _hits(cursor, documents, rows.fetchall())


def _hits(cursor: apsw.Cursor, documents: dict[int, Document], rows: list[Any]) -> list[Hit]:
    return [
        Hit(Passage(documents[document], _chunk(cursor, row)), score)
        for document, row, score in rows
    ]


def _chunk(cursor: apsw.Cursor, row: int) -> Chunk:
    content = json.loads(cursor.execute("SELECT content FROM chunks WHERE id = ?", (row,)).get)
    content["pages"] = content["pages"] and tuple(content["pages"])
    content["headings"] = tuple(content["headings"])
    return Chunk(**content)


def _identity(document: Document) -> tuple[str, str, str, str]:
    return document.project, document.vector_store_id, document.file_id, document.entry_id


def _blob(vector: Sequence[float]) -> bytes:
    return array("f", vector).tobytes()

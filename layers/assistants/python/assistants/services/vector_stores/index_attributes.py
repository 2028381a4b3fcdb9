"""Bringing changed attributes of files to their chunks: a note in the table for each, until all
chunks carry them.

The note is committed with the attributes, so they reach the index even when whoever changed them
dies, or the index does not answer.
"""

from collections.abc import Callable
from dataclasses import dataclass

from assistants.domain.ids import ProjectId, VectorStoreId
from assistants.ports.clock import Clock
from assistants.ports.search import SearchIndex
from assistants.ports.table import ConflictError, Delete, Row, Save, Table
from assistants.services.storage import keys
from assistants.services.vector_stores.file_repository import StoreFile

_RECHECK_SECONDS = 300


@dataclass(frozen=True)
class IndexAttributeUpdates:
    table: Table
    index: Callable[[], SearchIndex]
    clock: Clock

    def note(self, found: StoreFile, row: Row) -> Save:
        """What must be committed with `row`, the next revision of the file; then call `work`."""
        key = keys.attribute_update(found.project, found.vector_store_id, found.attachment)
        due_at = int(self.clock.time()) + _RECHECK_SECONDS
        return Save(Row(key, {}, revision=row.revision, due_at=due_at))

    def pending(self, project: ProjectId, vector_store_id: VectorStoreId, attachment: str) -> bool:
        note = keys.attribute_update(project, vector_store_id, attachment)
        return self.table.get(note) != [None]

    def work(self, project: ProjectId, vector_store_id: VectorStoreId, attachment: str) -> None:
        """Give the chunks of a file the attributes that it has now, and again if these change
        meanwhile. Raises `SearchUnavailableError`; the note stays then.
        """
        key = keys.store_file(project, vector_store_id, attachment)
        note = keys.attribute_update(project, vector_store_id, attachment)
        done = "0"
        while (row := self.table.get(key)[0]) is not None and row.revision != done:
            found = StoreFile.of(project, row)
            if found.chunks is not None:
                self.index().set_attributes(found.document, found.chunks)
            done = row.revision
        try:
            self.table.commit(Delete(note, revision=None if row is None else done))
        except ConflictError:
            return  # the note is of a change that came still later

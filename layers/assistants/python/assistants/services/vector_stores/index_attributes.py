"""Bringing changed attributes of files to their chunks: a note in the table for each, until all
chunks carry them.

The note is committed with the attributes, so they reach the index even when whoever changed them
dies, or the index does not answer. It stays until the index shows them in all chunks: an index that
shows a write late may hold chunks that nobody could change when the attributes changed.
"""

from collections.abc import Callable
from dataclasses import dataclass

from assistants.domain.ids import ProjectId, VectorStoreId
from assistants.ports.clock import Clock
from assistants.ports.search import SearchIndex
from assistants.ports.table import ConflictError, Delete, Key, Row, Save, Table
from assistants.services.storage import keys
from assistants.services.vector_stores.file_repository import StoreFile, attribute_update_note
from assistants.telemetry import logger

PATIENCE_SECONDS = 3600  # chunks that the index has not shown by then are lost


@dataclass(frozen=True)
class IndexAttributeUpdates:
    table: Table
    index: Callable[[], SearchIndex]
    clock: Clock

    def note(self, found: StoreFile, row: Row) -> Save:
        """What must be committed with `row`, the next revision of the file; then call `work`."""
        return attribute_update_note(found, row.revision, self.clock.time())

    def pending(self, project: ProjectId, vector_store_id: VectorStoreId, attachment: str) -> bool:
        note = keys.attribute_update(project, vector_store_id, attachment)
        return self.table.get(note) != [None]

    def work(self, project: ProjectId, vector_store_id: VectorStoreId, attachment: str) -> None:
        """Give the chunks of a file the attributes that it has now, and again if these change
        meanwhile. Raises `SearchUnavailableError`; the note stays then.
        """
        key = keys.store_file(project, vector_store_id, attachment)
        note = keys.attribute_update(project, vector_store_id, attachment)
        done, shown = "0", True
        while (row := self.table.get(key)[0]) is not None and row.revision != done:
            found = StoreFile.of(project, row)
            if found.chunks is not None:
                shown = self.index().set_attributes(found.document, found.chunks)
            done = row.revision
        if row is not None and not shown and self._may_be_shown(note):
            return  # the note is due later, and the index is asked again then
        try:
            self.table.commit(Delete(note, revision=None if row is None else done))
        except ConflictError:
            return  # the note is of a change that came still later

    def _may_be_shown(self, key: Key) -> bool:
        [note] = self.table.get(key)
        if note is None or note.body["since"] + PATIENCE_SECONDS > self.clock.time():
            return True
        logger.warning("the index does not show all chunks of a file: attach it again")
        return False

"""Copy changed attributes of files to their chunks in the index.

A note in the table marks the work until all chunks visibly have the new attributes. It is
committed with the attributes, so that they reach the index even if the function that changed them
is stopped, or the index does not answer. Chunks that were not visible yet when the attributes
changed could not be updated; the note has the index checked later.
"""

from collections.abc import Callable
from dataclasses import dataclass

from assistants.domain.ids import EntryRef
from assistants.ports.clock import Clock
from assistants.ports.search import SearchIndex
from assistants.ports.table import ConflictError, Delete, Key, Row, Save, Table
from assistants.services.storage import keys
from assistants.services.vector_stores.file_repository import StoreFile, attribute_update_note
from assistants.telemetry import logger

PATIENCE_SECONDS = 3600  # until chunks that are not visible are given up as lost


@dataclass(frozen=True)
class IndexAttributeUpdates:
    table: Table
    index: Callable[[], SearchIndex]
    clock: Clock

    def note(self, ref: EntryRef, row: Row) -> Save:
        """Return the write to commit with `row`, the file's next revision. Then call `apply`."""
        return attribute_update_note(ref, row.revision, self.clock.time())

    def is_pending(self, ref: EntryRef) -> bool:
        return self.table.get(keys.attribute_update(ref)) != [None]

    def apply(self, ref: EntryRef) -> None:
        """Give a file's chunks its current attributes, and again if these change in between.

        Raises `SearchUnavailableError`, and keeps the note then.
        """
        done, settled = "0", True
        while (row := self.table.get(keys.store_file(ref))[0]) is not None and row.revision != done:
            found = StoreFile.from_row(ref.project, row)
            if found.chunks is not None:
                settled = self.index().set_attributes(found.document, found.chunks)
            done = row.revision
        note = keys.attribute_update(ref)
        if row is not None and not settled and self._may_settle(note):
            return  # the note is due later, and the index is checked then
        try:
            self.table.commit(Delete(note, revision=None if row is None else done))
        except ConflictError:
            return  # the note belongs to a later change

    def _may_settle(self, key: Key) -> bool:
        [note] = self.table.get(key)
        if note is None or note.body["since"] + PATIENCE_SECONDS > self.clock.time():
            return True
        logger.warning("the index has lost chunks of a file: attach it again")
        return False

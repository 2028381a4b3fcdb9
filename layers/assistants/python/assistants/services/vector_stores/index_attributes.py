"""Copy changed attributes of files to their chunks in the index.

A note in the table marks the work until the index shows the new attributes in all chunks. It is
committed with the attributes, so that they reach the index even if the function that changed them
is stopped, or the index does not answer. An index that shows a write late may hold chunks that
could not be updated when the attributes changed; the note has it checked later.
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

PATIENCE_SECONDS = 3600  # chunks that the index has not shown by then are lost


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
        done, shown = "0", True
        while (row := self.table.get(keys.store_file(ref))[0]) is not None and row.revision != done:
            found = StoreFile.from_row(ref.project, row)
            if found.chunks is not None:
                shown = self.index().set_attributes(found.document, found.chunks)
            done = row.revision
        note = keys.attribute_update(ref)
        if row is not None and not shown and self._may_be_shown(note):
            return  # the note is due later, and the index is checked then
        try:
            self.table.commit(Delete(note, revision=None if row is None else done))
        except ConflictError:
            return  # the note belongs to a later change

    def _may_be_shown(self, key: Key) -> bool:
        [note] = self.table.get(key)
        if note is None or note.body["since"] + PATIENCE_SECONDS > self.clock.time():
            return True
        logger.warning("the index does not show all chunks of a file: attach it again")
        return False

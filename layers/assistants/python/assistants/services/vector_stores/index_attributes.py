"""Copy changed attributes of files to their chunks in the index.

A note in the table marks the work until all chunks have the new attributes. It is committed with
the attributes, so that they reach the index even if the function that changed them is stopped, or
the index does not answer.
"""

from collections.abc import Callable
from dataclasses import dataclass

from assistants.domain.ids import EntryRef
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

    def note(self, ref: EntryRef, row: Row) -> Save:
        """Return the write to commit with `row`, the file's next revision. Then call `apply`."""
        due_at = int(self.clock.time()) + _RECHECK_SECONDS
        return Save(Row(keys.attribute_update(ref), {}, revision=row.revision, due_at=due_at))

    def is_pending(self, ref: EntryRef) -> bool:
        return self.table.get(keys.attribute_update(ref)) != [None]

    def apply(self, ref: EntryRef) -> None:
        """Give a file's chunks its current attributes, and again if these change in between.

        Raises `SearchUnavailableError`, and keeps the note then.
        """
        done = "0"
        while (row := self.table.get(keys.store_file(ref))[0]) is not None and row.revision != done:
            found = StoreFile.from_row(ref.project, row)
            if found.chunks is not None:
                self.index().set_attributes(found.document, found.chunks)
            done = row.revision
        note = keys.attribute_update(ref)
        try:
            self.table.commit(Delete(note, revision=None if row is None else done))
        except ConflictError:
            return  # the note belongs to a later change

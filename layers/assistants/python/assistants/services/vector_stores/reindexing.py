"""Build the chunks of files again, after the search index was lost or replaced by another.

Files are put back into the index queue, a limited number at a time, and awaited. Workers embed the
texts that were kept, and skip files of which the index holds every chunk; so all of this can be
interrupted and repeated.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from assistants.domain.ids import EntryRef, ProjectId, VectorStoreId
from assistants.domain.vector_store_file import StoredVectorStoreFile
from assistants.ports.clock import Clock
from assistants.ports.table import ConflictError, Delete, Require, Table
from assistants.services.storage import keys
from assistants.services.vector_stores.file_repository import (
    RECHECK_SECONDS,
    StoreFile,
    StoreFileRepository,
    prepare_change,
)

AT_ONCE = 100  # files in the queue, so that its other files do not wait for all of these
POLL_SECONDS = 1.0
_PAGE = 500


@dataclass(frozen=True)
class Progress:
    """Numbers of files. `done` includes those that were removed from their store in between."""

    done: int = 0
    failed: int = 0


@dataclass(frozen=True)
class Reindexing:
    table: Table
    repository: StoreFileRepository
    clock: Clock

    def find(self, project: ProjectId, before: int) -> Iterator[EntryRef]:
        """Yield the files of a project to be indexed again: those that were last put into the index
        queue earlier than `before` (Unix seconds), and those that are in it.

        Leave out files that cannot be searched for a reason in themselves.
        """
        for vector_store_id in self._stores(project):
            after = None
            partition = keys.in_store(project, vector_store_id)
            while rows := self.table.query(partition, keys.STORE_FILES, after=after, limit=_PAGE):
                files = (StoreFile.from_row(project, row) for row in rows)
                yield from (found.ref for found in files if _is_wanted(found.file, before))
                after = rows[-1].key.sort

    def run(self, refs: Iterable[EntryRef]) -> Iterator[Progress]:
        """Index these files again. Yield the progress until all of them are done or have failed."""
        remaining, waiting = iter(refs), list[EntryRef]()
        progress = Progress()
        while True:
            added = list(islice(remaining, AT_ONCE - len(waiting)))
            progress = replace(progress, failed=progress.failed + self._requeue(added, waiting))
            yield progress
            if not waiting:
                if not added:
                    return
                continue
            self.clock.sleep(POLL_SECONDS)
            progress = self._settle(waiting, progress)

    def _stores(self, project: ProjectId) -> Iterator[VectorStoreId]:
        after, partition = None, keys.vector_stores(project)
        while pointers := self.table.query(partition, "", after=after, limit=_PAGE):
            yield from (pointer.body["id"] for pointer in pointers)
            after = pointers[-1].key.sort

    def _requeue(self, refs: Sequence[EntryRef], waiting: list[EntryRef]) -> int:
        """Put files into the queue and add them to `waiting`.

        Return how many could not be, because their chunks are still being deleted.
        """
        deletions = self.repository.index_deletions
        added = [ref for ref in refs if self._mark(ref)]
        deletions.request(*added)
        waiting += added
        return len(refs) - len(added)

    def _mark(self, ref: EntryRef) -> bool:
        """Mark a file as in progress. Return False if its chunks are still being deleted."""
        while self.repository.index_deletions.find(ref) is None:
            found = self.repository.load(ref)
            if found is None or not _is_ended(found.file):
                return True
            now = int(self.clock.time())
            changes = {
                "status": "in_progress",
                "last_error": None,
                "requeued_at": now,
                "may_have_gaps": True,
            }
            change = prepare_change(found, changes, due_at=now + RECHECK_SECONDS)
            counts = self.repository.counters.increments(
                ref.project, ref.vector_store_id, change.counts
            )
            # Indexing uses the newest attributes, so no update of them is needed any more.
            others = (
                Delete(keys.attribute_update(ref)),
                Require(keys.index_deletion(ref), present=False),
            )
            try:
                self.table.commit(*change.writes, *counts, *others)
            except ConflictError:
                continue
            return True
        return False

    def _settle(self, waiting: list[EntryRef], progress: Progress) -> Progress:
        """Remove the files from `waiting` that are no longer in progress, and count them."""
        rows = self.table.get(*map(keys.store_file, waiting))
        for ref, row in zip(list(waiting), rows, strict=True):
            status = StoreFile.from_row(ref.project, row).file.status if row else None
            if status == "in_progress":
                continue
            waiting.remove(ref)
            failed = int(status == "failed")
            progress = Progress(progress.done + 1 - failed, progress.failed + failed)
        return progress


def _is_wanted(file: StoredVectorStoreFile, before: int) -> bool:
    return file.status == "in_progress" or (_is_ended(file) and file.queued_at < before)


def _is_ended(file: StoredVectorStoreFile) -> bool:
    """Return whether a file was indexed, or failed for no reason in itself."""
    if file.status == "failed":
        return file.last_error is not None and file.last_error.code == "server_error"
    return file.status == "completed"

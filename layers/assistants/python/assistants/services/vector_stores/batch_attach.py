"""Many files join a vector store, however often that breaks off.

A batch is committed before its files and names them until all have joined, so that an intake that
breaks off is taken up again by `expire`, and repeating any part of it changes nothing.
"""

from dataclasses import dataclass

from assistants.domain.file_batch import StoredBatch
from assistants.domain.ids import ProjectId, VectorStoreId
from assistants.domain.vector_store_file import VectorStoreFileCreate
from assistants.ports.clock import Clock
from assistants.ports.table import ConflictError, Create, Replace, Row, Table
from assistants.services.storage import keys
from assistants.services.vector_stores.attach import FileAttacher
from assistants.telemetry import logger

PORTION = 2_000  # files that join at once; `expire` goes on with more of them each minute
_RESUME_SECONDS = 60


@dataclass(frozen=True)
class BatchAttacher:
    table: Table
    attacher: FileAttacher
    clock: Clock

    def batch(
        self,
        project: ProjectId,
        vector_store_id: VectorStoreId,
        batch_id: str,
        entries: list[VectorStoreFileCreate],
    ) -> Create:
        """The row from which `begin` and `resume` work; to be committed if the store exists."""
        now = int(self.clock.time())
        stored = StoredBatch(
            id=batch_id,
            created_at=now,
            vector_store_id=vector_store_id,
            total=len(entries),
            entries=entries,
        )
        key = keys.file_batch(project, vector_store_id, batch_id)
        return Create(Row(key, stored.model_dump(mode="json"), due_at=now + _RESUME_SECONDS))

    def begin(self, project: ProjectId, vector_store_id: VectorStoreId, batch_id: str) -> None:
        """Add the files of a batch that was just committed: whatever it came with exists from here
        on, so if that does not go well now, `expire` does it.
        """
        try:
            self.resume(project, vector_store_id, batch_id)
        except (
            Exception
        ):  # the edge of what is done already: a failure would be repeated by clients
            logger.exception("the files join later", extra={"vector_store_id": vector_store_id})

    def resume(self, project: ProjectId, vector_store_id: VectorStoreId, batch_id: str) -> None:
        """Add the next files of a batch that have not joined yet. Raises `NotFoundError` for a
        store that is gone.
        """
        [row] = self.table.get(keys.file_batch(project, vector_store_id, batch_id))
        if row is None:
            return
        stored = StoredBatch.model_validate(row.body)
        if stored.cancelled or stored.entries is None:
            return
        self.attacher.add(project, vector_store_id, stored.entries[:PORTION], stored.id)
        left = stored.entries[PORTION:] or None
        body = stored.model_copy(update={"entries": left}).model_dump(mode="json")
        due_at = None if left is None else int(self.clock.time())
        try:
            self.table.commit(Replace(row, row.changed(body, due_at=due_at)))
        except ConflictError:
            return  # cancelled meanwhile, or resumed twice

"""Attach many files to a vector store, however often that is interrupted.

A batch is committed before its files, and lists them until all are attached. If a function stops in
the middle, `expire` resumes the batch; repeating any part of the work changes nothing.
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

PORTION = 2_000  # files that are attached at once; `expire` attaches as many more each minute
_RESUME_SECONDS = 60


@dataclass(frozen=True)
class BatchAttacher:
    table: Table
    attacher: FileAttacher
    clock: Clock

    def new_batch(
        self,
        project: ProjectId,
        vector_store_id: VectorStoreId,
        batch_id: str,
        entries: list[VectorStoreFileCreate],
    ) -> Create:
        """Return the write that creates a batch of an existing store. Commit it, then `start`."""
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

    def start(self, project: ProjectId, vector_store_id: VectorStoreId, batch_id: str) -> None:
        """Attach the files of a batch that was just committed. Log any exception, since `expire`
        resumes the batch.
        """
        try:
            self.resume(project, vector_store_id, batch_id)
        except Exception:  # the request has succeeded: on an error, clients would repeat it
            logger.exception(
                "the files are attached later", extra={"vector_store_id": vector_store_id}
            )

    def resume(self, project: ProjectId, vector_store_id: VectorStoreId, batch_id: str) -> None:
        """Attach the next files of a batch, if any are left.

        Raises `NotFoundError` if the store does not exist.
        """
        [row] = self.table.get(keys.file_batch(project, vector_store_id, batch_id))
        if row is None:
            return
        stored = StoredBatch.model_validate(row.body)
        if stored.cancelled or stored.entries is None:
            return
        self.attacher.attach(project, vector_store_id, stored.entries[:PORTION], stored.id)
        left = stored.entries[PORTION:] or None
        body = stored.model_copy(update={"entries": left}).model_dump(mode="json")
        due_at = None if left is None else int(self.clock.time())
        try:
            self.table.commit(Replace(row, row.changed(body, due_at=due_at)))
        except ConflictError:
            return  # the batch was cancelled in between, or resumed twice

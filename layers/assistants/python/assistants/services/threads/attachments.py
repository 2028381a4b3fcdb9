"""Files attached to messages become files of the thread's tools.

A file for the code interpreter joins the thread's own. A file to be searched joins the thread's
vector store. A thread without one, or whose store has expired or is deleted, gets a new store that
lives until a week after its last use and is deleted with the thread.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from assistants.domain.errors import InvalidRequestError
from assistants.domain.hosted_tools.code_interpreter import CODE_INTERPRETER
from assistants.domain.hosted_tools.file_search import FILE_SEARCH
from assistants.domain.ids import (
    FILE_BATCH,
    VECTOR_STORE,
    FileId,
    ProjectId,
    VectorStoreId,
    ids_after,
)
from assistants.domain.message import MessageCreate
from assistants.domain.thread import StoredThread
from assistants.domain.tool import (
    MAX_CODE_FILES,
    CodeInterpreterResources,
    FileSearchResources,
    ToolResources,
)
from assistants.domain.vector_store import VectorStoreCreate, VectorStoreExpiresAfter
from assistants.domain.vector_store_file import VectorStoreFileCreate
from assistants.ports.table import Replace, Require, Row, Write
from assistants.services.storage import keys
from assistants.services.vector_stores.batch_attach import BatchAttacher
from assistants.services.vector_stores.service import VectorStores

A_WEEK = VectorStoreExpiresAfter(anchor="last_active_at", days=7)


@dataclass(frozen=True, kw_only=True)
class Additions:
    """Hold the writes to commit with the messages; call `begin` afterwards.

    `batch` names a vector store and a file batch in it.
    """

    writes: Sequence[Write] = ()
    batch: tuple[VectorStoreId, str] | None = None


@dataclass(frozen=True, kw_only=True)
class Attached(Additions):
    thread: StoredThread  # as it will be


@dataclass(frozen=True)
class Attachments:
    stores: VectorStores
    attacher: BatchAttacher

    def to_thread(
        self, project: ProjectId, row: Row, messages: Sequence[MessageCreate], seed: str
    ) -> Attached:
        """Attach the files of messages to an existing thread.

        The first write requires that the thread still exists, and is unchanged if it is replaced.
        New ids follow from `seed`. Raises `InvalidRequestError` for too many files of a thread.
        """
        before = StoredThread.model_validate(row.body)
        attached = self.attach(project, before, messages, seed)
        after = attached.thread
        first: Write = Require(row.key)
        if after != before:
            first = Replace(row, row.changed(after.model_dump(mode="json")))
        return replace(attached, writes=[first, *attached.writes])

    def attach(
        self,
        project: ProjectId,
        thread: StoredThread,
        messages: Sequence[MessageCreate],
        seed: str,
        new_store_id: VectorStoreId | None = None,
    ) -> Attached:
        """Attach the files of messages to a thread that is created with them, and perhaps with a
        vector store. Raises as `to_thread`.
        """
        thread = _with_code_files(thread, _attached(messages, CODE_INTERPRETER.name))
        file_ids = _attached(messages, FILE_SEARCH.name)
        if not file_ids:
            return Attached(thread=thread)
        thread, writes = self._with_store(project, thread, file_ids, seed, new_store_id)
        [vector_store_id] = _stores_of(thread)
        batch_id = next(ids_after(seed, FILE_BATCH))
        entries = [VectorStoreFileCreate(file_id=file_id) for file_id in file_ids]
        batch = self.attacher.new_batch(project, vector_store_id, batch_id, entries)
        added = vector_store_id, batch_id
        return Attached(thread=thread, writes=[*writes, batch], batch=added)

    def begin(self, project: ProjectId, additions: Additions) -> None:
        """Add the files to the store, after the commit."""
        if additions.batch is not None:
            self.attacher.start(project, *additions.batch)

    def _with_store(
        self,
        project: ProjectId,
        thread: StoredThread,
        file_ids: Sequence[FileId],
        seed: str,
        new_store_id: VectorStoreId | None,
    ) -> tuple[StoredThread, Sequence[Write]]:
        """Return the thread with a vector store that has not expired, and the writes for it."""
        present = _stores_of(thread)
        if present and present[0] == new_store_id:
            return thread, ()
        if present and self.stores.is_live(project, present[0]):
            self.stores.admit(project, present[0], file_ids)
            return thread, [Require(keys.vector_store(project, present[0]))]
        vector_store_id = next(ids_after(seed, VECTOR_STORE))
        body = VectorStoreCreate(expires_after=A_WEEK)
        search = FileSearchResources(vector_store_ids=[vector_store_id])
        resources = thread.resources.replaced(ToolResources(file_search=search))
        own = [*thread.own_store_ids, vector_store_id]
        changed = thread.model_copy(update={"tool_resources": resources, "own_store_ids": own})
        return changed, self.stores.new(project, body, vector_store_id).writes


def _attached(messages: Sequence[MessageCreate], tool: str) -> list[FileId]:
    """Return the ids of the files that are attached for a tool, each once."""
    file_ids = [
        attachment.file_id
        for message in messages
        for attachment in message.attachments or ()
        if tool in [wanted.type for wanted in attachment.tools]
    ]
    return list(dict.fromkeys(file_ids))


def _stores_of(thread: StoredThread) -> list[VectorStoreId]:
    search = thread.resources.file_search
    return list(search.vector_store_ids) if search else []


def _with_code_files(thread: StoredThread, file_ids: Sequence[FileId]) -> StoredThread:
    """Add files for code. Raises `InvalidRequestError` for more than a thread can have."""
    if not file_ids:
        return thread
    code = thread.resources.code_interpreter
    joined = list(dict.fromkeys([*(code.file_ids if code else ()), *file_ids]))
    if len(joined) > MAX_CODE_FILES:
        raise InvalidRequestError(
            f"A thread can have at most {MAX_CODE_FILES} files for {CODE_INTERPRETER.name}, "
            f"and would have {len(joined)}.",
            param="attachments",
            code="array_above_max_length",
        )
    files = CodeInterpreterResources(file_ids=joined)
    resources = thread.resources.replaced(ToolResources(code_interpreter=files))
    return thread.model_copy(update={"tool_resources": resources})

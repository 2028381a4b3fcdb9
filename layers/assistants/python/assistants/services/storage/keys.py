"""Keys of the one table: where each object is stored.

Every key begins with the project, so that no query can reach another tenant. The exceptions are
an API key's secret and the warm pool's sessions, which have no project yet. An object's row sorts
by the order in its id, so that a list is one query; pointer rows lead to it from elsewhere.
"""

import hashlib
import json

from assistants.domain.ids import (
    EntryRef,
    FileId,
    ProjectId,
    RunId,
    RunRef,
    ThreadId,
    VectorStoreId,
    order_of,
)
from assistants.ports.table import Key

MESSAGES = "M#"
RUNS = "R#"
JOURNAL = "E#"
CALLBACKS = "W#"
STREAMS = "L#"
SANDBOX = "BOX"
WARM_POOL = "SPARE"

# Kinds of rows in the `due` index apart from runs: the third component of the partition key.
PURGE, FILE, ORPHAN_BLOB, UPLOAD = "purge", "file", "blob", "upl"
STORE, INDEX_DELETION, ATTRIBUTE_UPDATE = "v", "deletion", "attributes"

# Prefixes of sort keys in a vector store's partition.
STORE_HEAD = "STORE#"  # the store's own row, and the counters of its files
STORE_FILES = "F#"
FILE_BATCHES = "B#"


def assistants(project: ProjectId) -> str:
    return f"P#{project}#asst"


def assistant(project: ProjectId, assistant_id: str) -> Key:
    return Key(assistants(project), order_of(assistant_id))


def api_keys(project: ProjectId) -> str:
    return f"P#{project}#key"


def api_key(project: ProjectId, key_id: str) -> Key:
    return Key(api_keys(project), order_of(key_id))


def api_key_secret(digest: str) -> Key:
    """Return the key of the row that maps a secret to its project."""
    return Key(f"K#{digest}", "K")


def files(project: ProjectId, purpose: str | None = None) -> str:
    """Return the partition of all files, or of the copies of those with one purpose."""
    return f"P#{project}#{FILE}" + (f"#{purpose}" if purpose else "")


def file(project: ProjectId, file_id: FileId, purpose: str | None = None) -> Key:
    return Key(files(project, purpose), order_of(file_id))


def orphan_blob(project: ProjectId, file_id: FileId) -> Key:
    """Return the key of a row that exists while a file's bytes may exist without the file."""
    return Key(f"P#{project}#{ORPHAN_BLOB}", file_id)


def vector_stores(project: ProjectId) -> str:
    """Return the partition of pointers to a project's vector stores. A store's own row is in the
    same partition as its files.
    """
    return f"P#{project}#vs"


def in_store(project: ProjectId, vector_store_id: VectorStoreId) -> str:
    return f"P#{project}#{STORE}#{vector_store_id}"


def vector_store(project: ProjectId, vector_store_id: VectorStoreId) -> Key:
    return Key(in_store(project, vector_store_id), f"{STORE_HEAD}HEAD")


def counter(
    project: ProjectId, vector_store_id: VectorStoreId, shard: int, batch_id: str | None = None
) -> Key:
    """Return the key of one of the rows whose sum counts a store's files, or those of a batch."""
    prefix = STORE_HEAD if batch_id is None else batch_counters(batch_id)
    return Key(in_store(project, vector_store_id), f"{prefix}{shard}")


def batch_counters(batch_id: str) -> str:
    return f"BN#{order_of(batch_id)}#"


def store_file(ref: EntryRef) -> Key:
    return Key(in_store(ref.project, ref.vector_store_id), STORE_FILES + ref.entry_id)


def membership(project: ProjectId, vector_store_id: VectorStoreId, file_id: FileId) -> Key:
    """Return the key of the row that names a file's entry in a store: it can have only one."""
    return Key(in_store(project, vector_store_id), f"A#{file_id}")


def tombstone(project: ProjectId, vector_store_id: VectorStoreId, file_id: FileId) -> Key:
    """Return the key of the row that names the last entry of a detached file, so that a cursor at
    the file stays valid for a while.
    """
    return Key(in_store(project, vector_store_id), f"D#{file_id}")


def status_index(batch_id: str | None, status: str | None) -> str:
    """Return the prefix of pointers to a store's files in a batch, in a status, or both."""
    return f"L#{order_of(batch_id) if batch_id else ''}#{status or ''}#"


def file_batch(project: ProjectId, vector_store_id: VectorStoreId, batch_id: str) -> Key:
    return Key(in_store(project, vector_store_id), FILE_BATCHES + order_of(batch_id))


def stores_of_file(project: ProjectId, file_id: FileId) -> str:
    """Return the partition of pointers to the stores that a file is in."""
    return f"P#{project}#f#{file_id}"


def store_of_file(project: ProjectId, file_id: FileId, vector_store_id: VectorStoreId) -> Key:
    return Key(stores_of_file(project, file_id), f"V#{vector_store_id}")


def index_deletion(ref: EntryRef) -> Key:
    """Return the key of a row that exists while the index may hold chunks that must be deleted."""
    return Key(f"P#{ref.project}#{INDEX_DELETION}#{ref.vector_store_id}", ref.entry_id)


def attribute_update(ref: EntryRef) -> Key:
    """Return the key of a row that exists while chunks may have attributes that are out of date."""
    return Key(f"P#{ref.project}#{ATTRIBUTE_UPDATE}#{ref.vector_store_id}", ref.entry_id)


def upload(project: ProjectId, upload_id: str) -> Key:
    return Key(f"P#{project}#{UPLOAD}", order_of(upload_id))


def in_thread(project: ProjectId, thread_id: ThreadId) -> str:
    return f"P#{project}#t#{thread_id}"


def _thread_of(ref: RunRef) -> str:
    return in_thread(ref.project, ref.thread_id)


def thread(project: ProjectId, thread_id: ThreadId) -> Key:
    return Key(in_thread(project, thread_id), "THREAD")


def threads(project: ProjectId) -> str:
    """Return the partition of pointers to a project's threads. A thread's own row is in the same
    partition as its messages and runs.
    """
    return f"P#{project}#threads"


def threads_with(project: ProjectId, name: str, value: str) -> str:
    """Return the partition of pointers to the threads whose metadata holds this pair."""
    pair = hashlib.sha256(json.dumps([name, value]).encode()).hexdigest()
    return f"P#{project}#threads#{pair}"


def lock(project: ProjectId, thread_id: ThreadId) -> Key:
    """Return the key of a row that exists only while a run of the thread is active. Its revision is
    the run's id.
    """
    return Key(in_thread(project, thread_id), "LOCK")


def sandbox(project: ProjectId, thread_id: ThreadId) -> Key:
    """Return the key of the thread's code interpreter session."""
    return Key(in_thread(project, thread_id), SANDBOX)


def spare_session(name: str) -> Key:
    """Return the key of a code interpreter session that no thread, of any project, uses yet."""
    return Key(WARM_POOL, name)


def message(project: ProjectId, thread_id: ThreadId, message_id: str) -> Key:
    return Key(in_thread(project, thread_id), MESSAGES + order_of(message_id))


def message_of_run(ref: RunRef, message_id: str) -> Key:
    return Key(_thread_of(ref), messages_of_run(ref.run_id) + order_of(message_id))


def messages_of_run(run_id: RunId) -> str:
    return f"RM#{run_id}#"


def run_state(ref: RunRef) -> Key:
    return Key(_thread_of(ref), RUNS + order_of(ref.run_id))


def run_settings(ref: RunRef) -> Key:
    return Key(_thread_of(ref), "RC#" + order_of(ref.run_id))


def steps(run_id: RunId) -> str:
    return f"S#{order_of(run_id)}#"


def step(ref: RunRef, step_id: str) -> Key:
    return Key(_thread_of(ref), steps(ref.run_id) + order_of(step_id))


def idempotency(project: ProjectId, digest: str) -> Key:
    return Key(f"P#{project}#i#{digest}", "I")


def purge(project: ProjectId, owner_id: str) -> Key:
    """Return the key of a row that exists from the deletion of a thread or vector store until all
    of its rows are removed.
    """
    return Key(f"P#{project}#{PURGE}", owner_id)


def in_run(ref: RunRef) -> str:
    return f"P#{ref.project}#r#{ref.run_id}"


def journal(ref: RunRef, sequence: int) -> Key:
    return Key(in_run(ref), f"{JOURNAL}{sequence:08d}")


def tool_call(ref: RunRef, call_id: str) -> Key:
    """Return the key of a call of a hosted tool."""
    return Key(in_run(ref), f"C#{order_of(call_id)}")


def callback(ref: RunRef, turn: int) -> Key:
    return Key(in_run(ref), f"{CALLBACKS}{turn:04d}")


def stream(ref: RunRef, order: str) -> Key:
    return Key(in_run(ref), f"{STREAMS}{order}")

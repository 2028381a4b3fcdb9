"""Where each object lives in the one table.

Every key begins with the project, so that no query can reach another tenant, but an API key's and
those of sessions that nobody has used yet. The full item lives in its order row, so that a list is
one query; whatever else finds it is a pointer row.
"""

import hashlib
import json

from assistants.domain.ids import (
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
SANDBOX = "BOX"
SPARE_SESSIONS = "SPARE"

# What the `due` index holds beside runs, by the third member of the partition.
PURGE, FILE, ORPHAN_BLOB, UPLOAD = "purge", "file", "blob", "upl"
STORE, INDEX_DELETION, ATTRIBUTE_UPDATE = "v", "removal", "label"

# What a vector store's partition holds.
STORE_HEAD = "STORE#"  # its own row, and those that count its files
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
    """A row without a project: it is what tells the project."""
    return Key(f"K#{digest}", "K")


def files(project: ProjectId, purpose: str | None = None) -> str:
    """All files, or the copies of those with one purpose."""
    return f"P#{project}#{FILE}" + (f"#{purpose}" if purpose else "")


def file(project: ProjectId, file_id: FileId, purpose: str | None = None) -> Key:
    return Key(files(project, purpose), order_of(file_id))


def orphan_blob(project: ProjectId, file_id: FileId) -> Key:
    """Exists while the bytes of a file are, or may be, there without the file."""
    return Key(f"P#{project}#{ORPHAN_BLOB}", file_id)


def vector_stores(project: ProjectId) -> str:
    """Pointers to a project's vector stores. A store itself lives with its files."""
    return f"P#{project}#vs"


def in_store(project: ProjectId, vector_store_id: VectorStoreId) -> str:
    return f"P#{project}#{STORE}#{vector_store_id}"


def vector_store(project: ProjectId, vector_store_id: VectorStoreId) -> Key:
    return Key(in_store(project, vector_store_id), f"{STORE_HEAD}HEAD")


def counter(
    project: ProjectId, vector_store_id: VectorStoreId, shard: int, batch_id: str | None = None
) -> Key:
    """One of the rows whose sum counts a store's files, or those of a batch."""
    prefix = STORE_HEAD if batch_id is None else batch_counters(batch_id)
    return Key(in_store(project, vector_store_id), f"{prefix}{shard}")


def batch_counters(batch_id: str) -> str:
    return f"BN#{order_of(batch_id)}#"


def store_file(project: ProjectId, vector_store_id: VectorStoreId, attachment: str) -> Key:
    return Key(in_store(project, vector_store_id), STORE_FILES + attachment)


def membership(project: ProjectId, vector_store_id: VectorStoreId, file_id: FileId) -> Key:
    """Names the attachment of a file that is in a store: each is there at most once."""
    return Key(in_store(project, vector_store_id), f"A#{file_id}")


def tombstone(project: ProjectId, vector_store_id: VectorStoreId, file_id: FileId) -> Key:
    """The same for a file that has left, so that a list can go on behind it for a while."""
    return Key(in_store(project, vector_store_id), f"D#{file_id}")


def status_index(batch_id: str | None, status: str | None) -> str:
    """Pointers to the files of a store that are in a batch, in a status, or both."""
    return f"L#{order_of(batch_id) if batch_id else ''}#{status or ''}#"


def file_batch(project: ProjectId, vector_store_id: VectorStoreId, batch_id: str) -> Key:
    return Key(in_store(project, vector_store_id), FILE_BATCHES + order_of(batch_id))


def stores_of_file(project: ProjectId, file_id: FileId) -> str:
    """Pointers to the stores that a file is in."""
    return f"P#{project}#f#{file_id}"


def store_of_file(project: ProjectId, file_id: FileId, vector_store_id: VectorStoreId) -> Key:
    return Key(stores_of_file(project, file_id), f"V#{vector_store_id}")


def index_deletion(project: ProjectId, vector_store_id: VectorStoreId, attachment: str) -> Key:
    """Exists while the index may hold chunks of a file that is not to be found any more."""
    return Key(f"P#{project}#{INDEX_DELETION}#{vector_store_id}", attachment)


def attribute_update(project: ProjectId, vector_store_id: VectorStoreId, attachment: str) -> Key:
    """Exists while the chunks of a file may carry other attributes than the file."""
    return Key(f"P#{project}#{ATTRIBUTE_UPDATE}#{vector_store_id}", attachment)


def upload(project: ProjectId, upload_id: str) -> Key:
    return Key(f"P#{project}#{UPLOAD}", order_of(upload_id))


def in_thread(project: ProjectId, thread_id: ThreadId) -> str:
    return f"P#{project}#t#{thread_id}"


def _thread_of(ref: RunRef) -> str:
    return in_thread(ref.project, ref.thread_id)


def thread(project: ProjectId, thread_id: ThreadId) -> Key:
    return Key(in_thread(project, thread_id), "THREAD")


def threads(project: ProjectId) -> str:
    """Pointers to a project's threads. A thread itself lives with its messages and runs."""
    return f"P#{project}#threads"


def threads_with(project: ProjectId, name: str, value: str) -> str:
    """Pointers to the threads whose metadata holds this pair."""
    pair = hashlib.sha256(json.dumps([name, value]).encode()).hexdigest()
    return f"P#{project}#threads#{pair}"


def lock(project: ProjectId, thread_id: ThreadId) -> Key:
    """Exists only while a run of the thread is active; its revision is the run's id."""
    return Key(in_thread(project, thread_id), "LOCK")


def sandbox(project: ProjectId, thread_id: ThreadId) -> Key:
    """The thread's code interpreter."""
    return Key(in_thread(project, thread_id), SANDBOX)


def spare_session(name: str) -> Key:
    """A session of the code interpreter that waits for a thread, of any project."""
    return Key(SPARE_SESSIONS, name)


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
    """Exists after a thread or vector store is deleted, until its rows are removed."""
    return Key(f"P#{project}#{PURGE}", owner_id)


def in_run(ref: RunRef) -> str:
    return f"P#{ref.project}#r#{ref.run_id}"


def journal(ref: RunRef, sequence: int) -> Key:
    return Key(in_run(ref), f"{JOURNAL}{sequence:08d}")


def tool_call(ref: RunRef, call_id: str) -> Key:
    """A call of a tool that runs on the server."""
    return Key(in_run(ref), f"C#{order_of(call_id)}")


def callback(ref: RunRef, turn: int) -> Key:
    return Key(in_run(ref), f"{CALLBACKS}{turn:04d}")

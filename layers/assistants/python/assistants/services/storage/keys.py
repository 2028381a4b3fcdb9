"""Where each object lives in the one table.

Every key begins with the project, so that no query can reach another tenant, but an API key's and
those of sessions that nobody has used yet. The full item lives in its order row, so that a list is
one query; whatever else finds it is a pointer row.
"""

import hashlib
import json
from dataclasses import dataclass

from assistants.domain.ids import order_of
from assistants.ports.table import Key

MESSAGES = "M#"
RUNS = "R#"
JOURNAL = "E#"
WAITS = "W#"
SANDBOX = "BOX"
SPARES = "SPARE"

# What the `due` index holds beside runs, by the third member of the partition.
PURGE, FILE, LOOSE_BLOB, UPLOAD = "purge", "file", "blob", "upl"
STORE, REMOVAL, RELABELLING = "v", "removal", "label"

# What a vector store's partition holds.
STORE_HEAD = "STORE#"  # its own row, and those that count its files
STORE_FILES = "F#"
FILE_BATCHES = "B#"


def assistants(project: str) -> str:
    return f"P#{project}#asst"


def assistant(project: str, assistant_id: str) -> Key:
    return Key(assistants(project), order_of(assistant_id))


def api_keys(project: str) -> str:
    return f"P#{project}#key"


def api_key(project: str, key_id: str) -> Key:
    return Key(api_keys(project), order_of(key_id))


def api_key_secret(digest: str) -> Key:
    """A row without a project: it is what tells the project."""
    return Key(f"K#{digest}", "K")


def files(project: str, purpose: str | None = None) -> str:
    """All files, or the copies of those with one purpose."""
    return f"P#{project}#{FILE}" + (f"#{purpose}" if purpose else "")


def file(project: str, file_id: str, purpose: str | None = None) -> Key:
    return Key(files(project, purpose), order_of(file_id))


def loose_blob(project: str, file_id: str) -> Key:
    """Exists while the bytes of a file are, or may be, there without the file."""
    return Key(f"P#{project}#{LOOSE_BLOB}", file_id)


def vector_stores(project: str) -> str:
    """Pointers to a project's vector stores. A store itself lives with its files."""
    return f"P#{project}#vs"


def in_store(project: str, vector_store_id: str) -> str:
    return f"P#{project}#{STORE}#{vector_store_id}"


def vector_store(project: str, vector_store_id: str) -> Key:
    return Key(in_store(project, vector_store_id), f"{STORE_HEAD}HEAD")


def tally(project: str, vector_store_id: str, shard: int, batch_id: str | None = None) -> Key:
    """One of the rows whose sum counts a store's files, or those of a batch."""
    prefix = STORE_HEAD if batch_id is None else batch_tallies(batch_id)
    return Key(in_store(project, vector_store_id), f"{prefix}{shard}")


def batch_tallies(batch_id: str) -> str:
    return f"BN#{order_of(batch_id)}#"


def store_file(project: str, vector_store_id: str, attachment: str) -> Key:
    return Key(in_store(project, vector_store_id), STORE_FILES + attachment)


def stay(project: str, vector_store_id: str, file_id: str) -> Key:
    """Names the attachment of a file that is in a store: each is there at most once."""
    return Key(in_store(project, vector_store_id), f"A#{file_id}")


def former_stay(project: str, vector_store_id: str, file_id: str) -> Key:
    """The same for a file that has left, so that a list can go on behind it for a while."""
    return Key(in_store(project, vector_store_id), f"D#{file_id}")


def view(batch_id: str | None, status: str | None) -> str:
    """Pointers to the files of a store that are in a batch, in a status, or both."""
    return f"L#{order_of(batch_id) if batch_id else ''}#{status or ''}#"


def file_batch(project: str, vector_store_id: str, batch_id: str) -> Key:
    return Key(in_store(project, vector_store_id), FILE_BATCHES + order_of(batch_id))


def stores_of_file(project: str, file_id: str) -> str:
    """Pointers to the stores that a file is in."""
    return f"P#{project}#f#{file_id}"


def store_of_file(project: str, file_id: str, vector_store_id: str) -> Key:
    return Key(stores_of_file(project, file_id), f"V#{vector_store_id}")


def removal(project: str, vector_store_id: str, attachment: str) -> Key:
    """Exists while the index may hold chunks of a file that is not to be found any more."""
    return Key(f"P#{project}#{REMOVAL}#{vector_store_id}", attachment)


def relabelling(project: str, vector_store_id: str, attachment: str) -> Key:
    """Exists while the chunks of a file may carry other attributes than the file."""
    return Key(f"P#{project}#{RELABELLING}#{vector_store_id}", attachment)


def upload(project: str, upload_id: str) -> Key:
    return Key(f"P#{project}#{UPLOAD}", order_of(upload_id))


def in_thread(project: str, thread_id: str) -> str:
    return f"P#{project}#t#{thread_id}"


def thread(project: str, thread_id: str) -> Key:
    return Key(in_thread(project, thread_id), "THREAD")


def threads(project: str) -> str:
    """Pointers to a project's threads. A thread itself lives with its messages and runs."""
    return f"P#{project}#threads"


def threads_with(project: str, name: str, value: str) -> str:
    """Pointers to the threads whose metadata holds this pair."""
    pair = hashlib.sha256(json.dumps([name, value]).encode()).hexdigest()
    return f"P#{project}#threads#{pair}"


def lock(project: str, thread_id: str) -> Key:
    """Exists only while a run of the thread is active; its revision is the run's id."""
    return Key(in_thread(project, thread_id), "LOCK")


def sandbox(project: str, thread_id: str) -> Key:
    """The thread's code interpreter."""
    return Key(in_thread(project, thread_id), SANDBOX)


def spare(name: str) -> Key:
    """A session of the code interpreter that waits for a thread, of any project."""
    return Key(SPARES, name)


def message(project: str, thread_id: str, message_id: str) -> Key:
    return Key(in_thread(project, thread_id), MESSAGES + order_of(message_id))


def message_of_run(project: str, thread_id: str, run_id: str, message_id: str) -> Key:
    return Key(in_thread(project, thread_id), messages_of_run(run_id) + order_of(message_id))


def messages_of_run(run_id: str) -> str:
    return f"RM#{run_id}#"


def run_state(project: str, thread_id: str, run_id: str) -> Key:
    return Key(in_thread(project, thread_id), RUNS + order_of(run_id))


def run_settings(project: str, thread_id: str, run_id: str) -> Key:
    return Key(in_thread(project, thread_id), "RC#" + order_of(run_id))


def steps(run_id: str) -> str:
    return f"S#{order_of(run_id)}#"


def step(project: str, thread_id: str, run_id: str, step_id: str) -> Key:
    return Key(in_thread(project, thread_id), steps(run_id) + order_of(step_id))


def idempotency(project: str, digest: str) -> Key:
    return Key(f"P#{project}#i#{digest}", "I")


def purge(project: str, thread_id: str) -> Key:
    """What is left of a deleted thread until everything that hung on it is removed."""
    return Key(f"P#{project}#{PURGE}", thread_id)


@dataclass(frozen=True, slots=True)
class Place:
    """What a key stands for: `kind` is `t` (of a run) or one of those above, and `rest` what
    follows it in the partition.
    """

    project: str
    kind: str
    rest: tuple[str, ...]


def place_of(key: Key) -> Place:
    _, project, kind, *rest = key.partition.split("#")
    return Place(project, kind, tuple(rest))


def in_run(project: str, run_id: str) -> str:
    return f"P#{project}#r#{run_id}"


def journal(project: str, run_id: str, sequence: int) -> Key:
    return Key(in_run(project, run_id), f"{JOURNAL}{sequence:08d}")


def tool_call(project: str, run_id: str, call_id: str) -> Key:
    """A call of a tool that runs on the server."""
    return Key(in_run(project, run_id), f"C#{order_of(call_id)}")


def wait(project: str, run_id: str, turn: int) -> Key:
    return Key(in_run(project, run_id), f"{WAITS}{turn:04d}")

"""Where each object lives in the one table.

Every key but an API key's begins with the project: no query can reach another tenant. The full
item lives in its order row, so that a list is one query; whatever else finds it is a pointer row.
"""

import hashlib
import json
from dataclasses import dataclass

from assistants.domain.ids import order_of
from assistants.ports.store import Key

MESSAGES = "M#"
RUNS = "R#"
JOURNAL = "E#"

# What the `due` index holds beside runs, by the third member of the partition.
PURGE, FILE, LOOSE_BLOB, UPLOAD = "purge", "file", "blob", "upl"


def assistants(project: str) -> str:
    return f"P#{project}#asst"


def assistant(project: str, assistant_id: str) -> Key:
    return Key(assistants(project), order_of(assistant_id))


def api_keys(project: str) -> str:
    return f"P#{project}#key"


def api_key(project: str, key_id: str) -> Key:
    return Key(api_keys(project), order_of(key_id))


def api_key_secret(digest: str) -> Key:
    """The one row without a project: it is what tells the project."""
    return Key(f"K#{digest}", "K")


def files(project: str, purpose: str | None = None) -> str:
    """All files, or the copies of those with one purpose."""
    return f"P#{project}#{FILE}" + (f"#{purpose}" if purpose else "")


def file(project: str, file_id: str, purpose: str | None = None) -> Key:
    return Key(files(project, purpose), order_of(file_id))


def loose_blob(project: str, file_id: str) -> Key:
    """Exists while the bytes of a file are, or may be, there without the file."""
    return Key(f"P#{project}#{LOOSE_BLOB}", file_id)


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
    return Key(in_run(project, run_id), f"W#{turn:04d}")

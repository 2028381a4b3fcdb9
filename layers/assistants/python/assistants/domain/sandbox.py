"""The stored state of a thread's code interpreter: its session, and the files it has made."""

from assistants.domain.ids import FileId, RunId
from assistants.domain.schema import Object

TTL_SECONDS = 3600  # a session ends itself after an hour
IDLE_SECONDS = 1200  # and after twenty minutes without a request

_REMEMBERED_CALLS = 64
_REMEMBERED_FILES = 300


class StoredSession(Object):
    """A session that was launched, or is about to be.

    `handle` is known after the launch, `address` after the first answer. Times are Unix seconds.
    """

    name: str  # of the launch, which makes it idempotent
    token: str
    launched_at: int
    used_at: int
    handle: str | None = None
    address: str | None = None
    inputs: dict[str, str] = {}  # ids of Files by their names below /mnt/data
    replaces: bool = False  # an earlier session, whose variables are lost

    @property
    def ends_at(self) -> int:
        return self.launched_at + TTL_SECONDS

    def lasts(self, seconds: float, now: float) -> bool:
        """Return whether it may be alive now, and for `seconds` more if it is used."""
        return now + seconds < self.ends_at and now < self.used_at + IDLE_SECONDS


class CopyLease(Object):
    """Marks the call that copies files into the session; expires at `until` (Unix seconds)."""

    run_id: RunId
    call_id: str
    until: int

    def keeps_out(self, other: "CopyLease", now: int) -> bool:
        """Return whether `other` has to wait. The lease of an earlier run is void: it has ended."""
        same = (self.run_id, self.call_id) == (other.run_id, other.call_id)
        return not same and self.run_id == other.run_id and now < self.until


class OutputFile(Object):
    """A File with the content of a file that code has written."""

    file_id: FileId
    sha256: str | None


class ThreadSandbox(Object):
    """The code interpreter of a thread.

    `sent` maps ids of calls to the name of the session that got their code. `outputs` are the
    newest Files made in any session, by path below /mnt/data. Both drop their oldest.
    """

    session: StoredSession | None = None
    forgotten: bool = False  # a session with variables has ended, and none has replaced it yet
    filling: CopyLease | None = None
    sent: dict[str, str] = {}
    outputs: dict[str, OutputFile] = {}

    def begun(self, session: StoredSession) -> "ThreadSandbox":
        """Return the state with a new session."""
        replaces = self.forgotten or self._used
        new = session.model_copy(update={"replaces": replaces})
        return self.model_copy(update={"session": new, "forgotten": False, "filling": None})

    def ended(self, name: str) -> "ThreadSandbox":
        """Return the state without the session of that name."""
        if self.session is None or self.session.name != name:
            return self
        forgotten = self.forgotten or self.session.replaces or self._used
        members = {"session": None, "forgotten": forgotten, "filling": None}
        return self.model_copy(update=members)

    def given_up(self, name: str) -> "ThreadSandbox":
        """Return the state without the session of that name, unless it has been launched."""
        return self if self.session and self.session.handle else self.ended(name)

    def changed(self, name: str, **members: object) -> "ThreadSandbox":
        """Return the state with changed members of the session, if it still has that name."""
        if self.session is None or self.session.name != name:
            return self
        return self.model_copy(update={"session": self.session.model_copy(update=members)})

    def sending(self, call_id: str, name: str) -> "ThreadSandbox":
        """Return the state in which session `name` gets the code of a call, if it is current."""
        if self.session is None or self.session.name != name:
            return self
        sent = {**self.sent, call_id: name}
        newest = dict(list(sent.items())[-_REMEMBERED_CALLS:])
        return self.model_copy(update={"sent": newest, "filling": None})

    def having_made(self, made: dict[str, OutputFile]) -> "ThreadSandbox":
        """Return the state with new output files."""
        others = {path: file for path, file in self.outputs.items() if path not in made}
        newest = dict(list({**others, **made}.items())[-_REMEMBERED_FILES:])
        return self.model_copy(update={"outputs": newest})

    @property
    def _used(self) -> bool:
        return self.session is not None and self.session.name in self.sent.values()

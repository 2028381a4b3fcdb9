"""The stored state of a thread's code interpreter: its session, and the files made in it."""

from assistants.domain.ids import FileId, RunId
from assistants.domain.schema import Object

TTL_SECONDS = 3600  # a session ends itself after an hour
IDLE_SECONDS = 1200  # and after twenty minutes without a request

_REMEMBERED_CALLS = 64
_REMEMBERED_FILES = 300


class StoredSession(Object):
    """A session that is launched or about to be.

    `handle` is known once it has been launched, `address` once it has answered. Times are Unix
    seconds.
    """

    name: str  # identifies its launch
    token: str
    launched_at: int
    used_at: int
    handle: str | None = None
    address: str | None = None
    inputs: dict[str, FileId] = {}  # the input files that it has, by name below /mnt/data
    replaces: bool = False  # an earlier session, whose variables are gone

    @property
    def ends_at(self) -> int:
        return self.launched_at + TTL_SECONDS

    def lasts(self, seconds: float, now: float) -> bool:
        """Return whether it may be alive now, and for `seconds` more if it is used."""
        return now + seconds < self.ends_at and now < self.used_at + IDLE_SECONDS


class CopyLease(Object):
    """The exclusive right of one call to copy files into the session, until a Unix time."""

    run_id: RunId
    call_id: str
    until: int

    def excludes(self, other: "CopyLease", now: int) -> bool:
        """Return whether `other` has to wait.

        Another run never waits: a thread has one run at a time, so the older one has ended.
        """
        same_call = (self.run_id, self.call_id) == (other.run_id, other.call_id)
        return not same_call and self.run_id == other.run_id and now < self.until


class OutputFile(Object):
    """A File made from a file that code wrote."""

    file_id: FileId
    sha256: str | None


class ThreadSandbox(Object):
    """The code interpreter of one thread. Every change returns a new object.

    `sent` maps calls to the name of the session that got their code. `outputs` are the newest
    Files made in any session, by path below /mnt/data. Both forget their oldest entries.
    """

    session: StoredSession | None = None
    variables_lost: bool = False  # with a session that has ended and is not yet replaced
    copy_lease: CopyLease | None = None
    sent: dict[str, str] = {}
    outputs: dict[str, OutputFile] = {}

    def with_session(self, session: StoredSession) -> "ThreadSandbox":
        """Replace the session by a new one."""
        replaces = self.variables_lost or self._has_variables
        new = session.model_copy(update={"replaces": replaces})
        members = {"session": new, "variables_lost": False, "copy_lease": None}
        return self.model_copy(update=members)

    def without_session(self, name: str) -> "ThreadSandbox":
        """Remove the session of that name."""
        if self.session is None or self.session.name != name:
            return self
        lost = self.variables_lost or self.session.replaces or self._has_variables
        members = {"session": None, "variables_lost": lost, "copy_lease": None}
        return self.model_copy(update=members)

    def without_unlaunched(self, name: str) -> "ThreadSandbox":
        """Remove the session of that name, unless another worker has launched it."""
        launched = self.session is not None and self.session.handle is not None
        return self if launched else self.without_session(name)

    def with_members(self, name: str, **members: object) -> "ThreadSandbox":
        """Set members of the session, if it still has that name."""
        if self.session is None or self.session.name != name:
            return self
        return self.model_copy(update={"session": self.session.model_copy(update=members)})

    def with_sent(self, call_id: str, name: str) -> "ThreadSandbox":
        """Record that the session of that name gets a call's code, if it is still the session."""
        if self.session is None or self.session.name != name:
            return self
        sent = {**self.sent, call_id: name}
        newest = dict(list(sent.items())[-_REMEMBERED_CALLS:])
        return self.model_copy(update={"sent": newest, "copy_lease": None})

    def with_outputs(self, made: dict[str, OutputFile]) -> "ThreadSandbox":
        """Add Files by path, in place of older ones of the same path."""
        others = {path: file for path, file in self.outputs.items() if path not in made}
        newest = dict(list({**others, **made}.items())[-_REMEMBERED_FILES:])
        return self.model_copy(update={"outputs": newest})

    @property
    def _has_variables(self) -> bool:
        return self.session is not None and self.session.name in self.sent.values()

"""The code interpreter of a thread, as the service remembers it: its session, and what it made."""

from assistants.domain.ids import FileId, RunId
from assistants.domain.schema import Object

TTL_SECONDS = 3600  # a session ends itself after an hour
IDLE_SECONDS = 1200  # and after twenty minutes without a request

_REMEMBERED_CALLS = 64
_REMEMBERED_FILES = 300


class StoredSession(Object):
    """A session that was launched, or is about to be. `handle` is known once it has been, and
    `address` once it has answered. Times are Unix seconds.
    """

    name: str  # what it was launched by
    token: str
    launched_at: int
    used_at: int
    handle: str | None = None
    address: str | None = None
    inputs: dict[str, str] = {}  # ids of Files by their names below /mnt/data
    replaces: bool = False  # an earlier one, whose variables are gone

    @property
    def ends_at(self) -> int:
        return self.launched_at + TTL_SECONDS

    def lasts(self, seconds: float, now: float) -> bool:
        """Whether it may be alive now, and for so long if it is used."""
        return now + seconds < self.ends_at and now < self.used_at + IDLE_SECONDS


class CopyLease(Object):
    """The call of a run that copies files into the session, until which time at most."""

    run_id: RunId
    call_id: str
    until: int

    def keeps_out(self, other: "CopyLease", now: int) -> bool:
        """A thread has one run at a time: what another run has begun is given up."""
        same = (self.run_id, self.call_id) == (other.run_id, other.call_id)
        return not same and self.run_id == other.run_id and now < self.until


class OutputFile(Object):
    """A File that was made of what code wrote."""

    file_id: FileId
    sha256: str | None


class ThreadSandbox(Object):
    """`sent` maps calls to the name of the session that got their code. `outputs` are the newest
    Files made in any session, by their paths below /mnt/data. Both forget their oldest.
    """

    session: StoredSession | None = None
    forgotten: bool = False  # a session with variables has ended, and another is yet to come
    filling: CopyLease | None = None
    sent: dict[str, str] = {}
    outputs: dict[str, OutputFile] = {}

    def begun(self, session: StoredSession) -> "ThreadSandbox":
        """With a new session."""
        replaces = self.forgotten or self._used
        new = session.model_copy(update={"replaces": replaces})
        return self.model_copy(update={"session": new, "forgotten": False, "filling": None})

    def ended(self, name: str) -> "ThreadSandbox":
        """Without the session of that name."""
        if self.session is None or self.session.name != name:
            return self
        forgotten = self.forgotten or self.session.replaces or self._used
        members = {"session": None, "forgotten": forgotten, "filling": None}
        return self.model_copy(update=members)

    def given_up(self, name: str) -> "ThreadSandbox":
        """Without the session of that name, unless another has launched it."""
        return self if self.session and self.session.handle else self.ended(name)

    def changed(self, name: str, **members: object) -> "ThreadSandbox":
        """With other members of the session, if it is still that one."""
        if self.session is None or self.session.name != name:
            return self
        return self.model_copy(update={"session": self.session.model_copy(update=members)})

    def sending(self, call_id: str, name: str) -> "ThreadSandbox":
        """Before the session of that name gets the code of a call, if it is still that one."""
        if self.session is None or self.session.name != name:
            return self
        sent = {**self.sent, call_id: name}
        newest = dict(list(sent.items())[-_REMEMBERED_CALLS:])
        return self.model_copy(update={"sent": newest, "filling": None})

    def having_made(self, made: dict[str, OutputFile]) -> "ThreadSandbox":
        others = {path: file for path, file in self.outputs.items() if path not in made}
        newest = dict(list({**others, **made}.items())[-_REMEMBERED_FILES:])
        return self.model_copy(update={"outputs": newest})

    @property
    def _used(self) -> bool:
        return self.session is not None and self.session.name in self.sent.values()

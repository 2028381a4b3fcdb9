"""A fake of the sandboxes: machines in memory, which start and die as a test says."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from assistants.ports.sandbox import (
    Execution,
    MadeFile,
    MadeImage,
    SandboxLostError,
    SandboxRefusedError,
    SandboxUnavailableError,
)
from tests.support.fakes import FakeBlobs, FakeClock

PRINTED = Execution(
    ok=True,
    error=None,
    reason=None,
    lost=False,
    generation=1,
    logs="42\n",
    truncated=False,
    images=(),
    files=(),
    skipped=0,
)
PNG = b"\x89PNG\r\n\x1a\n"

Program = Callable[["Machine", str], Execution | None]


def printed(machine: "Machine", code: str) -> Execution:
    return PRINTED


@dataclass
class Machine:
    name: str
    token: str
    files: dict[str, bytes] = field(default_factory=dict)
    images: dict[str, list[bytes]] = field(default_factory=dict)  # by execution
    executed: list[tuple[str, str]] = field(default_factory=list)
    results: dict[str, Execution] = field(default_factory=dict)
    cancelled: list[str] = field(default_factory=list)
    taken: list[str] = field(default_factory=list)
    silent: int = 0  # how often it does not answer before it does
    dead: bool = False

    def write(self, **files: bytes) -> Execution:
        """Return the result of code that has written these files."""
        self.files.update(files)
        made = tuple(MadeFile(path, len(data), f"hash of {data!r}") for path, data in files.items())
        return replace(PRINTED, files=made)


@dataclass
class FakeSandboxes:
    blobs: FakeBlobs
    clock: FakeClock
    program: Program = printed
    machines: dict[str, Machine] = field(default_factory=dict)
    launched: list[str] = field(default_factory=list)
    stopped: list[str] = field(default_factory=list)
    unavailable: int = 0  # how many launches fail
    coming_up: int = 0  # how often an address is asked for before there is one
    take_kills: bool = False  # whether a machine dies when a file is taken from it
    requests: int = 0  # to sessions: on AWS, calls of the proxy

    def launch(self, name: str, token: str) -> str:
        self.launched.append(name)
        if self.unavailable:
            self.unavailable -= 1
            raise SandboxUnavailableError("capacity")
        self.machines.setdefault(name, Machine(name, token))
        return f"task/{name}"

    def address(self, handle: str) -> str | None:
        machine = self._machine(handle)
        if machine is None or machine.dead:
            raise SandboxLostError(handle)
        if self.coming_up:
            self.coming_up -= 1
            return None
        return f"http://{machine.name}"

    def open(self, address: str, token: str) -> "FakeSession":
        return FakeSession(self, address.removeprefix("http://"), token)

    def stop(self, handle: str) -> None:
        self.stopped.append(handle.removeprefix("task/"))
        if machine := self._machine(handle):
            machine.dead = True

    def kill(self) -> None:
        """End all sessions, as machines that fail do."""
        for machine in self.machines.values():
            machine.dead = True

    @property
    def newest(self) -> Machine:
        return list(self.machines.values())[-1]

    def _machine(self, handle: str) -> Machine | None:
        return self.machines.get(handle.removeprefix("task/"))


@dataclass
class FakeSession:
    sandboxes: FakeSandboxes
    name: str
    token: str

    def ready(self, wait: float) -> bool:
        self.sandboxes.requests += 1
        machine = self.sandboxes.machines[self.name]
        if machine.dead:
            self.sandboxes.clock.sleep(wait)
            return False
        if machine.silent:
            machine.silent -= 1
            return False
        return True

    def execute(self, id: str, code: str, *, seconds: float, wait: float) -> Execution | None:
        machine = self._machine()
        if id not in machine.results:
            if id not in [known for known, _ in machine.executed]:
                machine.executed.append((id, code))
            result = self.sandboxes.program(machine, code)
            if machine.dead:
                raise SandboxLostError("connection reset")
            if result is None:
                self.sandboxes.clock.sleep(wait)
                return None
            machine.results[id] = result
        return machine.results[id]

    def cancel(self, id: str) -> None:
        self._machine().cancelled.append(id)

    def put(self, path: str, blob: str, size: int) -> None:
        machine = self._machine()
        data = b"".join(self.sandboxes.blobs.read(blob))
        assert len(data) == size
        machine.files[path] = data

    def take(self, path: str, blob: str) -> int:
        machine = self._machine()
        machine.taken.append(path)
        if self.sandboxes.take_kills:
            machine.dead = True
            raise SandboxLostError(path)
        if path not in machine.files:
            raise SandboxRefusedError("no_such_file")
        return self.sandboxes.blobs.write(blob, [machine.files[path]])

    def take_image(self, id: str, number: int, blob: str) -> int:
        machine = self._machine()
        machine.taken.append(f"image {number}")
        return self.sandboxes.blobs.write(blob, [PNG])

    def _machine(self) -> Machine:
        self.sandboxes.requests += 1
        machine = self.sandboxes.machines[self.name]
        if machine.dead or machine.token != self.token:
            raise SandboxLostError(self.name)
        return machine


def plotted(machine: Machine, code: str) -> Execution:
    """Shows one image."""
    return replace(PRINTED, images=(MadeImage("image/png", len(PNG)),))

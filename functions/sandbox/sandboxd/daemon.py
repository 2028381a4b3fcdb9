"""The daemon of one session: directories, kernel, HTTP server and lifetime."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from . import linux, namespaces
from .executions import ExecutionQueue
from .files import DataDirectory
from .http_server import Server
from .identity import Identity
from .lifetime import Lifetime
from .protection import Protection
from .routes import Routes
from .settings import DaemonSettings
from .supervisor import Supervisor
from .workspace import DATA, SCRATCH, Workspace

_TICK_SECONDS = 0.25
_EXIT_BROKEN = 70
_PACKAGE_ROOT = Path(__file__).parent.parent


def log(event: str, **details: object) -> None:
    """Write one line of JSON about a change of state, without any user's data."""
    # The reader of the log may have gone; the session must still end properly.
    with suppress(BrokenPipeError):
        print(json.dumps({"event": event, **details}), flush=True)


def secure(settings: DaemonSettings) -> tuple[Workspace, bool]:
    """Prepare this process and its directories; return whether the view is private.

    Raises PermissionError for root without SANDBOX_UID, and for SANDBOX_UID without root.
    """
    root = os.getuid() == 0
    if root != (settings.uid is not None):
        raise PermissionError("SANDBOX_UID is needed as root, and only then")
    identity = Identity(settings.uid)
    visible = [Path(sys.prefix), Path(sys.base_prefix), _PACKAGE_ROOT]
    workspace = Workspace(settings.work, settings.scratch, shared_memory=root)
    for directory in (settings.work, settings.scratch):
        directory.mkdir(parents=True, exist_ok=True)
    # In a container the directories already have the names that the code knows.
    private = settings.work != DATA and namespaces.available(
        settings.work, settings.scratch, visible
    )
    if private:
        namespaces.enter(settings.work, settings.scratch, visible)
        workspace = Workspace(DATA, SCRATCH, shared_memory=True)
    if root:
        os.setgroups([])
    workspace.prepare(identity)
    return workspace, private


def close_to_other_processes(private: bool) -> None:
    """Keep the daemon's memory to itself and adopt what its kernels leave."""
    # Interrupts are for the code. As the first process of its view the daemon receives no other
    # signal that code could send.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Linux reaps children itself then: orphans left as zombies would count in RLIMIT_NPROC.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    if not linux.ON_LINUX:
        return
    linux.prctl(linux.PR_SET_DUMPABLE, 0)
    linux.prctl(linux.PR_SET_CHILD_SUBREAPER, 1)
    if private:
        # With the process that stays outside of the view. File identities clear this request.
        linux.prctl(linux.PR_SET_PDEATHSIG, signal.SIGKILL)


class Daemon:
    """The parts of one session, assembled."""

    def __init__(self, settings: DaemonSettings) -> None:
        """Listen, without a kernel yet."""
        self._settings = settings
        self._workspace, self._private = secure(settings)
        files = DataDirectory(self._workspace.data, Identity(settings.uid))
        self._supervisor = Supervisor(settings, self._workspace, files)
        self._executions = ExecutionQueue(self._supervisor)
        self._lifetime = Lifetime(settings.ttl_seconds, settings.idle_seconds)
        self._routes = Routes(self._executions, files, self._lifetime, self._health)
        self._launcher_gone = threading.Event()
        address = (settings.host, settings.port)
        self._server = Server(address, settings.token_sha256, self._routes.handle)
        close_to_other_processes(self._private)

    def serve(self) -> None:
        """Run until the session is over, then end the process and all of the sandbox."""
        log("listening", port=self._server.server_address[1])
        _start(self._executions.serve)
        _start(self._server.serve_forever)
        _start(self._announce)
        if self._settings.exit_with_stdin:
            _start(self._await_launcher)
        while (ending := self._ending()) is None:
            self._server.disconnect_strangers()
            time.sleep(_TICK_SECONDS)
        log("ending", reason=ending)
        self._supervisor.kill()
        self._workspace.empty(Identity(self._settings.uid))
        os._exit(0)

    def _ending(self) -> str | None:
        if self._executions.busy:
            self._lifetime.use()
        if self._routes.ended:
            return "asked"
        return "launcher" if self._launcher_gone.is_set() else self._lifetime.over

    def _announce(self) -> None:
        self._executions.ready.wait()
        log("ready", **self._health())

    def _await_launcher(self) -> None:
        while os.read(sys.stdin.fileno(), 1):
            continue
        self._launcher_gone.set()

    def _health(self) -> dict[str, Any]:
        protection = Protection(
            own_user=self._settings.uid is not None,
            private_view=self._private,
            landlock=self._supervisor.landlock,
        )
        return {
            "ready": self._executions.ready.is_set(),
            "busy": self._executions.busy,
            "generation": self._supervisor.generation,
            "seconds_left": round(self._lifetime.seconds_left),
            "protection": protection.to_json(),
        }


def _start(work: Callable[[], None]) -> None:
    """Run a part of the session in a thread; the session cannot do without any of them."""

    def run() -> None:
        try:
            work()
        except BaseException:
            traceback.print_exc()
            os._exit(_EXIT_BROKEN)

    threading.Thread(target=run, daemon=True).start()

"""Code interpreter sessions where there is no ECS: processes of this one."""

import threading

from assistants.adapters.sandbox.client import SandboxClient
from assistants.adapters.sandbox.direct_session import DirectSession
from assistants.ports.blobs import Blobs
from assistants.ports.sandbox import SandboxLostError, SandboxUnavailableError
from infra.local.process_sandbox import (
    ProcessSandbox,
    ProcessSession,
    SandboxLaunchError,
)


class ProcessSandboxes:
    """Implements `Sandboxes`; a handle is the name that a session was launched by."""

    def __init__(self, sandbox: ProcessSandbox, blobs: Blobs) -> None:
        self._sandbox = sandbox
        self._blobs = blobs
        self._sessions: dict[str, ProcessSession] = {}
        self._launching = threading.Lock()

    def launch(self, name: str, token: str) -> str:
        with self._launching:
            if name not in self._sessions:
                try:
                    self._sessions[name] = self._sandbox.launch(token)
                except SandboxLaunchError as error:
                    raise SandboxUnavailableError(str(error)) from error
        return name

    def address(self, handle: str) -> str | None:
        session = self._sessions.get(handle)
        if session is None or session.process.poll() is not None:
            raise SandboxLostError(handle)
        return session.base_url

    def open(self, address: str, token: str) -> DirectSession:
        return DirectSession(SandboxClient(address, token), self._blobs)

    def stop(self, handle: str) -> None:
        if session := self._sessions.pop(handle, None):
            session.end()

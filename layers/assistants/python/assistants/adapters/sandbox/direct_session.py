"""A code interpreter session in the same network; files are streamed between it and blobs."""

import time

from assistants.adapters.sandbox.client import ExecutionResult, NoAnswerError, SandboxClient
from assistants.ports.blobs import Blobs
from assistants.ports.sandbox import Execution, MadeImage, SandboxRefusedError

_RETRY_SECONDS = 0.1


class DirectSession:
    """Implement `SandboxSession`."""

    def __init__(self, client: SandboxClient, blobs: Blobs) -> None:
        self._client = client
        self._blobs = blobs

    def ready(self, wait: float) -> bool:
        give_up = time.monotonic() + wait
        while True:
            try:
                self._client.health()
            except NoAnswerError:
                if time.monotonic() >= give_up:
                    return False
                time.sleep(_RETRY_SECONDS)
            else:
                return True

    def execute(self, id: str, code: str, *, seconds: float, wait: float) -> Execution | None:
        result = self._client.start({"id": id, "code": code, "timeout": seconds, "wait": wait})
        return None if result is None else _execution(result)

    def cancel(self, id: str) -> None:
        self._client.cancel(id)

    def put(self, path: str, blob: str, size: int) -> None:
        self._client.store(path, self._blobs.read(blob), size)

    def take(self, path: str, blob: str) -> int:
        with self._client.fetch(path) as pieces:
            return self._blobs.write(blob, pieces)

    def take_image(self, id: str, number: int, blob: str) -> int:
        result = self._client.result(id, wait_seconds=0)
        if result is None or number >= len(result.images):
            raise SandboxRefusedError("no_such_image")
        return self._blobs.write(blob, [result.images[number].data])


def _execution(result: ExecutionResult) -> Execution:
    return Execution(
        ok=result.ok,
        error=result.error,
        reason=result.reason,
        lost=result.lost,
        generation=result.generation,
        logs=result.logs,
        truncated=result.truncated,
        images=tuple(MadeImage(image.mime, len(image.data)) for image in result.images),
        files=result.files,
        skipped=result.skipped,
    )

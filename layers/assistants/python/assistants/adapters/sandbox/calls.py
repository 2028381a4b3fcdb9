"""Calls of a code interpreter session as JSON, for the Lambda function in its network.

An exception of the port is returned as a value. As an error of the function it would be logged
along with the input, which contains the token.
"""

from collections.abc import Callable
from dataclasses import asdict
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints, TypeAdapter

from assistants.ports.blobs import BlobMissingError
from assistants.ports.sandbox import (
    MAX_WAIT_SECONDS,
    Execution,
    SandboxLostError,
    SandboxRefusedError,
    SandboxSession,
)

EXECUTION: TypeAdapter[Execution | None] = TypeAdapter(Execution | None)

Wait = Annotated[float, Field(ge=0, le=MAX_WAIT_SECONDS)]
# The only blobs that sessions may read and write.
FileBlob = Annotated[str, StringConstraints(pattern=r"^files/[^/]+/[^/]+$")]


class _Message(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class ReadyCall(_Message):
    method: Literal["ready"] = "ready"
    wait: Wait

    def on(self, session: SandboxSession) -> bool:
        return session.ready(self.wait)


class ExecuteCall(_Message):
    method: Literal["execute"] = "execute"
    id: str
    code: str
    seconds: Annotated[float, Field(ge=0)]
    wait: Wait

    def on(self, session: SandboxSession) -> dict[str, Any] | None:
        found = session.execute(self.id, self.code, seconds=self.seconds, wait=self.wait)
        return None if found is None else asdict(found)


class CancelCall(_Message):
    method: Literal["cancel"] = "cancel"
    id: str

    def on(self, session: SandboxSession) -> None:
        session.cancel(self.id)


class PutCall(_Message):
    method: Literal["put"] = "put"
    path: str
    blob: FileBlob
    size: int

    def on(self, session: SandboxSession) -> None:
        session.put(self.path, self.blob, self.size)


class TakeCall(_Message):
    method: Literal["take"] = "take"
    path: str
    blob: FileBlob

    def on(self, session: SandboxSession) -> int:
        return session.take(self.path, self.blob)


class TakeImageCall(_Message):
    method: Literal["take_image"] = "take_image"
    id: str
    number: Annotated[int, Field(ge=0)]
    blob: FileBlob

    def on(self, session: SandboxSession) -> int:
        return session.take_image(self.id, self.number, self.blob)


SandboxCall = ReadyCall | ExecuteCall | CancelCall | PutCall | TakeCall | TakeImageCall


class SandboxRequest(_Message):
    """A call of the session at an address."""

    address: Annotated[str, StringConstraints(pattern=r"^http://[0-9.]+:[0-9]+$")]
    token: SecretStr
    call: Annotated[SandboxCall, Field(discriminator="method")]

    def to_json(self) -> dict[str, Any]:
        return {**self.model_dump(), "token": self.token.get_secret_value()}


def answer(open: Callable[[str, str], SandboxSession], event: dict[str, Any]) -> dict[str, Any]:
    """Run the call of a request. Raises `ValidationError`, whose message omits the input."""
    request = SandboxRequest.model_validate(event)
    session = open(request.address, request.token.get_secret_value())
    try:
        return {"value": request.call.on(session)}
    except SandboxLostError as error:
        return {"lost": str(error)}
    except SandboxRefusedError as error:
        return {"refused": error.code}
    except BlobMissingError as error:
        return {"missing": str(error)}


def value_of(answer: dict[str, Any]) -> Any:
    """Return the value of a call, or raise its exception."""
    match answer:
        case {"value": value}:
            return value
        case {"lost": str(why)}:
            raise SandboxLostError(why)
        case {"refused": str(code)}:
            raise SandboxRefusedError(code)
        case {"missing": str(blob)}:
            raise BlobMissingError(blob)
    raise ValueError("the sandbox proxy answered something else")

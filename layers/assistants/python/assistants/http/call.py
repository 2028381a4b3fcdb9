"""The arguments and the return values of endpoints: `Call` and `Reply`."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from pydantic_core import from_json

from assistants.domain.errors import InvalidRequestError
from assistants.domain.ids import (
    FileId,
    I,
    IdKind,
    ProjectId,
    RunId,
    RunRef,
    ThreadId,
    VectorStoreId,
    new_order,
)
from assistants.domain.schema import Object, Request
from assistants.http.multipart import MultipartForm
from assistants.http.validation import parse, parse_form, parse_query
from assistants.services.backend import Backend

R = TypeVar("R", bound=Request)


@dataclass(frozen=True)
class EventStream:
    """A response in frames of `text/event-stream`."""

    frames: Iterator[bytes]


@dataclass(frozen=True)
class Download:
    """A file to be saved by the client, in pieces."""

    filename: str
    mime_type: str
    pieces: Iterator[bytes]


@dataclass(frozen=True)
class Redirect:
    """A temporary redirect."""

    url: str


Reply = Object | EventStream | Download | Redirect | dict[str, Any]
Endpoint = Callable[..., Reply]


@dataclass(frozen=True)
class Call:
    """A request of one project. Its path, query and body are not validated yet."""

    backend: Backend
    project: ProjectId
    target: str  # method and URL
    path: Mapping[str, str]
    query: Mapping[str, list[str]] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes = b""
    form: MultipartForm | None = None  # instead of `content`
    order: str | None = None  # of the object it creates, if its `Idempotency-Key` fixes one

    @property
    def thread_id(self) -> ThreadId:
        return ThreadId(self.path["thread_id"])

    @property
    def run(self) -> RunRef:
        return RunRef(self.project, self.thread_id, RunId(self.path["run_id"]))

    @property
    def vector_store_id(self) -> VectorStoreId:
        return VectorStoreId(self.path["vector_store_id"])

    @property
    def file_id(self) -> FileId:
        return FileId(self.path["file_id"])

    def body(self, schema: type[R]) -> R:
        """Parse the body. Raises `InvalidRequestError` for bad JSON or what `schema` refuses."""
        if self.form is not None:
            return parse_form(schema, self.form.members)
        return parse(schema, self._json())

    def claimed(self) -> "Call":
        """Bind a POST to its `Idempotency-Key`, if it has one, and return it.

        Raises `InvalidRequestError` when the key was used with another request.
        """
        key = self.headers.get("idempotency-key")
        if not key or not self.target.startswith("POST "):
            return self
        content = self.content if self.form is None else self.form.fingerprint()
        request = f"{self.target}\n".encode() + content
        return replace(
            self, order=self.backend.storage.idempotency.claim(self.project, key, request)
        )

    def new_id(self, kind: IdKind[I]) -> I:
        """Return the id of the object that this request creates, always the same per key."""
        return kind.with_order(self.order or new_order())

    def parameters(self, schema: type[R]) -> R:
        """Parse the query. Raises `InvalidRequestError` for what `schema` refuses."""
        return parse_query(schema, self.query)

    def _json(self) -> Any:
        if not self.content.strip():
            return {}
        try:  # json.loads accepts NaN and lone surrogates, which a response cannot contain
            return from_json(self.content, allow_inf_nan=False)
        except ValueError as error:
            raise InvalidRequestError(
                "We could not parse the JSON body of your request. (HINT: This likely means you "
                "aren't using your HTTP library correctly. The API expects a JSON payload, but "
                "what was sent was not valid JSON.)"
            ) from error

"""What an endpoint sees of a request, and what it may answer with."""

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
    """An answer that arrives piece by piece: frames of `text/event-stream`."""

    frames: Iterator[bytes]


@dataclass(frozen=True)
class Download:
    """Bytes that arrive piece by piece, to be saved as a file."""

    filename: str
    mime_type: str
    pieces: Iterator[bytes]


@dataclass(frozen=True)
class Redirect:
    """What was asked for is at another URL, for a while."""

    url: str


Reply = Object | EventStream | Download | Redirect | dict[str, Any]
Endpoint = Callable[..., Reply]


@dataclass(frozen=True)
class Call:
    """A request of one project: path members, query members and the body, not yet trusted."""

    backend: Backend
    project: ProjectId
    target: str  # method and URL
    path: Mapping[str, str]
    query: Mapping[str, list[str]] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes = b""
    form: MultipartForm | None = None  # instead of `content`
    order: str | None = None  # of what it makes, if its `Idempotency-Key` stands for one

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
        """Raises `InvalidRequestError` for malformed JSON and for everything `schema` refuses."""
        if self.form is not None:
            return parse_form(schema, self.form.members)
        return parse(schema, self._json())

    def claimed(self) -> "Call":
        """The request, bound to its `Idempotency-Key` if it is a POST that has one.

        Raises `InvalidRequestError` when the key came with another request.
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
        """The id for what this request makes: always the same one under one `Idempotency-Key`."""
        return kind.with_order(self.order or new_order())

    def parameters(self, schema: type[R]) -> R:
        """The query members. Raises `InvalidRequestError` for everything `schema` refuses."""
        return parse_query(schema, self.query)

    def _json(self) -> Any:
        if not self.content.strip():
            return {}
        try:  # strictly: what json.loads lets pass (NaN, half a surrogate) could not be sent back
            return from_json(self.content, allow_inf_nan=False)
        except ValueError as error:
            raise InvalidRequestError(
                "We could not parse the JSON body of your request. (HINT: This likely means you "
                "aren't using your HTTP library correctly. The API expects a JSON payload, but "
                "what was sent was not valid JSON.)"
            ) from error

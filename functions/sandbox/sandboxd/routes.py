"""The daemon's HTTP interface: executions, files, health, and the end of the session.

    POST   /v1/exec {id, code, timeout, wait}   200 with the result, or 202 while it is running;
                                                the same id never runs twice
    GET    /v1/exec/{id}?wait=25                the same, for an execution sent before
    POST   /v1/exec/{id}/cancel                 interrupts it, or keeps it from starting
    PUT    /v1/files/{name}                     writes /mnt/data/{name}
    GET    /v1/files/{name}                     reads it
    GET    /v1/health                           ready, busy, generation, seconds_left, protection
    DELETE /v1/session                          ends everything

A result has the members of `result.Result`; a refusal is `{"error": {"code": ...}}`.
Every request needs `Authorization: Bearer <token>`.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Callable
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs, urlsplit

from . import names
from .executions import (
    ExecutionConflictError,
    ExecutionGoneError,
    ExecutionQueue,
    QueuedExecution,
    SessionFullError,
)
from .files import MAX_FILE_BYTES, DataDirectory, NotARegularFileError, ShortBodyError
from .http_server import HttpError, RequestHandler
from .lifetime import Lifetime

MAX_CODE_BYTES = 1 << 20
MAX_SECONDS = 600.0
MAX_WAIT_SECONDS = 25.0
DEFAULT_SECONDS = 120.0
_MAX_BODY_BYTES = 6 * MAX_CODE_BYTES + 4096  # JSON may write one byte as \u00XX
_EXECUTION_ID = re.compile(r"[A-Za-z0-9_.:-]{1,128}")

Health = Callable[[], dict[str, Any]]


class Routes:
    """The operations of a session, for clients that have its token."""

    def __init__(
        self, executions: ExecutionQueue, files: DataDirectory, lifetime: Lifetime, health: Health
    ) -> None:
        """Serve these parts of the session."""
        self._executions, self._files = executions, files
        self._lifetime, self._health = lifetime, health
        self.ended = False

    def handle(self, request: RequestHandler) -> None:
        """Answer one authorized request. Raises HttpError."""
        self._lifetime.use()
        url = urlsplit(request.path)
        match url.path.split("/"):
            case ["", "v1", "exec", *rest]:
                self._handle_execution(request, rest, url.query)
            case ["", "v1", "files", *name]:
                self._handle_file(request, "/".join(name))
            case ["", "v1", *rest]:
                self._handle_session(request, rest)
            case _:
                raise _unknown_route()

    def _handle_execution(self, request: RequestHandler, rest: list[str], query: str) -> None:
        match (request.command, *rest):
            case ("POST",):
                self._execute(request)
            case ("GET", execution_id):
                self._follow(request, execution_id, query)
            case ("POST", execution_id, "cancel"):
                self._find(execution_id).cancelled.set()
                request.reply(HTTPStatus.ACCEPTED, {"id": execution_id})
            case _:
                raise _unknown_route()

    def _handle_file(self, request: RequestHandler, quoted: str) -> None:
        match request.command:
            case "PUT":
                self._store(request, _file_name(quoted))
            case "GET":
                self._fetch(request, _file_name(quoted))
            case _:
                raise _unknown_route()

    def _handle_session(self, request: RequestHandler, rest: list[str]) -> None:
        match (request.command, *rest):
            case ("GET", "health"):
                request.reply(HTTPStatus.OK, self._health())
            case ("DELETE", "session"):
                self.ended = True
                request.reply(HTTPStatus.ACCEPTED, {})
            case _:
                raise _unknown_route()

    def _execute(self, request: RequestHandler) -> None:
        body = request.read_json(_MAX_BODY_BYTES)
        execution_id, code = body.get("id"), body.get("code")
        if not isinstance(execution_id, str) or not _EXECUTION_ID.fullmatch(execution_id):
            raise HttpError(HTTPStatus.BAD_REQUEST, "invalid_id")
        if not isinstance(code, str) or not _is_text(code):
            raise HttpError(HTTPStatus.BAD_REQUEST, "invalid_code")
        seconds = _seconds(body.get("timeout", DEFAULT_SECONDS), MAX_SECONDS)
        wait = _seconds(body.get("wait", 0), MAX_WAIT_SECONDS)
        try:
            execution = self._executions.submit(execution_id, code, seconds)
        except ExecutionConflictError as error:
            raise HttpError(HTTPStatus.CONFLICT, "id_used_for_other_code") from error
        except SessionFullError as error:
            raise HttpError(HTTPStatus.TOO_MANY_REQUESTS, "session_full") from error
        self._answer(request, execution_id, execution, wait)

    def _follow(self, request: RequestHandler, execution_id: str, query: str) -> None:
        values = parse_qs(query).get("wait", ["0"])
        wait = _seconds(values[-1], MAX_WAIT_SECONDS)
        self._answer(request, execution_id, self._find(execution_id), wait)

    def _find(self, execution_id: str) -> QueuedExecution:
        try:
            return self._executions.find(execution_id)
        except KeyError as error:
            raise HttpError(HTTPStatus.NOT_FOUND, "unknown_execution") from error

    def _answer(
        self, request: RequestHandler, execution_id: str, execution: QueuedExecution, wait: float
    ) -> None:
        try:
            result = execution.wait(wait)
        except ExecutionGoneError as error:
            raise HttpError(HTTPStatus.GONE, "result_gone") from error
        self._lifetime.use()
        if result is None:
            request.reply(HTTPStatus.ACCEPTED, {"id": execution_id})
        else:
            request.reply(HTTPStatus.OK, result.to_json())

    def _store(self, request: RequestHandler, name: tuple[str, ...]) -> None:
        size = request.body_bytes
        if size > MAX_FILE_BYTES:
            raise HttpError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too_large")
        try:
            self._files.store(name, request.rfile.read, size)
        except (ConnectionError, TimeoutError):
            raise
        except ShortBodyError as error:
            raise HttpError(HTTPStatus.BAD_REQUEST, "short_body") from error
        except OSError as error:
            full = error.errno == errno.ENOSPC
            status = HTTPStatus.INSUFFICIENT_STORAGE if full else HTTPStatus.CONFLICT
            raise HttpError(status, "cannot_store") from error
        request.reply(HTTPStatus.CREATED, {"path": "/".join(name), "size": size})

    def _fetch(self, request: RequestHandler, name: tuple[str, ...]) -> None:
        try:
            file = self._files.open(name)
        except NotARegularFileError as error:
            raise HttpError(HTTPStatus.NOT_FOUND, "not_a_regular_file") from error
        except OSError as error:
            raise HttpError(HTTPStatus.NOT_FOUND, "no_such_file") from error
        with file:
            request.reply_file(file, os.fstat(file.fileno()).st_size)


def _unknown_route() -> HttpError:
    return HttpError(HTTPStatus.NOT_FOUND, "unknown_route")


def _file_name(quoted: str) -> tuple[str, ...]:
    try:
        return names.from_url(quoted)
    except names.InvalidNameError as error:
        raise HttpError(HTTPStatus.BAD_REQUEST, "invalid_name") from error


def _is_text(code: str) -> bool:
    try:
        return len(code.encode()) <= MAX_CODE_BYTES
    except UnicodeEncodeError:
        return False


def _seconds(value: object, most: float) -> float:
    """Parse a number of seconds up to `most`. Raises HttpError."""
    try:
        seconds = float(str(value))
    except ValueError:
        seconds = -1
    if not 0 <= seconds <= most:
        raise HttpError(HTTPStatus.BAD_REQUEST, "invalid_seconds")
    return seconds

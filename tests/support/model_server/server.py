"""The HTTP server that plays scripts; one thread for each connection, nothing buffered."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from http.server import ThreadingHTTPServer
from itertools import count
from threading import Event, Lock, Thread
from types import TracebackType
from typing import Any, Self

from tests.support.model_server.exchange import Exchange, Request
from tests.support.model_server.script import Answer, HttpError, Part, Turn


@dataclass
class ScriptedModel:
    """A model name that one test owns, what it answers, and every request made to it."""

    name: str
    answer: Callable[[dict[str, Any]], Answer]
    requests: list[Request] = field(default_factory=list)


class ModelServer:
    """An OpenAI-compatible provider on a free loopback port, for the length of a `with`."""

    def __init__(self) -> None:
        self._models: dict[str, ScriptedModel] = {}
        self._numbers = count(1)
        self._gates: list[Event] = []
        self._lock = Lock()
        self._http = _HttpServer(("127.0.0.1", 0), partial(Exchange, self._receive, self._wait))
        self._thread = Thread(target=self._http.serve_forever, args=(0.02,), daemon=True)

    @property
    def url(self) -> str:
        """The base URL that clients are given."""
        return f"http://127.0.0.1:{self._http.server_port}/v1"

    def script(self, *answers: Answer | Part) -> ScriptedModel:
        """Add a model that gives these answers, one for each request, and then answers 400."""
        turns = [part if isinstance(part, Answer) else Turn(part) for part in answers]
        remaining = iter(turns)
        ended = HttpError(400, f"The script had {len(turns)} answers and was asked for one more.")
        return self.model(lambda _body: next(remaining, ended))

    def model(self, answer: Callable[[dict[str, Any]], Answer]) -> ScriptedModel:
        """Add a model that computes each answer from the request's body."""
        model = ScriptedModel(f"scripted-{next(self._numbers)}", answer)
        self._models[model.name] = model
        return model

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for gate in self._gates:
            gate.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def _receive(self, request: Request) -> Answer:
        model = self._models.get(str(request.body.get("model")))
        if model is None:
            return HttpError(404, f"The model `{request.body.get('model')}` does not exist.")
        with self._lock:
            model.requests.append(request)
            return model.answer(request.body)

    def _wait(self, gate: Event) -> None:
        with self._lock:
            self._gates.append(gate)
        gate.wait()


class _HttpServer(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

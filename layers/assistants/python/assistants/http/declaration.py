"""What an endpoint's signature declares: the schemas of its body and query, and its answer.

The same declarations validate requests and make the OpenAPI document, so the two cannot differ.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, get_type_hints

from assistants.domain.schema import Form, Request
from assistants.http.call import Call, Reply


class Nothing(Request):
    """No members: whoever sends one is told so."""


@dataclass(frozen=True)
class Declaration:
    endpoint: Callable[..., Reply]
    body: type[Request] | None
    query: type[Request] | None
    answer: Any

    @classmethod
    def of(cls, endpoint: Callable[..., Reply]) -> "Declaration":
        """Of `endpoint(call, [body: Schema], [query: Schema]) -> Answer`."""
        hints = get_type_hints(endpoint)
        return cls(endpoint, hints.get("body"), hints.get("query"), hints["return"])

    @property
    def form(self) -> type[Form] | None:
        """The schema of the body, if it comes as a form."""
        return self.body if self.body is not None and issubclass(self.body, Form) else None

    def answer_to(self, call: Call) -> Reply:
        """Raises `InvalidRequestError` for everything that the declared schemas refuse."""
        query = call.parameters(self.query or Nothing)
        arguments: dict[str, Request] = {} if self.query is None else {"query": query}
        if self.body is not None:
            arguments["body"] = call.body(self.body)
        elif call.content:
            call.body(Nothing)
        return self.endpoint(call.claimed(), **arguments)

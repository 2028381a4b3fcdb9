"""Declarations: the schemas of an endpoint's body, query and answer, read from its signature.

The same declarations validate requests and make the OpenAPI document, so the two cannot differ.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, get_type_hints

from assistants.domain.schema import Form, Request
from assistants.http.call import Call, Reply


class NoMembers(Request):
    """The schema of an absent body or query."""


@dataclass(frozen=True)
class Declaration:
    endpoint: Callable[..., Reply]
    body: type[Request] | None
    query: type[Request] | None
    answer: Any

    @classmethod
    def from_endpoint(cls, endpoint: Callable[..., Reply]) -> "Declaration":
        """Read `endpoint(call, [body: Schema], [query: Schema]) -> Answer`."""
        hints = get_type_hints(endpoint)
        return cls(endpoint, hints.get("body"), hints.get("query"), hints["return"])

    @property
    def form(self) -> type[Form] | None:
        """Return the schema of the body if it is a form."""
        return self.body if self.body is not None and issubclass(self.body, Form) else None

    def answer_to(self, call: Call) -> Reply:
        """Validate the call and run the endpoint. Raises `InvalidRequestError`."""
        query = call.parameters(self.query or NoMembers)
        arguments: dict[str, Request] = {} if self.query is None else {"query": query}
        if self.body is not None:
            arguments["body"] = call.body(self.body)
        elif call.content:
            call.body(NoMembers)
        return self.endpoint(call.claimed(), **arguments)

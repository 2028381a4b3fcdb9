"""The OpenAPI document, generated from the declarations that validate requests."""

import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from assistants.domain.schema import Object
from assistants.http.call import Download, EventStream
from assistants.http.declaration import Declaration
from assistants.http.route import Route

_REFERENCE = "#/components/schemas/{model}"
_PATH_MEMBER = re.compile(r"{(\w+)}")

JsonObject = dict[str, Any]
Schemas = Mapping[tuple[Any, JsonSchemaMode], JsonObject]


class ErrorDetails(Object):
    message: str
    type: str
    param: str | None
    code: str | None


class Error(Object):
    """The body of every error."""

    error: ErrorDetails


@cache
def document(routes: Sequence[Route]) -> JsonObject:
    """Return OpenAPI 3.1 with every schema that the routes declare."""
    declared = [(route, Declaration.from_endpoint(route.endpoint)) for route in routes]
    schemas, definitions = models_json_schema(
        sorted(_models(declared), key=lambda one: (one[0].__name__, one[1])),
        ref_template=_REFERENCE,
    )
    paths: dict[str, JsonObject] = {}
    for route, declaration in declared:
        operation = _operation(route, declaration, schemas)
        paths.setdefault(route.path, {})[route.method.lower()] = operation
    return {
        "openapi": "3.1.0",
        "info": {"title": "Serverless Assistants", "version": "2"},
        "servers": [{"url": "/v1"}],
        "security": [{"key": []}],
        "paths": paths,
        "components": {
            "schemas": definitions["$defs"],
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
    }


def _models(
    declared: Sequence[tuple[Route, Declaration]],
) -> set[tuple[type[BaseModel], JsonSchemaMode]]:
    models: set[tuple[type[BaseModel], JsonSchemaMode]] = {(Error, "serialization")}
    for _, declaration in declared:
        models |= {(answer, "serialization") for answer in _objects(declaration.answer)}
        if declaration.body is not None:
            models.add((declaration.body, "validation"))
    return models


def _objects(answer: Any) -> list[type[Object]]:
    kinds = get_args(answer) or (answer,)
    if isinstance(answer, type) and issubclass(answer, Object):
        kinds = (answer,)
    return [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, Object)]


def _operation(route: Route, declaration: Declaration, schemas: Schemas) -> JsonObject:
    endpoint = declaration.endpoint
    module = endpoint.__module__.rsplit(".", 1)[-1]
    operation: JsonObject = {
        "operationId": f"{module}.{endpoint.__name__.rstrip('_')}",
        "parameters": [*_path_parameters(route.path), *_query_parameters(declaration)],
        "responses": {
            "200": {"description": "OK", "content": _content(declaration, schemas)},
            "default": {
                "description": "An error",
                "content": _json(schemas[Error, "serialization"]),
            },
        },
    }
    if endpoint.__doc__:
        operation["description"] = " ".join(endpoint.__doc__.split())
    if declaration.body is not None:
        kind = "multipart/form-data" if declaration.form else "application/json"
        body = {"schema": schemas[declaration.body, "validation"]}
        operation["requestBody"] = {"content": {kind: body}}
    if route.public:
        operation["security"] = []
    return operation


def _content(declaration: Declaration, schemas: Schemas) -> JsonObject:
    content: JsonObject = {}
    for answer in _objects(declaration.answer):
        content |= _json(schemas[answer, "serialization"])
    answers = (declaration.answer, *get_args(declaration.answer))
    if EventStream in answers:
        content["text/event-stream"] = {"schema": {"type": "string"}}
    if Download in answers:
        content["application/octet-stream"] = {"schema": {"type": "string", "format": "binary"}}
    return content or _json({"type": "object"})


def _json(schema: JsonObject) -> JsonObject:
    return {"application/json": {"schema": schema}}


def _path_parameters(path: str) -> list[JsonObject]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in _PATH_MEMBER.findall(path)
    ]


def _query_parameters(declaration: Declaration) -> list[JsonObject]:
    if declaration.query is None:
        return []
    schema = declaration.query.model_json_schema()
    return [
        {"name": name, "in": "query", "required": False, "schema": member}
        for name, member in schema["properties"].items()
    ]

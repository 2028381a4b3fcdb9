"""The one route table: the ASGI app serves it, the CDK makes the gateway's resources from it."""

from typing import Any

from assistants.http.call import Call
from assistants.http.endpoints import (
    assistants,
    files,
    messages,
    models,
    run_steps,
    runs,
    threads,
    uploads,
)
from assistants.http.openapi import document
from assistants.http.route import Route


def openapi(_: Call) -> dict[str, Any]:
    """This document."""
    return document(ROUTES)


ROUTES = (
    Route("POST", "/assistants", assistants.create),
    Route("GET", "/assistants", assistants.list_),
    Route("GET", "/assistants/{assistant_id}", assistants.get),
    Route("POST", "/assistants/{assistant_id}", assistants.modify),
    Route("DELETE", "/assistants/{assistant_id}", assistants.delete),
    Route("POST", "/threads", threads.create),
    Route("GET", "/threads", threads.list_),
    Route("POST", "/threads/runs", runs.create_with_thread, streams=True),
    Route("GET", "/threads/{thread_id}", threads.get),
    Route("POST", "/threads/{thread_id}", threads.modify),
    Route("DELETE", "/threads/{thread_id}", threads.delete),
    Route("POST", "/threads/{thread_id}/messages", messages.create),
    Route("GET", "/threads/{thread_id}/messages", messages.list_),
    Route("GET", "/threads/{thread_id}/messages/{message_id}", messages.get),
    Route("POST", "/threads/{thread_id}/messages/{message_id}", messages.modify),
    Route("DELETE", "/threads/{thread_id}/messages/{message_id}", messages.delete),
    Route("POST", "/threads/{thread_id}/runs", runs.create, streams=True),
    Route("GET", "/threads/{thread_id}/runs", runs.list_),
    Route("GET", "/threads/{thread_id}/runs/{run_id}", runs.get),
    Route("POST", "/threads/{thread_id}/runs/{run_id}", runs.modify),
    Route("POST", "/threads/{thread_id}/runs/{run_id}/cancel", runs.cancel),
    Route(
        "POST",
        "/threads/{thread_id}/runs/{run_id}/submit_tool_outputs",
        runs.submit_tool_outputs,
        streams=True,
    ),
    Route("GET", "/threads/{thread_id}/runs/{run_id}/events", runs.events, streams=True),
    Route("GET", "/threads/{thread_id}/runs/{run_id}/steps", run_steps.list_),
    Route("GET", "/threads/{thread_id}/runs/{run_id}/steps/{step_id}", run_steps.get),
    Route("POST", "/files", files.create),
    Route("GET", "/files", files.list_),
    Route("GET", "/files/{file_id}", files.get),
    Route("DELETE", "/files/{file_id}", files.delete),
    Route("GET", "/files/{file_id}/content", files.content, streams=True),
    Route("POST", "/uploads", uploads.create),
    Route("POST", "/uploads/{upload_id}/parts", uploads.add_part),
    Route("POST", "/uploads/{upload_id}/direct_parts", uploads.add_direct_part),
    Route("POST", "/uploads/{upload_id}/complete", uploads.complete, streams=True),
    Route("POST", "/uploads/{upload_id}/cancel", uploads.cancel),
    Route("GET", "/models", models.list_),
    Route("GET", "/models/{model}", models.get),
    Route("GET", "/openapi.json", openapi, public=True),
)

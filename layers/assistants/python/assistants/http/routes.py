"""The route table, which the ASGI app serves and the CDK turns into the gateway's resources."""

from typing import Any

from assistants.http.call import Call
from assistants.http.endpoints import (
    assistants,
    file_batches,
    files,
    messages,
    models,
    run_steps,
    runs,
    threads,
    uploads,
    vector_store_files,
    vector_stores,
)
from assistants.http.openapi import document
from assistants.http.route import Route


def openapi(_: Call) -> dict[str, Any]:
    """Return this document."""
    return document(ROUTES)


_STORE = "/vector_stores/{vector_store_id}"
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
    Route("POST", "/vector_stores", vector_stores.create),
    Route("GET", "/vector_stores", vector_stores.list_),
    Route("GET", _STORE, vector_stores.get),
    Route("POST", _STORE, vector_stores.modify),
    Route("DELETE", _STORE, vector_stores.delete),
    Route("POST", f"{_STORE}/search", vector_stores.search, streams=True),
    Route("POST", f"{_STORE}/files", vector_store_files.create),
    Route("GET", f"{_STORE}/files", vector_store_files.list_),
    Route("GET", f"{_STORE}/files/{{file_id}}", vector_store_files.get),
    Route("POST", f"{_STORE}/files/{{file_id}}", vector_store_files.modify, streams=True),
    Route("DELETE", f"{_STORE}/files/{{file_id}}", vector_store_files.delete),
    Route("GET", f"{_STORE}/files/{{file_id}}/content", vector_store_files.content, streams=True),
    Route("POST", f"{_STORE}/file_batches", file_batches.create, streams=True),
    Route("GET", f"{_STORE}/file_batches/{{batch_id}}", file_batches.get),
    Route("POST", f"{_STORE}/file_batches/{{batch_id}}/cancel", file_batches.cancel, streams=True),
    Route("GET", f"{_STORE}/file_batches/{{batch_id}}/files", file_batches.list_files),
    Route("GET", "/models", models.list_),
    Route("GET", "/models/{model}", models.get),
    Route("GET", "/openapi.json", openapi, public=True),
)

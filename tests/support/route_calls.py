"""The AWS calls of each API route."""

from collections.abc import Callable, Iterator
from typing import Any

from tests.support.call_counter import HELLO, CallCounter, Counts
from tests.support.model_server import Text

CONTENT = b"The parrot is called Ada."
Request = tuple[str, Callable[[], Any]]


def route_calls(counter: CallCounter) -> dict[str, Counts]:
    """Count the calls of one request to each route, its functions being warm, by `METHOD /path`.

    Requests without a query or options, to objects that exist; the first pass starts the workers
    and fills what they cache.
    """
    for _, send in _requests(counter):
        send()
    return {route: counter.request(send) for route, send in _requests(counter)}


def _requests(counter: CallCounter) -> Iterator[Request]:
    """Yield one request for each route. Each is sent before the next is taken."""
    yield from _assistants(counter)
    yield from _threads(counter)
    yield from _runs(counter)
    yield from _waiting_runs(counter)
    yield from _files(counter)
    yield from _uploads(counter)
    yield from _vector_stores(counter)
    yield from _store_files(counter)
    yield from _file_batches(counter)
    yield "GET /models", lambda: list(counter.client.models.list())
    yield "GET /models/{model}", lambda: counter.client.models.retrieve("demo")
    yield "GET /openapi.json", lambda: counter.client.get("/openapi.json", cast_to=object)


def _assistants(counter: CallCounter) -> Iterator[Request]:
    assistants = counter.beta.assistants
    identifier = assistants.create(model="demo").id
    yield "POST /assistants", lambda: assistants.create(model="demo", instructions="Be brief.")
    yield "GET /assistants", lambda: assistants.list(limit=20)
    yield "GET /assistants/{assistant_id}", lambda: assistants.retrieve(identifier)
    yield "POST /assistants/{assistant_id}", lambda: assistants.update(identifier, name="N")
    yield "DELETE /assistants/{assistant_id}", lambda: assistants.delete(identifier)


def _threads(counter: CallCounter) -> Iterator[Request]:
    threads = counter.beta.threads
    thread = counter.thread()
    yield "POST /threads", lambda: threads.create(messages=HELLO)
    yield "GET /threads", lambda: counter.client.get("/threads", cast_to=object)
    yield "GET /threads/{thread_id}", lambda: threads.retrieve(thread)
    yield "POST /threads/{thread_id}", lambda: threads.update(thread, metadata={"k": "v"})
    messages = threads.messages
    message = messages.create(thread, role="user", content="Hello").id
    path = "/threads/{thread_id}/messages"
    one = f"{path}/{{message_id}}"
    yield f"POST {path}", lambda: messages.create(thread, role="user", content="Hello")
    yield f"GET {path}", lambda: messages.list(thread)
    yield f"GET {one}", lambda: messages.retrieve(message, thread_id=thread)
    yield f"POST {one}", lambda: messages.update(message, thread_id=thread, metadata={"k": "v"})
    yield f"DELETE {one}", lambda: messages.delete(message, thread_id=thread)
    yield "DELETE /threads/{thread_id}", lambda: threads.delete(thread)


def _runs(counter: CallCounter) -> Iterator[Request]:
    threads, runs = counter.beta.threads, counter.beta.threads.runs
    thread, path = counter.thread(), "/threads/{thread_id}/runs"
    assistant = counter.assistant(Text("Hi"), Text("Hi"))
    yield f"POST {path}", lambda: runs.create(thread, assistant_id=assistant)
    run = next(iter(runs.list(thread))).id
    runs.poll(run, thread_id=thread, poll_interval_ms=20)
    yield f"GET {path}", lambda: runs.list(thread)
    one = f"{path}/{{run_id}}"
    yield f"GET {one}", lambda: runs.retrieve(run, thread_id=thread)
    yield f"POST {one}", lambda: runs.update(run, thread_id=thread, metadata={"k": "v"})
    events = f"/threads/{thread}/runs/{run}/events"
    yield f"GET {one}/events", lambda: counter.client.get(events, cast_to=str)
    [step] = runs.steps.list(run, thread_id=thread).data
    yield f"GET {one}/steps", lambda: runs.steps.list(run, thread_id=thread)
    yield (
        f"GET {one}/steps/{{step_id}}",
        lambda: runs.steps.retrieve(step.id, run_id=run, thread_id=thread),
    )
    yield "POST /threads/runs", lambda: threads.create_and_run(assistant_id=assistant)


def _waiting_runs(counter: CallCounter) -> Iterator[Request]:
    runs, path = counter.beta.threads.runs, "/threads/{thread_id}/runs/{run_id}"
    answered, cancelled = counter.waiting_run(), counter.waiting_run()
    yield f"POST {path}/submit_tool_outputs", lambda: counter.submit(answered)
    yield (
        f"POST {path}/cancel",
        lambda: runs.cancel(cancelled.id, thread_id=cancelled.thread_id),
    )


def _files(counter: CallCounter) -> Iterator[Request]:
    files = counter.client.files
    file = _file(counter)
    yield "POST /files", lambda: _file(counter)
    yield "GET /files", lambda: files.list(limit=20)
    yield "GET /files/{file_id}", lambda: files.retrieve(file)
    yield "GET /files/{file_id}/content", lambda: files.content(file)
    yield "DELETE /files/{file_id}", lambda: files.delete(file)


def _file(counter: CallCounter, content: bytes = CONTENT) -> str:
    file = ("notes.txt", content, "text/plain")
    return counter.client.files.create(file=file, purpose="evals").id


def _uploads(counter: CallCounter) -> Iterator[Request]:
    uploads, path = counter.client.uploads, "/uploads/{upload_id}"
    completed, cancelled = _upload(counter), _upload(counter)
    direct = f"/uploads/{cancelled}/direct_parts"
    yield "POST /uploads", lambda: _upload(counter)
    yield f"POST {path}/parts", lambda: uploads.parts.create(completed, data=CONTENT)
    part = uploads.parts.create(completed, data=CONTENT).id
    yield f"POST {path}/direct_parts", lambda: counter.client.post(direct, cast_to=object)
    yield f"POST {path}/complete", lambda: uploads.complete(completed, part_ids=[part])
    yield f"POST {path}/cancel", lambda: uploads.cancel(cancelled)


def _upload(counter: CallCounter) -> str:
    return counter.client.uploads.create(
        filename="notes.txt", purpose="assistants", bytes=len(CONTENT), mime_type="text/plain"
    ).id


def _vector_stores(counter: CallCounter) -> Iterator[Request]:
    stores, path = counter.client.vector_stores, "/vector_stores/{vector_store_id}"
    store = stores.create().id
    yield "POST /vector_stores", lambda: stores.create(name="Manuals")
    yield "GET /vector_stores", lambda: stores.list(limit=20)
    yield f"GET {path}", lambda: stores.retrieve(store)
    yield f"POST {path}", lambda: stores.update(store, name="N")
    yield f"POST {path}/search", lambda: stores.search(store, query="Which parrot?")
    yield f"DELETE {path}", lambda: stores.delete(store)


def _store_files(counter: CallCounter) -> Iterator[Request]:
    stores, path = counter.client.vector_stores, "/vector_stores/{vector_store_id}/files"
    store, file, other = stores.create().id, _file(counter), _file(counter)
    stores.files.create_and_poll(file, vector_store_id=store, poll_interval_ms=20)
    yield f"POST {path}", lambda: stores.files.create(store, file_id=other)
    yield f"GET {path}", lambda: stores.files.list(store)
    one = f"{path}/{{file_id}}"
    yield f"GET {one}", lambda: stores.files.retrieve(file, vector_store_id=store)
    yield (
        f"POST {one}",
        lambda: stores.files.update(file, vector_store_id=store, attributes={"k": "v"}),
    )
    yield f"GET {one}/content", lambda: stores.files.content(file, vector_store_id=store)
    yield f"DELETE {one}", lambda: stores.files.delete(file, vector_store_id=store)


def _file_batches(counter: CallCounter) -> Iterator[Request]:
    stores, path = counter.client.vector_stores, "/vector_stores/{vector_store_id}/file_batches"
    store, batches = stores.create().id, stores.file_batches
    first, second = _file(counter), _file(counter, CONTENT * 2_000)  # not indexed that soon
    yield f"POST {path}", lambda: batches.create(store, file_ids=[first])
    batch = batches.create(store, file_ids=[second]).id
    one = f"{path}/{{batch_id}}"
    yield f"GET {one}", lambda: batches.retrieve(batch, vector_store_id=store)
    yield f"GET {one}/files", lambda: batches.list_files(batch, vector_store_id=store)
    yield f"POST {one}/cancel", lambda: batches.cancel(batch, vector_store_id=store)

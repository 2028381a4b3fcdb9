"""Kinds of work that a deployment does at once: runs with hosted tools, and files to index."""

from typing import Any

from openai import OpenAI

from tests.support.model_server import Call, Calls, ModelServer, Text

SEARCH: Any = {"type": "file_search"}
CODE: Any = {"type": "code_interpreter"}
CALLS = {
    "file_search": Call("file_search", {"queries": ["Who keeps the lighthouse?"]}),
    "code_interpreter": Call("code_interpreter", {"code": "print(6 * 7)"}),
}
FILES = 4


class Workload:
    """One user of a deployment, whose client never tries a request again."""

    def __init__(self, base_url: str, models: ModelServer, key: str = "sk-work") -> None:
        self._client = OpenAI(base_url=base_url, api_key=key, max_retries=0, timeout=300)
        self._models = models
        self._store_id = self._client.vector_stores.create().id

    def request(self) -> None:
        """Make one request."""
        self._client.beta.assistants.list()

    def upload(self) -> None:
        """Upload files, and wait until all can be searched."""
        pages = [(f"page-{number}.txt", f"Page {number}.".encode()) for number in range(FILES)]
        batch = self._client.vector_stores.file_batches.upload_and_poll(
            self._store_id, files=pages, poll_interval_ms=200
        )
        assert batch.file_counts.completed == FILES, batch

    def stream(self, *tools: Any) -> None:
        """Stream a run whose model calls each of the tools once, all in one turn."""
        calls = [CALLS[tool["type"]] for tool in tools]
        script = (Calls(*calls), Text("Done.")) if calls else (Text("Done."),)
        assistant = self._client.beta.assistants.create(
            model=self._models.script(*script).name, tools=tools
        )
        thread = self._client.beta.threads.create(
            messages=[{"role": "user", "content": "Go on."}],
            tool_resources={"file_search": {"vector_store_ids": [self._store_id]}},
        )
        with self._client.beta.threads.runs.stream(
            thread_id=thread.id, assistant_id=assistant.id
        ) as stream:
            stream.until_done()
            run = stream.current_run
        assert run is not None
        assert run.status == "completed", run.last_error

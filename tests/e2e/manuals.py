"""A program that uses file search as users do: manuals in, an answer that quotes them out."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from openai import OpenAI
from openai.types.beta.threads import FileCitationAnnotation, Text, TextDeltaBlock

FILES = Path(__file__).parents[1] / "support/files"
PDF, DOCX = FILES / "handbook.pdf", FILES / "handbook.docx"
PAGE = (
    "lighthouse.html",
    "<h1>The lighthouse</h1><p>The keeper's cat is called Ahab 🐈 and sleeps.</p>".encode(),
)
CONTENT: Any = "step_details.tool_calls[*].file_search.results[*].content"
SEARCH: Any = {"type": "file_search"}


@dataclass
class Manuals:
    """A vector store with three files; `close` removes it and them."""

    client: OpenAI
    store_id: str
    files: dict[str, str]  # id by name

    @classmethod
    def of(cls, client: OpenAI) -> "Manuals":
        store = client.vector_stores.create(name="Manuals")
        batch = client.vector_stores.file_batches.upload_and_poll(
            store.id, files=[PDF, DOCX, PAGE], poll_interval_ms=200
        )
        assert (batch.status, batch.file_counts.completed) == ("completed", 3)
        listed = client.vector_stores.files.list(store.id)
        names = {client.files.retrieve(file.id).filename: file.id for file in listed}
        return cls(client, store.id, names)

    def text(self, file_id: str) -> str:
        pages = self.client.vector_stores.files.content(file_id, vector_store_id=self.store_id)
        return "".join(page.text or "" for page in pages)

    def label(self, name: str, **attributes: str | float | bool) -> None:
        self.client.vector_stores.files.update(
            self.files[name], vector_store_id=self.store_id, attributes=attributes
        )

    def search(self, query: str, **options: Any) -> list[str]:
        """Search, and return the names of the files that were found, the best first."""
        found = self.client.vector_stores.search(self.store_id, query=query, **options)
        return [result.filename for result in found]

    def close(self) -> None:
        self.client.vector_stores.delete(self.store_id)
        for file_id in self.files.values():
            self.client.files.delete(file_id)


@dataclass
class Answer:
    """The text of a streamed answer, as it was streamed and as the message holds it."""

    streamed: str
    streamed_citations: list[Any]
    text: Text
    steps: list[Any]


def ask(manuals: Manuals, model: str, question: str) -> Answer:
    """Stream a run of an assistant that has the manuals, and clean up after it."""
    client = manuals.client
    assistant = client.beta.assistants.create(
        model=model,
        tools=[SEARCH],
        tool_resources={"file_search": {"vector_store_ids": [manuals.store_id]}},
    )
    thread = client.beta.threads.create(messages=[{"role": "user", "content": question}])
    streamed, citations = "", list[Any]()
    with client.beta.threads.runs.stream(thread_id=thread.id, assistant_id=assistant.id) as stream:
        for event in stream:
            if event.event == "thread.message.delta":
                for block in event.data.delta.content or ():
                    assert isinstance(block, TextDeltaBlock)
                    assert block.text
                    streamed += block.text.value or ""
                    citations += block.text.annotations or []
        run = stream.current_run
    assert run is not None
    assert run.status == "completed", run.last_error
    message = next(iter(client.beta.threads.messages.list(thread.id, run_id=run.id)))
    (said,) = message.content
    assert said.type == "text"
    steps = client.beta.threads.runs.steps.list(run.id, thread_id=thread.id, include=[CONTENT])
    answer = Answer(streamed, citations, said.text, list(steps))
    client.beta.threads.delete(thread.id)
    client.beta.assistants.delete(assistant.id)
    return answer


def check_citations(manuals: Manuals, answer: Answer) -> list[str]:
    """Check that every citation is at its offsets, quotes its file, and was streamed.
    Return the names of the cited files in the order of the text.
    """
    value = answer.text.value
    assert answer.streamed == value
    streamed = [annotation.text for annotation in answer.streamed_citations]
    assert streamed == [annotation.text for annotation in answer.text.annotations]
    names = {file_id: name for name, file_id in manuals.files.items()}
    cited = []
    for annotation in answer.text.annotations:
        assert isinstance(annotation, FileCitationAnnotation)
        assert value[annotation.start_index : annotation.end_index] == annotation.text
        citation: Any = annotation.file_citation
        assert citation.quote in manuals.text(citation.file_id)
        cited.append(names[citation.file_id])
    assert value.count("【") == len(answer.text.annotations)
    return cited

"""The demo model shows what the server's tools do, without a key."""

import pytest
from openai import OpenAI
from openai.types.beta.threads import ImageFileContentBlock, TextContentBlock

from tests.e2e.fixture_types import MakeAssistant

CODE = """
import matplotlib.pyplot as plt
plt.plot([1, 4, 9])
plt.show()
with open("squares.csv", "w") as file:
    file.write("1,4,9")
print(6 * 7)
"""


@pytest.mark.usefixtures("stack")
def test_it_runs_code_shows_the_plot_and_links_the_file(
    client: OpenAI, make_assistant: MakeAssistant
) -> None:
    assistant = make_assistant("demo", tools=[{"type": "code_interpreter"}])
    thread = client.beta.threads.create(
        messages=[{"role": "user", "content": f"Please run\n```python{CODE}```"}]
    )
    with client.beta.threads.runs.stream(thread_id=thread.id, assistant_id=assistant.id) as stream:
        stream.until_done()
    [message] = client.beta.threads.messages.list(thread.id, limit=1).data
    image, text = message.content
    assert isinstance(image, ImageFileContentBlock)
    assert client.files.content(image.image_file.file_id).read().startswith(b"\x89PNG")
    assert isinstance(text, TextContentBlock)
    value, [link] = text.text.value, text.text.annotations
    assert value.startswith("The code answered: 42")
    assert value[link.start_index : link.end_index] == link.text == "sandbox:/mnt/data/squares.csv"
    assert link.type == "file_path"
    assert client.files.content(link.file_path.file_id).read() == b"1,4,9"
    client.beta.threads.delete(thread.id)


@pytest.mark.usefixtures("stack")
def test_it_quotes_a_file_that_was_just_attached(
    client: OpenAI, make_assistant: MakeAssistant
) -> None:
    page = ("keeper.md", "# Cats 🐈\n\nThe keeper's cat is called Ahab.".encode())
    file = client.files.create(file=page, purpose="assistants")
    assistant = make_assistant("demo", tools=[{"type": "file_search"}])
    run = client.beta.threads.create_and_run_poll(
        assistant_id=assistant.id,
        thread={
            "messages": [
                {
                    "role": "user",
                    "content": "What is the cat called?",
                    "attachments": [{"file_id": file.id, "tools": [{"type": "file_search"}]}],
                }
            ]
        },
        poll_interval_ms=50,
    )
    assert run.status == "completed", run.last_error
    [message] = client.beta.threads.messages.list(run.thread_id, run_id=run.id)
    [text] = message.content
    assert isinstance(text, TextContentBlock)
    value, [citation] = text.text.value, text.text.annotations
    assert "The keeper's cat is called Ahab." in value
    assert value[citation.start_index : citation.end_index] == "【0:0†keeper.md】"
    assert citation.type == "file_citation"
    assert citation.file_citation.file_id == file.id
    client.beta.threads.delete(run.thread_id)
    client.files.delete(file.id)

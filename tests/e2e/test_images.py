"""Images in messages, from the SDK to what the model's provider is sent."""

import base64
from typing import Any

import openai
import pytest
from openai import OpenAI

from tests.e2e.envelope import error
from tests.e2e.fixture_types import MakeAssistant
from tests.support.bedrock_server import BedrockServer, said
from tests.support.model_server import ModelServer, Text

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
DATA_URL = f"data:image/png;base64,{base64.b64encode(PNG).decode()}"


def content_with(client: OpenAI, url: str) -> tuple[str, Any]:
    """Upload an image; return its id, and a message with it and with an image at a URL."""
    file = client.files.create(file=("dot.png", PNG), purpose="vision")
    content = [
        {"type": "text", "text": "Which is redder?"},
        {"type": "image_url", "image_url": {"url": url, "detail": "low"}},
        {"type": "image_file", "image_file": {"file_id": file.id, "detail": "high"}},
    ]
    return file.id, content


def test_images_reach_the_model_as_urls_and_files_as_data_urls(
    client: OpenAI, make_assistant: MakeAssistant, model_server: ModelServer
) -> None:
    model = model_server.script(Text("The second."))
    file_id, content = content_with(client, "https://images.example/dot.png")
    run = client.beta.threads.create_and_run_poll(
        assistant_id=make_assistant(model.name).id,
        thread={"messages": [{"role": "user", "content": content}]},
    )
    assert run.status == "completed"
    [request] = model.requests
    assert request.body["messages"][-1]["content"] == [
        {"type": "text", "text": "Which is redder?"},
        {
            "type": "image_url",
            "image_url": {"url": "https://images.example/dot.png", "detail": "low"},
        },
        {"type": "image_url", "image_url": {"url": DATA_URL, "detail": "high"}},
    ]
    [_, message] = client.beta.threads.messages.list(run.thread_id)
    assert [block.type for block in message.content] == ["text", "image_url", "image_file"]
    client.files.delete(file_id)


def test_images_reach_bedrock_as_bytes(
    client: OpenAI, make_assistant: MakeAssistant, bedrock_server: BedrockServer
) -> None:
    bedrock_server.script(said("Neither."))
    file_id, content = content_with(client, DATA_URL)
    run = client.beta.threads.create_and_run_poll(
        assistant_id=make_assistant("bedrock.vision").id,
        thread={"messages": [{"role": "user", "content": content}]},
    )
    assert run.status == "completed"
    [request] = bedrock_server.requests
    image = {"format": "png", "source": {"bytes": DATA_URL.partition(",")[2]}}
    assert request.body["messages"] == [
        {"role": "user", "content": [{"text": "Which is redder?"}, *[{"image": image}] * 2]}
    ]
    client.files.delete(file_id)


def test_bedrock_is_not_shown_what_lies_within_the_house(
    client: OpenAI, make_assistant: MakeAssistant, bedrock_server: BedrockServer
) -> None:
    bedrock_server.script(said("Secrets!"))
    url = "https://169.254.169.254/latest/meta-data"
    image: Any = {"type": "image_url", "image_url": {"url": url}}
    run = client.beta.threads.create_and_run_poll(
        assistant_id=make_assistant("bedrock.vision").id,
        thread={"messages": [{"role": "user", "content": [image]}]},
    )
    assert run.status == "failed"
    assert run.last_error is not None
    assert run.last_error.code == "invalid_prompt"
    assert "has no public address" in run.last_error.message
    assert bedrock_server.requests == []


def test_an_unknown_file_is_refused_with_the_message_that_names_it(client: OpenAI) -> None:
    thread = client.beta.threads.create()
    part: Any = {"type": "image_file", "image_file": {"file_id": "file-unknown"}}
    with pytest.raises(openai.NotFoundError) as caught:
        client.beta.threads.messages.create(thread.id, role="user", content=[part])
    assert caught.value.body == error("No file found with id 'file-unknown'.")
    client.beta.threads.delete(thread.id)

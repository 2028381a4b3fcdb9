"""Images in messages: what is taken, and what reaches a model that can see."""

import base64
from typing import Any

import pytest

from assistants.domain.image import MAX_IMAGE_BYTES, Image, InvalidImageError
from assistants.domain.model import Catalog
from tests.support.deployment import Deployment
from tests.support.forms import HEADERS, Attached, form

CONTENTS = {
    "image/png": b"\x89PNG\r\n\x1a\n" + b"\0" * 8,
    "image/jpeg": b"\xff\xd8\xff\xe0" + b"\0" * 8,
    "image/gif": b"GIF89a" + b"\0" * 8,
    "image/webp": b"RIFF\0\0\0\0WEBPVP8 ",
}
PNG = CONTENTS["image/png"]
MODELS = {
    "sees": {"url": "https://models.example/v1"},
    "blind": {
        "url": "https://models.example/v1",
        "capabilities": ["tools", "temperature", "top_p"],
    },
}


def data_url(content: bytes, type: str = "image/png") -> str:
    return f"data:{type};base64,{base64.b64encode(content).decode()}"


def deployment() -> Deployment:
    return Deployment(["A cat."], catalog=Catalog.read(MODELS, endpoint_configured=False))


def shown(url: str, **members: str) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": url, **members}}


def thread_with(service: Deployment, *parts: dict[str, Any], role: str = "user") -> str:
    message = {"role": role, "content": [{"type": "text", "text": "Look:"}, *parts]}
    return str(service.api.post("/threads", {"messages": [message]})["id"])


def uploaded(service: Deployment, content: bytes, filename: str = "cat.png") -> str:
    body = form({"purpose": "vision", "file": Attached(content, filename, "image/png")})
    answer = service.api.request("POST", "/files", headers=HEADERS, content=body)
    return str(answer.json["id"])


def said_to_the_model(service: Deployment) -> Any:
    [request] = service.model.requests
    return request.messages[-1]["content"]


@pytest.mark.parametrize("type", CONTENTS)
def test_the_first_bytes_decide_the_type_whatever_the_url_says(type: str) -> None:
    image = Image.from_data_url(data_url(CONTENTS[type], "image/x-anything"))
    assert image == Image.from_bytes(CONTENTS[type])
    assert image.type == type
    assert Image.from_data_url(image.data_url) == image


@pytest.mark.parametrize("content", [b"", b"%PDF-1.7", b"<svg/>", b"RIFF\0\0\0\0WAVEfmt "])
def test_what_is_no_image_that_models_take_is_refused(content: bytes) -> None:
    with pytest.raises(InvalidImageError, match="none of the formats png, jpeg, gif, webp"):
        Image.from_bytes(content)


def test_an_image_may_have_twenty_megabytes() -> None:
    largest = PNG + b"\0" * (MAX_IMAGE_BYTES - len(PNG))
    assert Image.from_data_url(data_url(largest)).content == largest
    with pytest.raises(InvalidImageError, match="larger than 20 MB"):
        Image.from_bytes(largest + b"\0")
    with pytest.raises(InvalidImageError, match="larger than 20 MB"):
        Image.from_data_url(data_url(largest + b"\0" * 9))


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("cat.png", "Expected a valid URL, but got a value with an invalid format"),
        ("ftp://example.com/cat.png", "Expected a valid URL"),
        ("file:///etc/passwd", "Expected a valid URL"),
        ("https://", "Expected a valid URL"),
        ("https://example.com:port/", "Expected a valid URL"),
        ("https://example.com/a cat.png", "Expected a valid URL"),
        ("https://example.com/\ncat.png", "Expected a valid URL"),
        ("https://example.com/" + "x" * 8192, "Expected a valid URL"),
        ("data:text/plain;base64,SGk=", "Expected a base64-encoded data URL"),
        ("data:image/png;base64,%%%", "not valid base64"),
        (data_url(b"%PDF-1.7"), "none of the formats"),
    ],
)
def test_a_url_that_leads_to_no_image_is_refused_with_its_message(url: str, reason: str) -> None:
    service = deployment()
    body = {"role": "user", "content": [shown(url)]}
    answer = service.api.request("POST", f"/threads/{service.thread()}/messages", body)
    assert answer.status == 400
    assert answer.error["param"] == "content[0].image_url.url"
    assert answer.error["code"] == "invalid_value"
    assert reason in answer.error["message"]


@pytest.mark.parametrize("url", ["https://example.com/cat.png?x=1", data_url(PNG)])
def test_an_image_reaches_a_model_that_can_see_as_it_is(url: str) -> None:
    service = deployment()
    thread_id = thread_with(service, shown(url, detail="low"), shown(url))
    run = service.run(thread_id, assistant_id=service.assistant(model="sees"))
    assert run["status"] == "completed"
    assert said_to_the_model(service) == [
        {"type": "text", "text": "Look:"},
        shown(url, detail="low"),
        shown(url, detail="auto"),
    ]


def test_a_file_reaches_the_model_as_a_data_url_of_what_it_is() -> None:
    service = deployment()
    file_id = uploaded(service, CONTENTS["image/jpeg"])
    part = {"type": "image_file", "image_file": {"file_id": file_id, "detail": "high"}}
    service.run(thread_with(service, part), assistant_id=service.assistant(model="sees"))
    expected = data_url(CONTENTS["image/jpeg"], "image/jpeg")
    assert said_to_the_model(service)[1] == shown(expected, detail="high")


def test_a_file_that_is_no_image_fails_the_run() -> None:
    service = deployment()
    file_id = uploaded(service, b"not an image")
    part = {"type": "image_file", "image_file": {"file_id": file_id}}
    run = service.run(thread_with(service, part), assistant_id=service.assistant(model="sees"))
    assert run["last_error"] == {
        "code": "invalid_prompt",
        "message": f"File {file_id}: The image has none of the formats png, jpeg, gif, webp.",
    }


def test_a_file_that_is_gone_fails_the_run() -> None:
    service = deployment()
    file_id = uploaded(service, PNG)
    part = {"type": "image_file", "image_file": {"file_id": file_id}}
    thread_id = thread_with(service, part)
    service.api.delete(f"/files/{file_id}")
    run = service.run(thread_id, assistant_id=service.assistant(model="sees"))
    message = f"No such File object: {file_id}"
    assert run["last_error"] == {"code": "invalid_prompt", "message": message}


def test_a_model_that_cannot_see_fails_the_run_in_the_words_of_the_original() -> None:
    service = deployment()
    thread_id = thread_with(service, shown("https://example.com/cat.png"))
    run = service.run(thread_id, assistant_id=service.assistant(model="blind"))
    assert run["status"] == "failed"
    assert run["last_error"] == {
        "code": "invalid_prompt",
        "message": "Invalid content type. image_url is only supported by certain models.",
    }
    assert service.model.requests == []


def test_an_image_that_is_out_of_sight_does_not_bother_a_model_that_cannot_see() -> None:
    service = deployment()
    thread_id = thread_with(service, shown("https://example.com/cat.png"))
    service.api.post(f"/threads/{thread_id}/messages", {"role": "user", "content": "Hello"})
    last = {"type": "last_messages", "last_messages": 1}
    assistant_id = service.assistant(model="blind")
    run = service.run(thread_id, assistant_id=assistant_id, truncation_strategy=last)
    assert run["status"] == "completed"


def test_the_model_reads_of_an_image_that_the_assistant_has_shown() -> None:
    """Providers take images of users only."""
    service = deployment()
    thread_id = thread_with(service, shown("https://example.com/cat.png"), role="assistant")
    service.run(thread_id, assistant_id=service.assistant(model="blind"))
    assert said_to_the_model(service) == "Look:\n(an image)"

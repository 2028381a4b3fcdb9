"""Assistants: created, read, changed, deleted."""

from typing import Any

import pytest

from tests.support.deployment import WEATHER, Deployment

ASSISTANT: dict[str, Any] = {
    "model": "small",
    "name": "Weather bot",
    "description": "Knows the weather.",
    "instructions": "Be kind.",
    "tools": [WEATHER],
    "metadata": {"team": "blue"},
    "temperature": 0.5,
    "top_p": 0.5,
    "response_format": {
        "type": "json_schema",
        "json_schema": {"name": "a", "schema": {"type": "object"}, "strict": True},
    },
    "reasoning_effort": "low",
}


def test_an_assistant_shows_every_member_with_its_default() -> None:
    deployment = Deployment()
    assistant = deployment.api.post("/assistants", {"model": "demo"})
    assert assistant == {
        "id": assistant["id"],
        "object": "assistant",
        "created_at": int(deployment.clock.now),
        "name": None,
        "description": None,
        "model": "demo",
        "instructions": None,
        "tools": [],
        "tool_resources": None,
        "metadata": {},
        "temperature": 1.0,
        "top_p": 1.0,
        "response_format": "auto",
        "reasoning_effort": None,
    }
    assert assistant["id"].startswith("asst_")


def test_an_assistant_is_kept_as_it_was_given() -> None:
    deployment = Deployment()
    made = deployment.api.post("/assistants", ASSISTANT)
    assert {name: made[name] for name in ASSISTANT} == ASSISTANT
    assert deployment.api.get(f"/assistants/{made['id']}") == made
    assert deployment.api.get("/assistants")["data"] == [made]


@pytest.mark.parametrize("name", [*ASSISTANT])
def test_only_the_named_member_changes(name: str) -> None:
    deployment = Deployment()
    made = deployment.api.post("/assistants", {"model": "small"})
    changed = deployment.api.post(f"/assistants/{made['id']}", {name: ASSISTANT[name]})
    assert changed == {**made, name: ASSISTANT[name]}
    assert deployment.api.get(f"/assistants/{made['id']}") == changed


@pytest.mark.parametrize("name", ["name", "description", "instructions", "reasoning_effort"])
def test_null_clears_what_can_be_empty(name: str) -> None:
    deployment = Deployment()
    made = deployment.api.post("/assistants", ASSISTANT)
    changed = deployment.api.post(f"/assistants/{made['id']}", {name: None})
    assert changed == {**made, name: None}


def test_null_leaves_what_cannot_be_empty() -> None:
    deployment = Deployment()
    made = deployment.api.post("/assistants", ASSISTANT)
    nothing = dict.fromkeys(("model", "tools", "metadata", "temperature", "response_format"))
    assert deployment.api.post(f"/assistants/{made['id']}", nothing) == made
    assert deployment.api.post(f"/assistants/{made['id']}") == made


def test_a_deleted_assistant_is_gone() -> None:
    deployment = Deployment()
    assistant_id = deployment.assistant()
    url = f"/assistants/{assistant_id}"
    assert deployment.api.delete(url) == {
        "id": assistant_id,
        "object": "assistant.deleted",
        "deleted": True,
    }
    for method in ("GET", "POST", "DELETE"):
        answer = deployment.api.request(method, url)
        assert answer.status == 404
        assert answer.error["message"] == f"No assistant found with id '{assistant_id}'."


@pytest.mark.parametrize("method", ["create", "modify"])
def test_an_assistant_needs_a_model_that_is_mapped(method: str) -> None:
    deployment = Deployment()
    url = "/assistants" if method == "create" else f"/assistants/{deployment.assistant()}"
    answer = deployment.api.request("POST", url, {"model": "gpt-9"})
    assert (answer.status, answer.error["code"]) == (400, "unsupported_model")

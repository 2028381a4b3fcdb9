"""The endpoint under test and clients of it; a deployed endpoint is left as it was found."""

import os
import time
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from openai import OpenAI
from openai.types.beta import Assistant, Thread

from tests.e2e.fixture_types import MakeAssistant
from tests.e2e.node_sdk import NodeSdk

NEEDS_LOCAL_STACK = {"model_server", "bedrock_server", "stack", "strict_stack", "other_client"}
ACTIVE = {"queued", "in_progress", "requires_action", "cancelling"}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out tests that need the scripted provider, which a deployed endpoint cannot reach."""
    if config.getoption("--base-url") is None:
        return
    local = [item for item in items if NEEDS_LOCAL_STACK & set(getattr(item, "fixturenames", ()))]
    config.hook.pytest_deselected(items=local)
    items[:] = [item for item in items if item not in local]


@pytest.fixture(scope="session")
def base_url(request: pytest.FixtureRequest) -> str:
    """`…/v1` of the deployed endpoint or of the local stack."""
    given: str | None = request.config.getoption("--base-url")
    return given or str(request.getfixturevalue("stack").base_url)


@pytest.fixture
def api_key(request: pytest.FixtureRequest) -> str:
    """The deployed endpoint's key; locally a key of its own, so a tenant of its own, per test."""
    deployed = request.config.getoption("--base-url") is not None
    return os.environ["API_KEY"] if deployed else f"sk-{uuid4().hex}"


@pytest.fixture(scope="session")
def demo_model(request: pytest.FixtureRequest) -> str:
    """A model that every endpoint has."""
    return str(request.config.getoption("--model"))


@pytest.fixture
def client(base_url: str, api_key: str) -> Iterator[OpenAI]:
    """The official SDK, which must never need a retry."""
    with OpenAI(base_url=base_url, api_key=api_key, max_retries=0, timeout=60) as client:
        yield client


@pytest.fixture
def other_client(client: OpenAI) -> Iterator[OpenAI]:
    """The same endpoint with the key of another tenant."""
    with client.with_options(api_key=f"sk-{uuid4().hex}") as other:
        yield other


@pytest.fixture
def raw(base_url: str, api_key: str) -> Iterator[httpx2.Client]:
    """HTTP without an SDK, for what SDKs cannot send or do not show."""
    headers = {"Authorization": f"Bearer {api_key}", "OpenAI-Beta": "assistants=v2"}
    with httpx2.Client(base_url=base_url, headers=headers, timeout=60) as client:
        yield client


@pytest.fixture
def make_assistant(client: OpenAI) -> Iterator[MakeAssistant]:
    """Creates assistants that are gone after the test."""
    made: list[str] = []

    def make(model: str, **members: Any) -> Assistant:
        assistant = client.beta.assistants.create(model=model, **members)
        made.append(assistant.id)
        return assistant

    yield make
    for assistant_id in made:
        client.beta.assistants.delete(assistant_id)


@pytest.fixture
def thread(client: OpenAI) -> Iterator[Thread]:
    """A thread with one user message; after the test its runs are ended and it is gone."""
    thread = client.beta.threads.create(messages=[{"role": "user", "content": "Hello"}])
    yield thread
    for run in client.beta.threads.runs.list(thread.id):
        if run.status in ACTIVE:
            client.beta.threads.runs.cancel(run.id, thread_id=thread.id)
            while client.beta.threads.runs.retrieve(run.id, thread_id=thread.id).status in ACTIVE:
                time.sleep(0.02)
    client.beta.threads.delete(thread.id)


@pytest.fixture
def node(base_url: str, api_key: str) -> NodeSdk:
    """The official Node SDK."""
    return NodeSdk(base_url, api_key)

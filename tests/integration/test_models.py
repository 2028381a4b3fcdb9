"""The way from a model's name to its provider: its URL, its key, the name that it knows there."""

from pathlib import Path
from typing import Any

import pytest

from assistants import bootstrap
from assistants.domain.model import Catalog
from assistants.ports.chat_model import ModelError, ModelRequest, TextDelta
from assistants.settings import Settings
from tests.support.bedrock_server import BedrockServer, said
from tests.support.certificate import self_signed, server_context
from tests.support.model_server import ModelServer, ScriptedModel
from tests.support.model_server import Text as Said

HELLO = [{"role": "user", "content": "Hello"}]


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key is its reference; moto's SSM has a test of its own."""
    monkeypatch.setattr(bootstrap, "resolve", lambda reference: lambda: reference)


def ask(name: str, models: dict[str, Any], **settings: Any) -> str:
    chosen = Settings(models=models, **settings)
    catalog = Catalog.read(chosen.models, endpoint_configured=chosen.model_url is not None)
    deltas = bootstrap.models(chosen, catalog).stream(ModelRequest(name, HELLO))
    return "".join(delta.value for delta in deltas if isinstance(delta, TextDelta))


@pytest.fixture
def model(model_server: ModelServer) -> ScriptedModel:
    return model_server.script(Said("Hi."))


def test_an_alias_asks_the_deployments_endpoint_for_its_target(
    model_server: ModelServer, model: ScriptedModel
) -> None:
    url, key = model_server.url, "ssm:/all"
    assert ask("gpt-4-1106-preview", {"gpt-4-*": model.name}, model_url=url, model_key=key) == "Hi."
    [request] = model.requests
    assert request.headers["authorization"] == "Bearer ssm:/all"


def test_a_route_of_its_own_gets_its_own_key(
    model_server: ModelServer, model: ScriptedModel
) -> None:
    route = {"url": model_server.url, "key": "ssm:/own", "target": model.name}
    ask("mine", {"mine": route}, model_url="http://127.0.0.1:9/v1", model_key="ssm:/all")
    assert model.requests[0].headers["authorization"] == "Bearer ssm:/own"


def test_a_route_of_its_own_without_a_key_gets_none(
    model_server: ModelServer, model: ScriptedModel
) -> None:
    route = {"url": model_server.url, "target": model.name}
    ask("mine", {"mine": route}, model_url="http://127.0.0.1:9/v1", model_key="ssm:/all")
    assert "authorization" not in model.requests[0].headers


def test_bedrock_is_found_where_functions_look_for_it(
    bedrock_server: BedrockServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIATEST")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "none")
    bedrock_server.script(said("Hi."))
    assert ask("gpt-4o", {"gpt-4o": {"provider": "bedrock", "target": "amazon.nova"}}) == "Hi."
    assert bedrock_server.requests[0].model == "amazon.nova"


def test_the_demo_model_needs_nothing() -> None:
    assert "demo model" in ask("anything", {"*": {"provider": "demo"}})


def test_a_name_that_leads_nowhere_is_an_error_of_the_model() -> None:
    with pytest.raises(ModelError, match="ASSISTANTS_MODELS"):
        ask("gpt-4o", {})


def test_bedrock_can_be_asked_with_an_api_key_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So the local stack, whose credentials are no one's, can ask the real one."""
    certificate = self_signed("localhost", tmp_path)
    with BedrockServer(server_context(certificate)) as server:
        monkeypatch.setenv("AWS_CA_BUNDLE", str(certificate))
        monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        monkeypatch.setenv("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", server.url)
        monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", "bedrock-api-key")
        server.script(said("Hi."))
        ask("gpt-4o", {"gpt-4o": {"provider": "bedrock", "target": "amazon.nova"}})
        assert server.requests[0].headers["authorization"] == "Bearer bedrock-api-key"

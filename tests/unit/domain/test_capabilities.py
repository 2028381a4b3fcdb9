"""A parameter that the model of a name cannot honour is refused where it is given."""

from typing import Any

import pytest

from assistants.domain.model import Catalog
from tests.support.api_client import Answer
from tests.support.deployment import WEATHER, Deployment

SCHEMA = {"type": "json_schema", "json_schema": {"name": "answer", "schema": {"type": "object"}}}
STRICT = {"type": "function", "function": {"name": "now", "strict": True}}
MODELS = {
    "plain": {"provider": "bedrock", "target": "meta.plain", "abilities": []},
    "claude": {"provider": "bedrock", "target": "anthropic.claude"},
    "thinker": {
        "provider": "bedrock",
        "target": "anthropic.thinker",
        "abilities": ["tools", "tool_choice", "json_schema", "reasoning", "top_p"],
    },
    "open": {"url": "https://models.example/v1"},
}

REFUSED = [
    ("plain", {"tools": [WEATHER]}, "tools", "'tools' is not supported"),
    ("plain", {"temperature": 0.5}, "temperature", "'temperature' is not supported"),
    ("claude", {"top_p": 0.5}, "top_p", "'top_p' is not supported"),
    ("claude", {"temperature": 1.5}, "temperature", "Expected a value <= 1."),
    ("claude", {"reasoning_effort": "low"}, "reasoning_effort", "'reasoning_effort' is not supp"),
    ("claude", {"response_format": SCHEMA}, "response_format", "of type 'json_schema' is not"),
    (
        "thinker",
        {"response_format": {"type": "json_object"}},
        "response_format",
        "of type 'json_object' is not supported with this model.",
    ),
    (
        "thinker",
        {"reasoning_effort": "minimal"},
        "reasoning_effort",
        "'minimal' with this model. Supported values are: 'low', 'medium', and 'high'.",
    ),
    (
        "claude",
        {"tools": [WEATHER, STRICT]},
        "tools[1].function.strict",
        "does not support 'true' with this model. Supported values are: 'false'.",
    ),
]
TAKEN = [
    ("plain", {"temperature": 1, "top_p": 1, "response_format": {"type": "text"}}),
    ("claude", {"tools": [WEATHER], "temperature": 0.2}),
    ("thinker", {"tools": [STRICT], "response_format": SCHEMA, "reasoning_effort": "high"}),
    ("open", {"response_format": {"type": "json_object"}, "reasoning_effort": "minimal"}),
]


@pytest.fixture
def service() -> Deployment:
    return Deployment(catalog=Catalog.read(MODELS, endpoint_configured=False))


def check(answer: Answer, param: str, message: str) -> None:
    assert answer.status == 400
    assert answer.error["param"] == param
    assert message in answer.error["message"]
    known = {"unsupported_parameter", "unsupported_value", None}
    assert answer.error["code"] in known


@pytest.mark.parametrize(("model", "members", "param", "message"), REFUSED)
def test_an_assistant_is_refused(
    service: Deployment, model: str, members: Any, param: str, message: str
) -> None:
    check(service.api.request("POST", "/assistants", {"model": model, **members}), param, message)


@pytest.mark.parametrize(("model", "members", "param", "message"), REFUSED)
def test_a_run_is_refused(
    service: Deployment, model: str, members: Any, param: str, message: str
) -> None:
    body = {"assistant_id": service.assistant(model="open"), "model": model, **members}
    url = f"/threads/{service.thread()}/runs"
    check(service.api.request("POST", url, body), param, message)
    check(service.api.request("POST", "/threads/runs", body), param, message)


@pytest.mark.parametrize(("model", "members", "param", "message"), REFUSED)
def test_a_change_of_the_model_alone_is_refused_for_what_the_assistant_asks(
    service: Deployment, model: str, members: Any, param: str, message: str
) -> None:
    url = f"/assistants/{service.assistant(model='open', **members)}"
    check(service.api.request("POST", url, {"model": model}), param, message)
    assert service.api.get(url)["model"] == "open"


@pytest.mark.parametrize(("model", "members"), TAKEN)
def test_what_the_model_can_do_is_taken(service: Deployment, model: str, members: Any) -> None:
    assert service.assistant(model=model, **members)


def test_the_refusal_of_a_parameter_has_the_words_of_the_original(service: Deployment) -> None:
    body = {"model": "claude", "reasoning_effort": "low"}
    answer = service.api.request("POST", "/assistants", body)
    assert answer.error == {
        "message": "Unsupported parameter: 'reasoning_effort' is not supported with this model.",
        "type": "invalid_request_error",
        "param": "reasoning_effort",
        "code": "unsupported_parameter",
    }


@pytest.mark.parametrize(
    ("choice", "shown"),
    [("required", "required"), ({"type": "function", "function": {"name": "weather"}}, "function")],
)
def test_a_model_that_cannot_be_made_to_call_is_not_asked_to(choice: Any, shown: str) -> None:
    models = {"shy": {"provider": "bedrock", "target": "meta.shy", "abilities": ["tools"]}}
    service = Deployment(catalog=Catalog.read(models, endpoint_configured=False))
    body = {
        "assistant_id": service.assistant(model="shy", tools=[WEATHER]),
        "tool_choice": choice,
    }
    answer = service.api.request("POST", f"/threads/{service.thread()}/runs", body)
    check(answer, "tool_choice", f"'{shown}' with this model. Supported values are: 'none' and 'a")


def test_a_neutral_temperature_is_not_sent_to_a_model_without_one() -> None:
    service = Deployment(["Hi."], ["Hi."], catalog=Catalog.read(MODELS, endpoint_configured=False))
    for model in ("thinker", "open"):
        service.run(assistant_id=service.assistant(model=model))
    thinker, open_ = (request.options for request in service.model.requests)
    assert "temperature" not in thinker
    assert (thinker["top_p"], open_["temperature"], open_["top_p"]) == (1, 1, 1)


def test_an_assistant_can_be_renamed_after_its_model_is_gone(service: Deployment) -> None:
    assistant_id = service.assistant(model="claude")
    later = Deployment(table=service.table, catalog=Catalog.read({}, endpoint_configured=True))
    assert later.api.post(f"/assistants/{assistant_id}", {"name": "Ada"})["name"] == "Ada"


def test_a_run_whose_model_is_gone_before_its_turn_fails_with_what_to_configure() -> None:
    catalog = Catalog.read(MODELS, endpoint_configured=False)
    service = Deployment(["Hi."], machine=False, catalog=catalog)
    run = service.run(assistant_id=service.assistant(model="claude"))
    later = Deployment(
        table=service.table, catalog=Catalog.read({}, endpoint_configured=False), machine=False
    )
    later.turn(run)
    error = later.again(run)["last_error"]
    assert error["code"] == "server_error"
    assert "ASSISTANTS_MODELS" in error["message"]

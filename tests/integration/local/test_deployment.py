"""The stacks of an assembly are created in order, with parameters, and their functions hosted."""

import json
from pathlib import Path
from typing import Any

import pytest

from infra.local import LocalStack
from infra.local.cloud import Cloud
from infra.local.deployment import DeploymentError
from infra.local.parameters import InvalidParameterError
from infra.local.schedules import UnsupportedScheduleError
from infra.local.settings import keep_secrets, parameters_of, with_defaults
from tests.integration.local import toy_template


def start(folder: Path, parameters: dict[str, str] | None = None, **changed: Any) -> LocalStack:
    return LocalStack(parameters, assembly=toy_template.assembly(folder, **changed))


def test_stacks_come_after_those_that_they_need(tmp_path: Path) -> None:
    stacks = toy_template.assembly(tmp_path).stacks
    assert [(stack.name, stack.objects) for stack in stacks] == [
        ("Data", ()),
        ("Service", ("code.zip",)),
    ]


def test_a_function_is_configured_as_the_template_says(tmp_path: Path) -> None:
    with start(tmp_path, {"Greeting": "good day"}) as stack:
        spec = stack.functions["Machine"].spec
        assert spec.code == Path("tests/integration/local/functions/toy_machine").resolve()
        assert (spec.handler, spec.timeout, spec.memory_mb) == ("handler.handler", 20, 256)
        assert stack.functions["Machine"].limit == 3
        assert spec.environment["GREETING"] == "good day"
        assert spec.environment["SECONDS"] == "120"
        assert spec.environment["TABLE"] == stack.resource("Data", "Table")
        assert spec.environment["BUCKET"] == stack.outputs["BucketName"]
        assert stack.functions["Stream"].spec.layers == (Path("layers/streaming").resolve(),)
        assert stack.outputs["Machine"].endswith(stack.resource("Service", "StateMachine"))


def test_a_key_that_is_given_itself_is_kept_in_ssm(tmp_path: Path) -> None:
    with start(tmp_path, {"ModelKey": "sk-secret"}) as stack:
        environment = stack.functions["Api"].spec.environment
        assert environment["MODEL_KEY"] == "ssm:/assistants/model-key"
        parameter = stack.client("ssm").get_parameter(
            Name="/assistants/model-key", WithDecryption=True
        )
        assert parameter["Parameter"]["Value"] == "sk-secret"
        templates = stack.client("cloudformation").describe_stacks()
        assert "sk-secret" not in json.dumps(templates, default=str)


def test_a_reference_to_a_key_is_passed_on(tmp_path: Path) -> None:
    with start(tmp_path, {"ModelKey": "ssm:/mine"}) as stack:
        assert stack.functions["Api"].spec.environment["MODEL_KEY"] == "ssm:/mine"


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("Nonsense", "1", "No template has a parameter Nonsense"),
        ("Mode", "c", "must be one of a, b"),
        ("Greeting", "UPPER", "must match"),
        ("Seconds", "0", "must be at least 1"),
        ("Seconds", "1000", "must be at most 840"),
        ("Seconds", "soon", "must be a number"),
    ],
)
def test_a_parameter_that_cloudformation_refuses_is_refused(
    tmp_path: Path, name: str, value: str, reason: str
) -> None:
    with pytest.raises(InvalidParameterError, match=reason):
        start(tmp_path, {name: value})


def test_a_stack_that_cannot_be_created_is_named(tmp_path: Path) -> None:
    broken = {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": {"Ref": "Nobody"}}}
    with pytest.raises(DeploymentError, match="Stack Service"):
        start(tmp_path, Queue=broken)


def test_a_function_without_a_source_is_named(tmp_path: Path) -> None:
    function = toy_template.function("toy_api")
    del function["Metadata"]
    with pytest.raises(DeploymentError, match="Odd has no Metadata"):
        start(tmp_path, Odd=function)


def test_a_schedule_that_cannot_run_here_is_refused(tmp_path: Path) -> None:
    rule = {"Type": "AWS::Events::Rule", "Properties": {"ScheduleExpression": "cron(0 0 * * ? *)"}}
    with pytest.raises(UnsupportedScheduleError, match="cron"):
        start(tmp_path, EachMinute=rule)


def test_the_environment_gives_parameters_by_name() -> None:
    environment = {
        "ASSISTANTS_MODEL_URL": "http://model/v1",
        "ASSISTANTS_PORT": "8000",
        "HOME": "/root",
    }
    assert parameters_of(environment) == {"ModelUrl": "http://model/v1"}


def test_without_a_model_every_name_is_the_demo_models() -> None:
    assert with_defaults({})["Models"] == '{"demo": {"provider": "demo"}, "*": "demo"}'
    assert with_defaults({"ModelUrl": "http://model/v1", "Auth": "keys"}) == {
        "ModelUrl": "http://model/v1",
        "Auth": "keys",
        "CorsOrigins": "*",
        "EmbeddingModel": "minilm",
        "EmbeddingDimensions": "384",
    }


def test_texts_are_embedded_on_this_machine_unless_another_model_is_given() -> None:
    assert with_defaults({})["EmbeddingModel"] == "minilm"
    for given in ({"EmbeddingModel": "bedrock:cohere.embed-v4:0"}, {"EmbeddingUrl": "http://e/v1"}):
        assert with_defaults(given).keys() & {"EmbeddingModel", "EmbeddingUrl"} == given.keys()
        assert "EmbeddingDimensions" not in with_defaults(given)


def test_a_key_that_is_given_itself_becomes_a_reference_to_it() -> None:
    models = {
        "own": {"url": "http://model/v1", "key": "sk-own"},
        "other": {"url": "http://other/v1", "key": "ssm:/other"},
        "alias": "own",
    }
    with Cloud() as cloud:
        kept = keep_secrets(cloud, {"ModelKey": "sk-all", "Models": json.dumps(models)})
        ssm = cloud.client("ssm")
        keys = {
            reference: ssm.get_parameter(Name=reference.removeprefix("ssm:"), WithDecryption=True)
            for reference in (kept["ModelKey"], json.loads(kept["Models"])["own"]["key"])
        }
    assert [one["Parameter"]["Value"] for one in keys.values()] == ["sk-all", "sk-own"]
    assert "sk-" not in str(kept)
    assert json.loads(kept["Models"])["other"] == models["other"]

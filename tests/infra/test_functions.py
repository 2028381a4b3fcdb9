"""Every Lambda function is the one function of the house."""

from collections.abc import Mapping
from typing import Any

from aws_cdk import Stack
from aws_cdk import aws_sqs as sqs
from aws_cdk.assertions import Template as Assertions

from infra.constructs.function import Function, FunctionSpec, Platform
from infra.constructs.layers import Layers
from infra.constructs.resources import Resources
from infra.options import Options
from infra.repository import REPOSITORY
from infra.stacks.data import DataStack
from infra.stacks.service import FUNCTIONS
from tests.infra.template import Template, app_with

# Seconds. The gateway waits 29 for a buffered answer, Lambda 900 at most.
TIMEOUTS = {
    "Api": 29,
    "Stream": 900,
    "CallModel": 900,
    "RunCode": 900,
    "SandboxProxy": 300,
    "SearchFiles": 120,
    "IndexFile": 900,
    "ParseFile": 180,
    "AwaitToolOutputs": 30,
    "FinishRun": 30,
    "Expire": 60,
    "Purge": 60,
}


def sources(service: Template, kind: str) -> Mapping[str, str]:
    return {
        id: resource["Metadata"]["source"]
        for id, resource in service.resources.items()
        if resource["Type"] == f"AWS::{kind}"
    }


def test_each_function_folder_is_deployed_and_each_function_has_a_folder(
    service: Template,
) -> None:
    handlers = REPOSITORY.glob("functions/*/handler.py")
    folders = {str(handler.parent.relative_to(REPOSITORY)) for handler in handlers}
    assert sorted(sources(service, "Lambda::Function").values()) == sorted(folders)


def test_each_layer_says_which_folder_it_is_made_from(service: Template) -> None:
    layers = sources(service, "Lambda::LayerVersion")
    assert layers == {
        "Dependencies": "layers/dependencies",
        "Retrieval": "layers/retrieval",
        "Assistants": "layers/assistants",
        "Streaming": "layers/streaming",
    }
    assert all((REPOSITORY / source).is_dir() for source in layers.values())


def test_functions_run_on_one_runtime(service: Template) -> None:
    for properties in service.of_type("Lambda::Function").values():
        assert properties["Runtime"] == "python3.13"
        assert properties["Architectures"] == ["arm64"]
        assert properties["Handler"] == "handler.handler"


def test_each_function_has_its_own_deadline(service: Template) -> None:
    functions = service.of_type("Lambda::Function")
    assert {id: properties["Timeout"] for id, properties in functions.items()} == TIMEOUTS


def test_only_functions_that_stream_run_under_the_streaming_loop(service: Template) -> None:
    streaming = {spec.id for spec in FUNCTIONS if spec.streams}
    retrieving = {spec.id for spec in FUNCTIONS if spec.retrieval}
    for id, properties in service.of_type("Lambda::Function").items():
        layers = [layer["Ref"] for layer in properties["Layers"]]
        wrapper = properties["Environment"]["Variables"].get("AWS_LAMBDA_EXEC_WRAPPER")
        assert layers[:2] == ["Dependencies", "Assistants"]
        assert ("Streaming" in layers) == (id in streaming)
        assert ("Retrieval" in layers) == (id in retrieving)
        assert wrapper == ("/opt/stream" if id in streaming else None)


def test_no_function_reserves_concurrency_which_new_accounts_do_not_have(
    service: Template,
) -> None:
    for properties in service.of_type("Lambda::Function").values():
        assert "ReservedConcurrentExecutions" not in properties


def test_each_function_writes_its_own_log_group(service: Template) -> None:
    functions = service.of_type("Lambda::Function").values()
    groups = [properties["LoggingConfig"]["LogGroup"]["Ref"] for properties in functions]
    assert len(set(groups)) == len(groups)
    assert set(groups) <= set(service.of_type("Logs::LogGroup"))


def test_no_log_is_kept_for_ever(service: Template) -> None:
    groups = service.of_type("Logs::LogGroup").values()
    assert {group.get("RetentionInDays") for group in groups} == {30}


def deployed_with(spec: FunctionSpec, **context: Any) -> Assertions:
    app = app_with(**context)
    stack, options = Stack(app, "Service"), Options.of(app)
    layers = Layers(stack, "Layers", options)
    data = DataStack(app, "Data", options)
    resources = Resources(data.table, data.bucket, "arn", sqs.Queue(stack, "Queue"))
    Function(stack, spec, Platform(layers, {}, resources, options))
    return Assertions.from_stack(stack)


def test_the_sweep_runs_each_minute(service: Template) -> None:
    rules = service.of_type("Events::Rule").values()
    scheduled = {
        target["Arn"]["Fn::GetAtt"][0]: rule["ScheduleExpression"]
        for rule in rules
        if "ScheduleExpression" in rule
        for target in rule["Targets"]
    }
    assert scheduled == {"Expire": "rate(1 minute)"}


def test_functions_are_traced_only_if_asked(service: Template) -> None:
    for properties in service.of_type("Lambda::Function").values():
        assert "TracingConfig" not in properties
    traced = deployed_with(FunctionSpec("finish_run", timeout=30, grants=()), tracing="true")
    traced.has_resource_properties("AWS::Lambda::Function", {"TracingConfig": {"Mode": "Active"}})

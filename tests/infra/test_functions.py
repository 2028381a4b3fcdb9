"""Every Lambda function is the one function of the house."""

from collections.abc import Mapping

from infra.repository import REPOSITORY
from infra.stacks.service import FUNCTIONS
from tests.infra.template import Template

# Seconds. The gateway waits 29 for a buffered answer, Lambda 900 at most.
TIMEOUTS = {
    "Api": 29,
    "Stream": 900,
    "CallModel": 900,
    "AwaitToolOutputs": 30,
    "FinishRun": 30,
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
    for id, properties in service.of_type("Lambda::Function").items():
        layers = [layer["Ref"] for layer in properties["Layers"]]
        wrapper = properties["Environment"]["Variables"].get("AWS_LAMBDA_EXEC_WRAPPER")
        assert layers[:2] == ["Dependencies", "Assistants"]
        assert layers[2:] == (["Streaming"] if id in streaming else [])
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

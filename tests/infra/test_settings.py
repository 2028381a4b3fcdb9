"""Settings are parameters of the stack and, by the same name, variables of every function."""

import re

import pytest

from assistants.settings import PREFIX, Settings
from infra.constructs.settings import KEY_REFERENCE, RESOURCES, parameter_name
from tests.infra.template import Template

DEFAULTS = {
    "Auth": "keys",
    "ModelUrl": "",
    "ModelKey": "",
    "ModelTimeoutSeconds": "120",
    "Models": "",
    "EmbeddingModel": "bedrock:amazon.titan-embed-text-v2:0",
    "EmbeddingDimensions": "1024",
    "EmbeddingUrl": "",
    "EmbeddingKey": "",
    "SandboxSpares": "0",
    "RunTtlSeconds": "600",
    "CorsOrigins": "",
    "LogLevel": "INFO",
}
VARIABLES = [f"{PREFIX}{field.upper()}" for field in Settings.model_fields.keys() - RESOURCES]


def test_each_setting_is_a_parameter_with_its_default(service: Template) -> None:
    parameters = service.body["Parameters"]
    assert {name: str(parameters[name]["Default"]) for name in DEFAULTS} == DEFAULTS
    others = {"BedrockModels", "EmbeddingModels", "ModelKeys", "BootstrapVersion"}
    assert parameters.keys() - DEFAULTS.keys() == others


def test_the_parameters_defaults_are_the_packages_own(service: Template) -> None:
    parameters = service.body["Parameters"]
    defaults = {name: str(parameters[parameter_name(name)]["Default"]) for name in VARIABLES}
    assert Settings.read(defaults) == Settings.read({})


def test_a_bound_of_a_setting_is_checked_before_the_deployment(service: Template) -> None:
    parameters = service.body["Parameters"]
    assert parameters["Auth"]["AllowedValues"] == ["keys", "open"]
    run_ttl = parameters["RunTtlSeconds"]
    assert (run_ttl["Type"], run_ttl["MinValue"], run_ttl["MaxValue"]) == ("Number", 1, 840)


def test_each_function_gets_each_setting_from_its_parameter(service: Template) -> None:
    for properties in service.of_type("Lambda::Function").values():
        variables = properties["Environment"]["Variables"]
        assert {name: variables[name] for name in VARIABLES} == {
            name: {"Ref": parameter_name(name)} for name in VARIABLES
        }


def test_each_function_knows_the_resources_and_its_own_name(service: Template) -> None:
    for id, properties in service.of_type("Lambda::Function").items():
        variables = properties["Environment"]["Variables"]
        name = service.resources[id]["Metadata"]["source"].removeprefix("functions/")
        assert variables["POWERTOOLS_SERVICE_NAME"] == name
        assert {f"{PREFIX}{field.upper()}" for field in RESOURCES} <= variables.keys()


def test_a_variable_name_becomes_a_parameter_name() -> None:
    assert parameter_name("ASSISTANTS_RUN_TTL_SECONDS") == "RunTtlSeconds"


def test_each_key_is_given_by_reference(service: Template) -> None:
    keys = [one for name, one in service.body["Parameters"].items() if name.endswith("Key")]
    assert [key["AllowedPattern"] for key in keys] == [KEY_REFERENCE] * 2


def test_no_function_is_given_a_secret(service: Template) -> None:
    references = {
        name
        for name, parameter in service.body["Parameters"].items()
        if parameter.get("AllowedPattern") == KEY_REFERENCE
    }
    for properties in service.of_type("Lambda::Function").values():
        for name, value in properties["Environment"]["Variables"].items():
            if re.search("KEY|SECRET|TOKEN|PASSWORD", name):
                assert value["Ref"] in references


@pytest.mark.parametrize("reference", ["", "ssm:/assistants/model-key", "ssm:/k"])
def test_a_reference_to_a_key_is_taken(reference: str) -> None:
    assert re.fullmatch(KEY_REFERENCE, reference)


@pytest.mark.parametrize("value", ["sk-proj-0123456789abcdef", "ssm:", "ssm:model-key", "ssm:/a/*"])
def test_a_key_in_plain_text_is_refused(value: str) -> None:
    assert not re.fullmatch(KEY_REFERENCE, value)


def test_a_run_may_not_outlive_the_function_that_makes_its_turn(service: Template) -> None:
    longest = service.body["Parameters"]["RunTtlSeconds"]["MaxValue"]
    assert longest < service.of_type("Lambda::Function")["CallModel"]["Timeout"]

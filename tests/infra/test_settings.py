"""Settings are parameters of the stack and, by the same name, variables of every function."""

import re
from typing import Any

import pytest

from assistants.settings import DIMENSIONS, PREFIX, InvalidSettingsError, Settings
from infra.constructs.settings import MODELS, MODELS_FILE, RESOURCES, parameter_name
from infra.local.rules import violations
from infra.stacks.service import FUNCTIONS
from tests.infra.template import Template

KEY_REFERENCE = r"(ssm:(/[A-Za-z0-9_.-]+)+)?"
# Of all variables: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
LAMBDA_BYTES = 4096
LONGEST_RESOURCE = 130  # an ARN of ours, a queue's URL, an endpoint of a search index
LONGEST_NUMBER = 5

DEFAULTS = {
    "Auth": "keys",
    "ModelUrl": "",
    "ModelKey": "",
    "ModelTimeoutSeconds": "120",
    "Models": "",
    "ModelsFile": "",
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
    routers = {spec.id for spec in FUNCTIONS if spec.routes_models}
    assert routers == {"Api", "Stream", "CallModel", "CheckSettings"}
    for id, properties in service.of_type("Lambda::Function").items():
        variables = properties["Environment"]["Variables"]
        wanted = set(VARIABLES) - (set() if id in routers else {MODELS, MODELS_FILE})
        found = {name: value for name, value in variables.items() if name in VARIABLES}
        assert found == {name: {"Ref": parameter_name(name)} for name in wanted}


def longest(template: Template, value: Any) -> int:
    """The longest that a variable can be, in bytes."""
    if isinstance(value, str):
        return len(value)
    parameter = template.body["Parameters"].get(value.get("Ref"))
    if parameter is None:
        return LONGEST_RESOURCE
    allowed = [len(one) for one in parameter.get("AllowedValues", [])]
    return int(parameter.get("MaxLength", max(allowed, default=LONGEST_NUMBER)))


def test_the_largest_settings_fit_in_lambdas_variables(service: Template) -> None:
    for properties in service.of_type("Lambda::Function").values():
        variables = dict(properties["Environment"]["Variables"])
        variables.pop(MODELS_FILE, None)  # given instead of the longer MODELS
        most = sum(len(name) + longest(service, value) for name, value in variables.items())
        assert 2500 < most < LAMBDA_BYTES


def test_every_text_and_every_number_of_the_settings_is_bounded(service: Template) -> None:
    for name in DEFAULTS:
        parameter = service.body["Parameters"][name]
        if parameter["Type"] == "Number":
            assert {"MinValue", "MaxValue"} <= parameter.keys()
        elif "AllowedValues" not in parameter:
            assert {"AllowedPattern", "MaxLength", "ConstraintDescription"} <= parameter.keys()
            assert re.fullmatch(parameter["AllowedPattern"], parameter["Default"])


def test_no_bound_of_a_setting_is_one_that_cloudformation_cannot_express() -> None:
    schemas = Settings.model_json_schema()["properties"].values()
    assert not [one for one in schemas if {"exclusiveMinimum", "exclusiveMaximum"} & one.keys()]


@pytest.mark.parametrize(
    ("name", "value", "taken"),
    [
        ("Models", '{"a": "b"}', True),
        ("Models", ' {\n "a": "b"\n}\n', True),
        ("Models", "gpt-4o", False),
        ("ModelUrl", "http://localhost:11434/v1", True),
        ("ModelUrl", "localhost:11434", False),
        ("ModelsFile", "s3://my-bucket/config/models_1.json", True),
        ("ModelsFile", "s3://my-bucket/*", False),
        ("ModelsFile", "/tmp/models.json", False),
        ("CorsOrigins", "*", True),
        ("CorsOrigins", "https://a.example, https://b.example:8443 capacitor://localhost", True),
        ("CorsOrigins", "a.example", False),
        ("EmbeddingModel", "", True),
        ("EmbeddingModel", "two words", False),
    ],
)
def test_a_value_is_checked_before_the_deployment(
    service: Template, name: str, value: str, taken: bool
) -> None:
    pattern = service.body["Parameters"][name]["AllowedPattern"]
    assert bool(re.fullmatch(pattern, value)) is taken


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({}, None),
        ({"ModelKey": "ssm:/k"}, "ModelKey is the key of the endpoint at ModelUrl"),
        ({"ModelKey": "ssm:/k", "ModelUrl": "https://m.example"}, None),
        ({"EmbeddingKey": "ssm:/k"}, "EmbeddingKey is the key of the endpoint"),
        ({"Models": "{}", "ModelsFile": "s3://b/k"}, "Models and ModelsFile exclude each other"),
        ({"ModelsFile": "s3://b/k"}, None),
        ({"EmbeddingModel": "text-embedding-3-small"}, "set EmbeddingUrl"),
        (
            {
                "EmbeddingModel": "text-embedding-3-small",
                "EmbeddingUrl": "https://e.example",
                "EmbeddingDimensions": "1536",
            },
            None,
        ),
        ({"EmbeddingDimensions": "768"}, "set EmbeddingDimensions"),
        ({"EmbeddingDimensions": "256"}, None),
        ({"EmbeddingModel": "minilm"}, "minilm answers vectors of 384"),
    ],
)
def test_settings_that_contradict_each_other_are_refused_before_the_deployment(
    service: Template, given: dict[str, str], sentence: str | None
) -> None:
    values = {**DEFAULTS, "BootstrapVersion": "99", **given}
    found = list(violations(service.body, values))
    assert len(found) == (1 if sentence else 0)
    assert sentence is None or sentence in found[0]


@pytest.mark.parametrize("model", [name for name, some in DIMENSIONS.items() if len(some) < 9])
def test_a_rule_and_the_settings_know_the_same_dimensions(service: Template, model: str) -> None:
    for dimensions in (*DIMENSIONS[model], 333):
        given = {"EmbeddingModel": model, "EmbeddingDimensions": str(dimensions)}
        if ":" not in model:
            given["EmbeddingUrl"] = "https://e.example/v1"
        values = {**DEFAULTS, "BootstrapVersion": "99", **given}
        environment = {
            "ASSISTANTS_" + re.sub("(?<=[a-z])(?=[A-Z])", "_", name).upper(): value
            for name, value in given.items()
        }
        try:
            Settings.checked(environment)
        except InvalidSettingsError:
            assert list(violations(service.body, values))
        else:
            assert not list(violations(service.body, values))


def test_the_settings_are_checked_before_a_function_is_given_them(service: Template) -> None:
    check = service.resources["CheckedSettings"]
    assert check["Type"] == "AWS::CloudFormation::CustomResource"
    assert set(check["Properties"]["Settings"]) == set(VARIABLES)
    assert int(check["Properties"]["ServiceTimeout"]) > 90
    for id, resource in service.resources.items():
        if resource["Type"] == "AWS::Lambda::Function":
            waits = "CheckedSettings" in resource.get("DependsOn", [])
            assert waits == (id != "CheckSettings")


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

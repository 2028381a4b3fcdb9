"""Settings are parameters of the stack and, by the same name, variables of every function."""

import re

import pytest

from infra.constructs.settings import MODEL_KEY, SETTINGS, Setting
from tests.infra.template import Template

DEFAULTS = {
    "Auth": "keys",
    "ModelUrl": "",
    "ModelKey": "",
    "ModelTimeoutSeconds": "120",
    "Models": "",
    "RunTtlSeconds": "600",
    "CorsOrigins": "",
    "LogLevel": "INFO",
}


def test_each_setting_is_a_parameter_with_its_default(service: Template) -> None:
    parameters = service.body["Parameters"]
    assert {name: str(parameters[name]["Default"]) for name in DEFAULTS} == DEFAULTS
    assert parameters.keys() - DEFAULTS.keys() == {"BootstrapVersion"}


def test_each_function_gets_each_setting_from_its_parameter(service: Template) -> None:
    for properties in service.of_type("Lambda::Function").values():
        variables = properties["Environment"]["Variables"]
        for setting in SETTINGS:
            assert variables[setting.variable] == {"Ref": setting.parameter}


def test_each_function_knows_the_resources_and_its_own_name(service: Template) -> None:
    for id, properties in service.of_type("Lambda::Function").items():
        variables = properties["Environment"]["Variables"]
        name = service.resources[id]["Metadata"]["source"].removeprefix("functions/")
        assert variables["POWERTOOLS_SERVICE_NAME"] == name
        assert {"ASSISTANTS_TABLE", "ASSISTANTS_BUCKET", "ASSISTANTS_STATE_MACHINE"} <= set(
            variables
        )


def test_a_variable_name_becomes_a_parameter_name() -> None:
    assert Setting("ASSISTANTS_RUN_TTL_SECONDS", "").parameter == "RunTtlSeconds"


@pytest.mark.parametrize("reference", ["", "ssm:/assistants/model-key", "ssm:/k"])
def test_the_model_key_is_given_by_reference(reference: str) -> None:
    assert re.fullmatch(str(MODEL_KEY.allowed_pattern), reference)


@pytest.mark.parametrize("value", ["sk-proj-0123456789abcdef", "ssm:", "ssm:model-key", "ssm:/a/*"])
def test_a_model_key_in_plain_text_is_refused(value: str) -> None:
    assert not re.fullmatch(str(MODEL_KEY.allowed_pattern), value)


def test_a_run_may_not_outlive_the_function_that_makes_its_turn(service: Template) -> None:
    longest = service.body["Parameters"]["RunTtlSeconds"]["MaxValue"]
    assert longest < service.of_type("Lambda::Function")["CallModel"]["Timeout"]

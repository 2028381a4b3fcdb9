"""A state of the run machine, its function's folder and its substitution have one name."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from assistants.domain.errors import RateLimitError
from assistants.domain.hosted_tools.registry import HOSTED_TOOLS
from assistants.ports.executions import ExecutionsUnavailableError
from infra.constructs.run_machine import DEFINITION, placeholders
from infra.stacks.service import FUNCTIONS
from tests.infra.template import Template

MAX_RUN_SECONDS = 840


def states(definition: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Return all states, those inside of a Map or Parallel included."""
    for name, state in definition["States"].items():
        yield name, state
        inner = [state[key] for key in ("ItemProcessor", "Iterator") if key in state]
        for processor in inner + state.get("Branches", []):
            yield from states(processor)


@pytest.fixture(scope="module")
def tasks() -> Mapping[str, Mapping[str, Any]]:
    definition = json.loads(DEFINITION.read_text())
    return {name: state for name, state in states(definition) if state["Type"] == "Task"}


def test_the_deployed_definition_is_the_file(service: Template) -> None:
    machine = service.only("StepFunctions::StateMachine")
    assert json.loads(machine["DefinitionString"]) == json.loads(DEFINITION.read_text())


def test_each_task_invokes_the_function_of_its_own_name(
    tasks: Mapping[str, Mapping[str, Any]],
) -> None:
    known = {spec.id for spec in FUNCTIONS}
    for name, state in tasks.items():
        (function,) = placeholders(json.dumps(state))
        assert function in known
        assert state["Arguments" if "Arguments" in state else "Parameters"]["FunctionName"] == (
            f"${{{function}}}"
        )
        assert function == name


def test_each_hosted_tool_has_a_state_and_no_other_tool_does() -> None:
    definition = json.loads(DEFINITION.read_text())
    choices = dict(states(definition))["WhichTool"]["Choices"]
    assert {choice["StringEquals"]: choice["Next"] for choice in choices} == {
        name: spec.state for name, spec in HOSTED_TOOLS.items()
    }


def test_each_placeholder_is_substituted_by_the_function_of_that_name(service: Template) -> None:
    substitutions = service.only("StepFunctions::StateMachine")["DefinitionSubstitutions"]
    assert substitutions == {
        name: {"Fn::GetAtt": [name, "Arn"]} for name in placeholders(DEFINITION.read_text())
    }


def test_each_task_ends_by_a_timeout_and_none_by_a_heartbeat(
    tasks: Mapping[str, Mapping[str, Any]],
) -> None:
    for state in tasks.values():
        assert {"TimeoutSeconds", "TimeoutSecondsPath"} & set(state)
        assert not [key for key in state if key.startswith("Heartbeat")]


def test_what_is_busy_is_tried_again_for_as_long_as_a_run_lives(
    tasks: Mapping[str, Mapping[str, Any]],
) -> None:
    """A function, the table, and Step Functions itself, which a wait may have to call back."""
    busy = {"Lambda.TooManyRequestsException", RateLimitError.__name__}
    for name, state in tasks.items():
        first = state["Retry"][0]
        if name != "FinishRun":
            waits = {ExecutionsUnavailableError.__name__} if name == "AwaitToolOutputs" else set()
            assert set(first["ErrorEquals"]) == busy | waits
            assert first["JitterStrategy"] == "FULL"
            assert first["MaxAttempts"] * first["MaxDelaySeconds"] >= MAX_RUN_SECONDS


def test_the_machine_logs_errors_without_what_the_states_carry(service: Template) -> None:
    machine = service.only("StepFunctions::StateMachine")
    logging = machine["LoggingConfiguration"]
    assert logging["Level"] == "ERROR"
    assert not logging.get("IncludeExecutionData")
    assert machine.get("StateMachineType", "STANDARD") == "STANDARD"


def test_functions_know_the_arn_that_the_machine_will_have(service: Template) -> None:
    name = service.only("StepFunctions::StateMachine")["StateMachineName"]
    for properties in service.of_type("Lambda::Function").values():
        arn = properties["Environment"]["Variables"]["ASSISTANTS_STATE_MACHINE"]
        assert arn["Fn::Join"][1][-1] == f":stateMachine:{name}"


def test_a_broken_execution_ends_its_run(service: Template) -> None:
    rules = service.of_type("Events::Rule").values()
    (rule,) = (rule for rule in rules if "EventPattern" in rule)
    pattern = rule["EventPattern"]
    assert pattern["detail"]["status"] == ["FAILED", "TIMED_OUT", "ABORTED"]
    assert pattern["detail-type"] == ["Step Functions Execution Status Change"]
    assert [target["Arn"] for target in rule["Targets"]] == [{"Fn::GetAtt": ["FinishRun", "Arn"]}]

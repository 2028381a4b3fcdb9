"""cfn-lint finds no mistake in the templates, nor in the state machine's definition inside."""

import json
from pathlib import Path

import pytest
from cfnlint.api import lint
from cfnlint.config import ManualArgs

REGIONS = ["eu-central-1", "us-east-1"]
# The CDK repeats as DependsOn what a reference already says.
IGNORED = ["W3005"]
STACKS = ("AssistantsData", "AssistantsService")


def findings(template: str) -> list[str]:
    matches = lint(template, config=ManualArgs(regions=REGIONS, ignore_checks=IGNORED))
    return [f"{match.rule.id} {match.path}: {match.message}" for match in matches]


@pytest.mark.parametrize("stack", STACKS)
def test_a_template_has_no_findings(assembly: Path, stack: str) -> None:
    assert findings((assembly / f"{stack}.template.json").read_text()) == []


def test_a_definition_that_starts_nowhere_is_found(assembly: Path) -> None:
    template = json.loads((assembly / "AssistantsService.template.json").read_text())
    machine = template["Resources"]["RunMachine"]
    definition = json.loads(machine["Properties"]["DefinitionString"])
    machine["Properties"]["DefinitionString"] = json.dumps({**definition, "StartAt": "Nowhere"})
    template["Resources"] = {"RunMachine": machine}
    assert any("Nowhere" in finding for finding in findings(json.dumps(template)))

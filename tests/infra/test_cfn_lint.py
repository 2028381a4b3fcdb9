"""cfn-lint finds no mistake in the templates, nor in the state machine's definition inside."""

import json
from pathlib import Path

import pytest

from tests.infra.cfn_findings import findings

STACKS = ("AssistantsData", "AssistantsService")


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

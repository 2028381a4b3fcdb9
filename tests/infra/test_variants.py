"""Every combination of the options that change resources passes cfn-lint and cdk-nag."""

import json
import os
from collections.abc import Iterator
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import cdk_nag
import pytest
from aws_cdk import Validations

from infra.options import Options
from infra.stacks.data import DataStack
from infra.stacks.service import ServiceStack
from tests.infra.accepted_findings import ACCEPTED, Accepted
from tests.infra.cfn_findings import findings
from tests.infra.template import app_with

KEY = "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
STACKS = ("AssistantsData", "AssistantsService")
# Options that change properties of what is there anyway take turns in these.
TOOLS = list(product(("public", "isolated", "off"), ("serverless", "domain", "off"), (False, True)))
NAMED_ZONES = ["W3010"]  # the option `zones` names them on purpose


def context_of(number: int) -> dict[str, Any]:
    code_interpreter, file_search, file_server = TOOLS[number]
    turn = number % 2 == 1
    return {
        "code_interpreter": code_interpreter,
        "file_search": file_search,
        "file_server": file_server,
        "architecture": "x86_64" if turn else "arm64",
        "tracing": number % 3 == 0,
        "access_log": number % 3 != 1,
        "check_settings": number % 4 != 3,
        "deletion_protection": turn,
        "recovery_days": 0 if number % 3 == 2 else 7,
        "encryption_key": KEY if number % 4 < 2 else None,
        "retain_data": not turn,
        "zones": "us-east-1a,us-east-1b" if number % 5 == 4 else None,
    }


@cache
def synthesized(number: int) -> Path:
    """The assembly, with cdk-nag's report in it: a finding fails the synthesis."""
    app = app_with(**context_of(number))
    options = Options.of(app)
    data = DataStack(app, "AssistantsData", options)
    ServiceStack(app, "AssistantsService", options, data=data)
    Validations.of(app).add_plugins(cdk_nag.AwsSolutionsChecks())
    with pytest.raises(RuntimeError, match="ValidationFailed"):
        app.synth()
    return Path(os.path.realpath(app.outdir))


def violations(folder: Path) -> Iterator[tuple[str, str]]:
    reports = json.loads((folder / "validation-report.json").read_text())["pluginReports"]
    (ours,) = (one for one in reports if one["pluginName"] == "AwsSolutions")
    for violation in ours["violations"]:
        for construct in violation["violatingConstructs"]:
            yield violation["ruleName"].removeprefix("AwsSolutions-"), construct["constructPath"]


def covering(rule: str, path: str) -> Accepted | None:
    return next((one for one in ACCEPTED if one.covers(rule, path)), None)


@pytest.mark.parametrize(
    "number", range(len(TOOLS)), ids=["-".join(map(str, one)) for one in TOOLS]
)
def test_a_variant_has_no_finding_without_a_reason(number: int) -> None:
    folder = synthesized(number)
    found = list(violations(folder))
    assert len(found) > 50
    assert [one for one in found if not covering(*one)] == []
    for stack in STACKS:
        template = (folder / f"{stack}.template.json").read_text()
        assert findings(template, ignored=NAMED_ZONES) == []


def test_every_reason_is_needed_by_some_variant() -> None:
    found = {one for number in range(len(TOOLS)) for one in violations(synthesized(number))}
    assert set(ACCEPTED) == {covering(*one) for one in found}

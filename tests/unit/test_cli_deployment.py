"""The command finds the resources of the deployment whose name it is given."""

from typing import Any

import pytest

from assistants.cli import deployment as module
from assistants.cli.deployment import Deployment


class Stacks:
    """CloudFormation with an output that names the stack it is of."""

    def describe_stacks(self, StackName: str) -> dict[str, Any]:
        outputs = [{"OutputKey": "BucketName", "OutputValue": f"bucket-of-{StackName}"}]
        return {"Stacks": [{"Outputs": outputs}]}


@pytest.mark.parametrize(
    ("given", "bucket"),
    [((), "bucket-of-AssistantsData"), (("Staging",), "bucket-of-StagingData")],
)
def test_the_name_of_a_deployment_begins_the_names_of_its_stacks(
    monkeypatch: pytest.MonkeyPatch, given: tuple[str, ...], bucket: str
) -> None:
    monkeypatch.setattr(module, "client", lambda _service: Stacks())
    assert Deployment(None, None, None, *given).bucket == bucket

"""Deploy the stacks of an assembly to the local account, and its functions to their host."""

import io
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from infra.local.assembly import Assembly, StackTemplate, logical_id
from infra.local.cloud import Cloud
from infra.local.function_spec import REGION, LocalFunctionSpec
from infra.local.parameters import distribute

BOOTSTRAP_VERSION = "/cdk-bootstrap/hnb659fds/version"  # `cdk bootstrap` creates it


class DeploymentError(Exception):
    """Raised when a stack cannot be created; the message names the stack and the reason."""


@dataclass(frozen=True)
class DeployedStack:
    """A stack that was created: physical ids by logical id, and outputs."""

    stack: StackTemplate
    resources: Mapping[str, str]
    outputs: Mapping[str, str]


def deploy(
    cloud: Cloud, assembly: Assembly, parameters: Mapping[str, str], sources: Path
) -> list[DeployedStack]:
    """Create every stack, then host its functions and tasks; their code is below `sources`.

    Raises `InvalidParameterError` and `DeploymentError`.
    """
    given = distribute(assembly.stacks, parameters)
    _bootstrap(cloud, assembly)
    deployed = [_create(cloud, stack, given[stack.name]) for stack in assembly.stacks]
    configurations = _function_configurations(cloud)
    for one in deployed:
        for spec in _function_specs(one, configurations, sources):
            cloud.functions.add(spec)
        for name, definition in one.stack.resources("AWS::ECS::TaskDefinition"):
            if "Metadata" in definition:  # its tasks can run locally
                cloud.tasks.add(one.resources[name], _source(name, definition, sources))
    return deployed


def _bootstrap(cloud: Cloud, assembly: Assembly) -> None:
    """Create what templates expect of a bootstrapped account, with empty archives as assets."""
    archive = io.BytesIO()
    zipfile.ZipFile(archive, "w").close()
    s3 = cloud.client("s3", recorded=False)
    bucket = f"cdk-hnb659fds-assets-{cloud.account}-{REGION}"
    s3.create_bucket(Bucket=bucket)
    for key in {key for stack in assembly.stacks for key in stack.objects}:
        s3.put_object(Bucket=bucket, Key=key, Body=archive.getvalue())
    ssm = cloud.client("ssm", recorded=False)
    ssm.put_parameter(Name=BOOTSTRAP_VERSION, Value="99", Type="String")


def _create(cloud: Cloud, stack: StackTemplate, parameters: Mapping[str, str]) -> DeployedStack:
    client = cloud.client("cloudformation", recorded=False)
    try:
        client.create_stack(
            StackName=stack.name,
            TemplateBody=stack.body,
            Capabilities=["CAPABILITY_NAMED_IAM"],
            Parameters=[
                {"ParameterKey": name, "ParameterValue": value}
                for name, value in parameters.items()
            ],
        )
        (described,) = client.describe_stacks(StackName=stack.name)["Stacks"]
    except ClientError as error:
        raise DeploymentError(f"Stack {stack.name}: {error}") from error
    if described["StackStatus"] != "CREATE_COMPLETE":
        raise DeploymentError(f"Stack {stack.name}: {described.get('StackStatusReason')}")
    return DeployedStack(stack, _physical_ids(client, stack.name), _outputs(described))


def _physical_ids(client: Any, stack: str) -> dict[str, str]:
    pages = client.get_paginator("list_stack_resources").paginate(StackName=stack)
    summaries = (summary for page in pages for summary in page["StackResourceSummaries"])
    return {one["LogicalResourceId"]: one.get("PhysicalResourceId", "") for one in summaries}


def _outputs(described: Mapping[str, Any]) -> dict[str, str]:
    return {one["OutputKey"]: one["OutputValue"] for one in described.get("Outputs", [])}


def _function_configurations(cloud: Cloud) -> dict[str, Any]:
    pages = cloud.client("lambda", recorded=False).get_paginator("list_functions").paginate()
    return {one["FunctionName"]: one for page in pages for one in page["Functions"]}


def _function_specs(
    deployed: DeployedStack, configurations: Mapping[str, Any], sources: Path
) -> Iterator[LocalFunctionSpec]:
    layers = dict(deployed.stack.resources("AWS::Lambda::LayerVersion"))
    for name, function in deployed.stack.resources("AWS::Lambda::Function"):
        properties = function["Properties"]
        configuration = configurations[deployed.resources[name]]
        variables = configuration.get("Environment", {}).get("Variables", {})
        needed = [logical_id(layer) for layer in properties.get("Layers", [])]
        yield LocalFunctionSpec(
            logical_id=name,
            name=configuration["FunctionName"],
            arn=configuration["FunctionArn"],
            handler=configuration["Handler"],
            timeout=configuration["Timeout"],
            memory_mb=configuration["MemorySize"],
            environment={name: str(value) for name, value in variables.items()},
            code=_source(name, function, sources),
            layers=tuple(_source(one, layers[one], sources) for one in needed if one),
            concurrency=properties.get("ReservedConcurrentExecutions"),
            recursive=properties.get("RecursiveLoop") == "Allow",
        )


def _source(name: str, resource: Mapping[str, Any], sources: Path) -> Path:
    try:
        return sources / str(resource["Metadata"]["source"])
    except KeyError as missing:
        raise DeploymentError(f"{name} has no Metadata that names its source") from missing

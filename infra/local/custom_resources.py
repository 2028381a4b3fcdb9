"""Invoke the functions of custom resources, which moto leaves out, and read their answers.

The answer goes where CloudFormation's goes: to a signed URL of a bucket.
"""

import json
from collections.abc import Mapping
from typing import Any

from infra.local.assembly import StackTemplate, logical_id
from infra.local.cloud import Cloud

KIND = "AWS::CloudFormation::CustomResource"
# The account grants every request, so a list of ARNs that nobody gave allows all.
EVERYTHING = frozenset({"BedrockModels", "EmbeddingModels", "ModelKeys"})


class RefusedResourceError(Exception):
    """Raised when the function of a custom resource refuses it; says why."""


def create_custom_resources(
    cloud: Cloud, stack: StackTemplate, parameters: Mapping[str, str]
) -> None:
    """Have the custom resources of `stack` made. Raises `RefusedResourceError`."""
    resources = list(stack.resources(KIND))
    values = _values(stack, parameters)
    for name, resource in resources:
        properties = _resolve(resource["Properties"], values)
        function = logical_id(resource["Properties"]["ServiceToken"])
        answer = _ask(cloud, function or "", name, properties)
        if answer["Status"] != "SUCCESS":
            raise RefusedResourceError(answer["Reason"])


def _values(stack: StackTemplate, parameters: Mapping[str, str]) -> dict[str, str | list[str]]:
    """Return what a reference to each parameter is: a text, or a list of texts."""
    values: dict[str, str | list[str]] = {}
    for name, declared in stack.template.get("Parameters", {}).items():
        value = parameters.get(name, str(declared.get("Default", "")))
        values[name] = value.split(",") if declared["Type"] == "CommaDelimitedList" else value
        if name in EVERYTHING and name not in parameters:
            values[name] = ["*"]
    return values


def _ask(cloud: Cloud, function: str, name: str, properties: Any) -> Any:
    s3 = cloud.client("s3", recorded=False)
    place = {"Bucket": f"custom-resources-{cloud.account}", "Key": name}
    s3.create_bucket(Bucket=place["Bucket"])
    event = {
        "RequestType": "Create",
        "ResponseURL": s3.generate_presigned_url("put_object", place),
        "StackId": "local",
        "RequestId": "local",
        "LogicalResourceId": name,
        "ResourceProperties": properties,
    }
    cloud.functions[function].invoke(json.dumps(event).encode()).response()
    return json.loads(s3.get_object(**place)["Body"].read())


def _resolve(value: Any, values: Mapping[str, Any]) -> Any:
    """Replace references to parameters; the properties hold no others but to the function."""
    if isinstance(value, dict):
        if "Ref" in value:
            return values[value["Ref"]]
        return {
            name: _resolve(one, values) for name, one in value.items() if name != "ServiceToken"
        }
    return value

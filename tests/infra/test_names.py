"""Names and zones: several deployments live in one account, and replacements find a free name."""

import json
from typing import Any

import pytest
from aws_cdk import Stack, Tags
from aws_cdk import aws_iam as iam
from aws_cdk.assertions import Template as Assertions
from pydantic import ValidationError

from infra.constructs import search_collection
from infra.constructs.search_collection import SearchCollection
from infra.options import Options
from infra.stacks.data import DataStack
from infra.stacks.service import ServiceStack
from tests.infra.template import Template, app_with

NAMING = ("FunctionName", "StateMachineName", "LogGroupName", "Name", "RestApiName")


def service_with(**context: Any) -> Template:
    app = app_with(**context)
    options = Options.of(app)
    data = DataStack(app, f"{options.name}Data", options)
    service = ServiceStack(app, f"{options.name}Service", options, data=data)
    body = Assertions.from_stack(service).to_json()
    return Template(json.dumps(body), body)


@pytest.fixture(scope="module")
def staging() -> Template:
    return service_with(name="Staging", zones="us-east-1b,us-east-1d", file_server=True)


def names(template: Template) -> set[str]:
    """Every name that the template itself gives to a resource."""
    return {
        str(resource["Properties"][key])
        for resource in template.resources.values()
        for key in NAMING
        if isinstance(resource.get("Properties", {}).get(key), str)
    }


def test_deployments_of_two_names_share_no_name_of_a_resource(
    service: Template, staging: Template
) -> None:
    assert len(names(service)) > 15
    assert not names(service) & names(staging)


def test_the_default_names_stay(service: Template) -> None:
    assert "AssistantsService-CallModel" in names(service)
    assert "AssistantsService-Run" in names(service)


@pytest.mark.parametrize("name", ["", "1st", "two words", "x" * 31])
def test_a_name_that_no_stack_can_have_is_refused(name: str) -> None:
    with pytest.raises(ValidationError, match="name"):
        Options.of(app_with(name=name))


def test_networks_are_in_the_zones_that_are_given(service: Template, staging: Template) -> None:
    subnets = staging.of_type("EC2::Subnet").values()
    assert {one["AvailabilityZone"] for one in subnets} == {"us-east-1b", "us-east-1d"}
    default = service.of_type("EC2::Subnet").values()
    assert {str(one["AvailabilityZone"]) for one in default} == {
        str({"Fn::Select": [number, {"Fn::GetAZs": ""}]}) for number in (0, 1)
    }


def test_one_zone_is_too_few() -> None:
    with pytest.raises(ValidationError, match="zones"):
        Options.of(app_with(zones="us-east-1a"))


def collection_of(stack_name: str) -> Template:
    stack = Stack(app_with(), stack_name)
    index = SearchCollection(stack, "Index")
    role = iam.Role(stack, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
    index.admit(writers=[role], readers=[role])
    body = Assertions.from_stack(stack).to_json()
    return Template(json.dumps(body), body)


def named_by(template: Template) -> str:
    """The one name of collection and group, of which every policy of theirs speaks."""
    name = str(template.only("OpenSearchServerless::Collection")["Name"])
    assert template.only("OpenSearchServerless::CollectionGroup")["Name"] == name
    policies = [
        *template.of_type("OpenSearchServerless::SecurityPolicy").values(),
        *template.of_type("OpenSearchServerless::AccessPolicy").values(),
    ]
    assert len(policies) == 3
    assert all(one["Name"] == name and f"/{name}" in str(one["Policy"]) for one in policies)
    assert len(name) <= 32
    return name


def test_a_tag_of_the_application_does_not_replace_the_collection() -> None:
    stack = Stack(app_with(), "AssistantsService")
    SearchCollection(stack, "Index")
    Tags.of(stack).add("team", "search")
    resources = Assertions.from_stack(stack).to_json()["Resources"]
    assert "Tags" not in resources["SearchCollection"]["Properties"]
    assert "Tags" in resources["SearchGroup"]["Properties"]


def test_a_collection_that_is_replaced_gets_a_name_that_is_free(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """CloudFormation makes the new one before it deletes the old one."""
    found = [named_by(collection_of("AssistantsService")) for _ in range(2)]
    monkeypatch.setattr(search_collection, "OWN_KEY", False)
    found.append(named_by(collection_of("AssistantsService")))
    changed = {**search_collection.CREATE_ONLY, "standby_replicas": "DISABLED"}
    monkeypatch.setattr(search_collection, "CREATE_ONLY", changed)
    found.append(named_by(collection_of("AssistantsService")))
    found.append(named_by(collection_of("AssistantsServiceOfAnother")))
    assert len(set(found)) == len(found) - 1
    assert found[0] == found[1]

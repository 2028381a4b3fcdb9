"""The code interpreter's sessions: what they may do, who reaches them, and what they reach."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import aws_ecs as ecs

from assistants.adapters.sandbox import fargate
from infra.options import Options
from infra.repository import REPOSITORY
from infra.stacks.data import DataStack
from infra.stacks.service import ServiceStack
from tests.infra.cfn_findings import findings
from tests.infra.template import Template, app_with, listed
from tests.support.markdown import Page

NEEDED = {"CHOWN", "KILL", "SETGID", "SETUID"}
VARIABLES = {
    "ASSISTANTS_SANDBOX_CLUSTER",
    "ASSISTANTS_SANDBOX_TASK",
    "ASSISTANTS_SANDBOX_SUBNETS",
    "ASSISTANTS_SANDBOX_SECURITY_GROUP",
    "ASSISTANTS_SANDBOX_PUBLIC_IP",
    "ASSISTANTS_SANDBOX_PROXY",
}


def synthesized(**context: Any) -> Template:
    app = app_with(**context)
    options = Options.of(app)
    data = DataStack(app, "AssistantsData", options)
    stack = ServiceStack(app, "AssistantsService", options, data=data)
    folder = Path(os.path.realpath(app.synth().directory))
    return Template.read(folder / f"{stack.stack_name}.template.json")


@pytest.fixture(scope="module")
def isolated() -> Template:
    return synthesized(code_interpreter="isolated")


@pytest.fixture(scope="module")
def without() -> Template:
    return synthesized(code_interpreter="off")


OURS = "CodeInterpreterNetwork"  # how the ids of what is in the sandboxes' network begin


def endpoints(template: Template) -> list[Mapping[str, Any]]:
    """The endpoints in the network of the sandboxes."""
    return [one for id, one in template.of_type("EC2::VPCEndpoint").items() if id.startswith(OURS)]


def container(template: Template) -> Mapping[str, Any]:
    (only,) = template.of_type("ECS::TaskDefinition")["Sandbox"]["ContainerDefinitions"]
    return dict(only)


def ingress(template: Template) -> Iterator[tuple[str, str, int, int]]:
    """Return the ingress rules: the group, the group that it lets in, and the ports."""
    for group in template.of_type("EC2::SecurityGroup").values():
        assert "SecurityGroupIngress" not in group
    for rule in template.of_type("EC2::SecurityGroupIngress").values():
        to, source = rule["GroupId"], rule["SourceSecurityGroupId"]
        yield named(source), named(to), rule["FromPort"], rule["ToPort"]


def named(reference: Mapping[str, Any]) -> str:
    id = str(reference["Fn::GetAtt"][0]).removeprefix("CodeInterpreterNetwork")
    return next(name for name in ("Proxies", "Sessions", "Endpoints") if id.startswith(name))


def test_a_session_has_no_role_and_so_no_credentials(service: Template) -> None:
    task = service.of_type("ECS::TaskDefinition")["Sandbox"]
    assert "TaskRoleArn" not in task
    variables = {variable["Name"] for variable in container(service)["Environment"]}
    assert variables == {"SANDBOX_MEMORY_MB", "SANDBOX_DISK_MB"}


def test_the_image_the_network_and_the_adapter_mean_the_same_container(service: Template) -> None:
    only = container(service)
    assert only["Name"] == fargate.CONTAINER
    assert [one["ContainerPort"] for one in only["PortMappings"]] == [fargate.PORT]
    dockerfile = (REPOSITORY / "functions/sandbox/Dockerfile").read_text()
    assert f"SANDBOX_PORT={fargate.PORT}" in dockerfile and f"EXPOSE {fargate.PORT}" in dockerfile
    for path in (mount["ContainerPath"] for mount in only["MountPoints"]):
        assert f'"{path}"' in dockerfile


def test_its_execution_role_fetches_the_image_and_writes_the_log(service: Template) -> None:
    task = service.of_type("ECS::TaskDefinition")["Sandbox"]
    assert service.actions(task["ExecutionRoleArn"]["Fn::GetAtt"][0]) == {
        "ecr:BatchCheckLayerAvailability",
        "ecr:BatchGetImage",
        "ecr:GetAuthorizationToken",
        "ecr:GetDownloadUrlForLayer",
        "logs:CreateLogStream",
        "logs:PutLogEvents",
    }


def test_a_session_keeps_four_capabilities(service: Template) -> None:
    capabilities = container(service)["LinuxParameters"]["Capabilities"]
    known = {capability.name for capability in ecs.Capability} - {"ALL"}
    assert known - set(capabilities["Drop"]) == NEEDED
    assert "Add" not in capabilities


def test_a_session_writes_to_its_two_volumes_only(service: Template) -> None:
    only = container(service)
    assert only["ReadonlyRootFilesystem"] is True
    assert {mount["ContainerPath"] for mount in only["MountPoints"]} == {"/mnt/data", "/tmp"}
    assert only["LinuxParameters"]["InitProcessEnabled"] is True


def test_the_code_leaves_memory_and_disk_to_the_daemon() -> None:
    template = synthesized(sandbox_memory="4096", sandbox_cpu="2048", sandbox_disk="30")
    variables = {one["Name"]: one["Value"] for one in container(template)["Environment"]}
    assert variables == {"SANDBOX_MEMORY_MB": "3796", "SANDBOX_DISK_MB": "30720"}
    task = template.of_type("ECS::TaskDefinition")["Sandbox"]
    assert (task["Cpu"], task["Memory"]) == ("2048", "4096")
    assert task["EphemeralStorage"] == {"SizeInGiB": 46}


def test_only_the_proxy_function_reaches_a_session(service: Template) -> None:
    assert list(ingress(service)) == [("Proxies", "Sessions", 8080, 8080)]
    functions = service.of_type("Lambda::Function")
    groups = {
        id: one["VpcConfig"]["SecurityGroupIds"]
        for id, one in functions.items()
        if OURS in str(one.get("VpcConfig"))
    }
    assert list(groups) == ["SandboxProxy"]
    (group,) = groups["SandboxProxy"]
    assert named(group) == "Proxies"


def test_only_sessions_reach_the_endpoints(isolated: Template) -> None:
    assert set(ingress(isolated)) == {
        ("Proxies", "Sessions", 8080, 8080),
        ("Sessions", "Endpoints", 443, 443),
    }


@pytest.mark.parametrize("variant", ["service", "isolated"])
def test_nobody_speaks_but_to_sessions_and_by_https(
    variant: str, request: pytest.FixtureRequest
) -> None:
    template: Template = request.getfixturevalue(variant)
    groups = template.of_type("EC2::SecurityGroup").values()
    rules = [rule for group in groups for rule in group["SecurityGroupEgress"]]
    rules += template.of_type("EC2::SecurityGroupEgress").values()
    open_ports = {rule["FromPort"] for rule in rules if rule["IpProtocol"] == "tcp"}
    assert open_ports == {443, 8080}
    assert not [rule for rule in rules if rule["IpProtocol"] == "-1"]


def test_no_route_leads_from_an_isolated_session_to_the_internet(isolated: Template) -> None:
    for kind in ("Route", "InternetGateway", "NatGateway", "EgressOnlyInternetGateway"):
        assert isolated.of_type(f"EC2::{kind}") == {}
    variables = isolated.of_type("Lambda::Function")["RunCode"]["Environment"]["Variables"]
    assert variables["ASSISTANTS_SANDBOX_PUBLIC_IP"] == "false"


def test_isolated_sessions_have_endpoints_for_images_and_logs(isolated: Template) -> None:
    there = endpoints(isolated)
    names = {str(one["ServiceName"]["Fn::Join"][1][-1]).lstrip(".") for one in there}
    assert names == {"s3", "ecr.api", "ecr.dkr", "logs"}
    interfaces = [one for one in there if one["VpcEndpointType"] == "Interface"]
    assert {len(one["SubnetIds"]) for one in interfaces} == {1}


def test_an_endpoint_serves_the_execution_role_and_nobody_else(isolated: Template) -> None:
    role = isolated.of_type("ECS::TaskDefinition")["Sandbox"]["ExecutionRoleArn"]
    for endpoint in endpoints(isolated):
        for statement in endpoint["PolicyDocument"]["Statement"]:
            if endpoint["VpcEndpointType"] == "Interface":
                assert statement["Principal"] == {"AWS": role}
            assert "*" not in str(statement["Action"])


@pytest.mark.parametrize("variant", ["service", "isolated"])
def test_s3_is_reached_for_layers_of_images_and_by_the_proxy_for_files(
    variant: str, request: pytest.FixtureRequest
) -> None:
    template: Template = request.getfixturevalue(variant)
    (gateway,) = (one for one in endpoints(template) if one["VpcEndpointType"] == "Gateway")
    layers, files, listing = gateway["PolicyDocument"]["Statement"]
    assert layers["Resource"]["Fn::Join"][1][-1] == "-starport-layer-bucket/*"
    assert layers["Action"] == "s3:GetObject"
    proxy = {"Fn::GetAtt": [template.role_of("SandboxProxy"), "Arn"]}
    for statement in (files, listing):
        assert statement["Condition"] == {"ArnEquals": {"aws:PrincipalArn": proxy}}


def test_a_public_session_costs_nothing_while_there_is_none(service: Template) -> None:
    fixed = ("NatGateway", "EIP")
    assert [service.of_type(f"EC2::{kind}") for kind in fixed] == [{}, {}]
    (endpoint,) = endpoints(service)
    assert endpoint["VpcEndpointType"] == "Gateway"
    assert service.of_type("ECS::Service") == {}


def test_sessions_are_started_in_one_cluster_of_one_definition(service: Template) -> None:
    inside = {"ArnEquals": {"ecs:cluster": {"Fn::GetAtt": ["Sandboxes", "Arn"]}}}
    found = [one for _, one in service.statements() if "ecs:" in str(one["Action"])]
    assert {str(one["Condition"]) for one in found} == {str(inside)}
    starts = [one["Resource"] for one in found if one["Action"] == "ecs:RunTask"]
    assert starts == [{"Ref": "Sandbox"}] * 3
    others = [str(one["Resource"]) for one in found if one["Action"] != "ecs:RunTask"]
    assert others and all("':task/', {'Ref': 'Sandboxes'}, '/*'" in one for one in others)


def test_only_the_execution_role_is_passed_and_only_to_tasks(service: Template) -> None:
    task = service.of_type("ECS::TaskDefinition")["Sandbox"]
    passed = [one for _, one in service.statements() if one["Action"] == "iam:PassRole"]
    assert [one["Resource"] for one in passed] == [task["ExecutionRoleArn"]] * 3
    service_of_tasks = {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}}
    assert [one["Condition"] for one in passed] == [service_of_tasks] * 3


def test_the_proxys_own_code_cannot_use_what_lambda_needs_for_its_network(
    service: Template,
) -> None:
    role = service.role_of("SandboxProxy")
    interfaces = [
        found
        for owner, found in service.statements()
        if owner == role and str(listed(found["Action"])[0]).startswith("ec2:")
    ]
    allowed, denied = interfaces
    assert (allowed["Effect"], denied["Effect"]) == ("Allow", "Deny")
    assert allowed["Action"] == denied["Action"]
    assert denied["Condition"] == {"Null": {"lambda:SourceFunctionArn": "false"}}


def test_sessions_and_functions_may_do_the_same_in_both_networks(
    service: Template, isolated: Template
) -> None:
    one, other = (sorted(map(str, template.statements())) for template in (service, isolated))
    assert one == other
    kind = "ECS::TaskDefinition"
    assert service.of_type(kind) == isolated.of_type(kind)


def test_the_image_has_the_packages_that_were_chosen() -> None:
    core, full = (synthesized(sandbox_packages=packages) for packages in ("core", "full"))
    # An image is named by its content, of which the build's arguments are a part.
    assert container(core)["Image"] != container(full)["Image"]


def test_the_documentation_lists_the_packages_of_the_image() -> None:
    section = Page.read("docs/code-interpreter.md").section("Packages")
    paragraph = " ".join(section.text.split())
    requirements = REPOSITORY / "functions/sandbox/requirements"
    core, full = (
        [
            line
            for line in (requirements / f"{name}.in").read_text().splitlines()
            if line[0] not in "#-"
        ]
        for name in ("core", "full")
    )
    listed = f"`core`: {', '.join(core)}. `full`, beyond these: {', '.join(full)}."
    assert paragraph.endswith(listed)


def test_a_deployment_without_it_has_nothing_of_it(without: Template) -> None:
    kinds = {resource["Type"] for resource in without.resources.values()}
    assert not {kind for kind in kinds if kind.startswith("AWS::ECS")}
    assert not {id for id in without.resources if id.startswith("CodeInterpreter")}
    functions = without.of_type("Lambda::Function")
    assert "SandboxProxy" not in functions
    for function in functions.values():
        assert not VARIABLES & function["Environment"]["Variables"].keys()
    allowed = {one for _, found in without.statements() for one in listed(found["Action"])}
    assert not {one for one in allowed if str(one).startswith(("ecs:", "ecr:", "iam:"))}


@pytest.mark.parametrize("variant", ["isolated", "without"])
def test_cfn_lint_finds_nothing_in_the_other_variants(
    variant: str, request: pytest.FixtureRequest
) -> None:
    template: Template = request.getfixturevalue(variant)
    assert findings(template.text) == []

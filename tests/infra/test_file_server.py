"""The file server: nothing of it unless asked for, and then no more than it needs."""

import os
from pathlib import Path
from typing import Any

import pytest
from aws_cdk.assertions import Template as Assertions

from infra.constructs.settings import MODELS, MODELS_FILE, RESOURCES
from infra.options import Options
from infra.repository import REPOSITORY
from infra.stacks.data import DataStack
from infra.stacks.service import ServiceStack
from tests.infra.template import Template, app_with

STAGE_PATH = "/v1/files"


@pytest.fixture(scope="module")
def outdir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("with-file-server")


@pytest.fixture(scope="module")
def asked_for(outdir: Path) -> Assertions:
    app = app_with(file_server="true", code_interpreter="off")
    options = Options.of(app)
    data = DataStack(app, "AssistantsData", options)
    stack = ServiceStack(app, "AssistantsService", options, data=data)
    template = Assertions.from_stack(stack)
    outdir.joinpath("assembly").symlink_to(os.path.realpath(app.outdir))
    return template


def found(template: Assertions, kind: str) -> list[dict[str, Any]]:
    return [one.get("Properties", {}) for one in template.find_resources(f"AWS::{kind}").values()]


def test_nothing_of_it_exists_unless_asked_for(service: Template) -> None:
    for kind in (
        "CloudFront::Distribution",
        "ElasticLoadBalancingV2::LoadBalancer",
        "ECS::Service",
    ):
        assert service.of_type(kind) == {}


def test_only_files_go_to_the_server(asked_for: Assertions) -> None:
    [distribution] = found(asked_for, "CloudFront::Distribution")
    configuration = distribution["DistributionConfig"]
    [files] = configuration["CacheBehaviors"]
    assert files["PathPattern"] == STAGE_PATH
    by_id = {origin["Id"]: origin for origin in configuration["Origins"]}
    assert "VpcOriginConfig" in by_id[files["TargetOriginId"]]
    rest = by_id[configuration["DefaultCacheBehavior"]["TargetOriginId"]]
    assert rest["DomainName"] == {"Fn::Select": [2, {"Fn::Split": ["/", gateway_url(asked_for)]}]}
    for behavior in (files, configuration["DefaultCacheBehavior"]):
        assert "POST" in behavior["AllowedMethods"]
        assert behavior["ViewerProtocolPolicy"] == "https-only"


def gateway_url(template: Assertions) -> Any:
    return template.to_json()["Outputs"]["BaseUrl"]["Value"]


def test_nothing_reaches_it_from_outside(asked_for: Assertions) -> None:
    [balancer] = found(asked_for, "ElasticLoadBalancingV2::LoadBalancer")
    assert balancer["Scheme"] == "internal"
    assert all("Balancer" in subnet["Ref"] for subnet in balancer["Subnets"])
    rules = [
        rule
        for group in found(asked_for, "EC2::SecurityGroup")
        for rule in group.get("SecurityGroupIngress", [])
    ]
    assert [(rule["FromPort"], "Fn::GetAtt" in rule["CidrIp"]) for rule in rules] == [(80, True)]
    assert found(asked_for, "EC2::NatGateway") == []


def test_its_task_may_take_files_and_nothing_else(asked_for: Assertions) -> None:
    [task] = found(asked_for, "ECS::TaskDefinition")
    role = task["TaskRoleArn"]["Fn::GetAtt"][0]
    [policy] = (one for one in found(asked_for, "IAM::Policy") if one["Roles"] == [{"Ref": role}])
    actions = {
        action
        for statement in policy["PolicyDocument"]["Statement"]
        for action in (
            statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        )
    }
    assert {action for action in actions if action.startswith("s3:")} == {
        "s3:AbortMultipartUpload",
        "s3:DeleteObject",
        "s3:GetObject",
        "s3:PutObject",
    }
    assert {action.partition(":")[0] for action in actions} == {"dynamodb", "s3"}
    assert "*" not in [statement["Resource"] for statement in policy["PolicyDocument"]["Statement"]]


def test_it_has_the_settings_of_the_functions(asked_for: Assertions, service: Template) -> None:
    [task] = found(asked_for, "ECS::TaskDefinition")
    [container] = task["ContainerDefinitions"]
    names = {one["Name"] for one in container["Environment"]}
    functions = service.of_type("Lambda::Function")["Api"]["Environment"]["Variables"]
    assert {MODELS, MODELS_FILE} <= functions.keys()
    sandbox = {f"ASSISTANTS_{one.upper()}" for one in RESOURCES if one.startswith("sandbox_")}
    assert names == {*functions, "AWS_DEFAULT_REGION"} - sandbox - {MODELS, MODELS_FILE}


def test_the_image_is_made_of_what_it_needs(asked_for: Assertions, outdir: Path) -> None:
    [image] = [
        path.parent
        for path in outdir.joinpath("assembly").glob("asset.*/functions")
        if (path / "file_server").is_dir()
    ]
    assert {path.name for path in image.iterdir()} == {"functions", "layers"}
    assert [path.name for path in (image / "functions").iterdir()] == ["file_server"]
    dockerfile = (image / "functions/file_server/Dockerfile").read_text()
    for copied in ("layers/dependencies/requirements.txt", "functions/file_server/server.py"):
        assert copied in dockerfile
        assert (image / copied).is_file()


def test_the_image_has_the_server_that_the_tests_have() -> None:
    lines = REPOSITORY.joinpath("requirements.lock").read_text().splitlines()
    [pin] = (line for line in lines if line.startswith("uvicorn=="))
    assert pin in REPOSITORY.joinpath("functions/file_server/Dockerfile").read_text()

"""Each role may do what its function does, on our own resources, and nothing else."""

import re

import pytest

from tests.infra.template import Template, listed

TABLE = {
    "dynamodb:BatchGetItem",
    "dynamodb:ConditionCheckItem",
    "dynamodb:DeleteItem",
    "dynamodb:GetItem",
    "dynamodb:PutItem",
    "dynamodb:Query",
}
VALUES = {"s3:GetObject", "s3:PutObject"}
REMOVE, LIST = {"s3:DeleteObject"}, {"s3:ListBucket"}
READ = {"s3:GetObject"} | LIST
FILES = {"s3:AbortMultipartUpload", "s3:PutObject"} | REMOVE | LIST
START = {"states:StartExecution"}
RESUME = {"states:SendTaskSuccess"}
SEND = {"sqs:SendMessage"}
RECEIVE = {
    "sqs:ChangeMessageVisibility",
    "sqs:DeleteMessage",
    "sqs:GetQueueAttributes",
    "sqs:GetQueueUrl",
    "sqs:ReceiveMessage",
}
DELETE = {"dynamodb:BatchWriteItem", "s3:ListBucket", "s3:DeleteObject"}
KEYS = {"s3:GetObject", "ssm:GetParameter"}
ASK = {"bedrock:InvokeModelWithResponseStream", "ssm:GetParameter"}
END = {"ecs:StopTask"}
LAUNCH = {"ecs:RunTask", "iam:PassRole"} | END
EXECUTE = {"ecs:DescribeTasks", "lambda:InvokeFunction"}
INTERFACES = {
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses",
}
EMBED = {"bedrock:InvokeModel", "ssm:GetParameter"}
SEARCH = {"aoss:APIAccessAll"}  # and what the collection's own policy admits
LOG = {"logs:CreateLogStream", "logs:PutLogEvents"}

ALLOWED = {
    "Api": TABLE | VALUES | FILES | READ | START | RESUME | SEND | LOG,
    "Stream": TABLE | VALUES | FILES | READ | START | RESUME | SEND | EMBED | SEARCH | LOG,
    "CallModel": TABLE | VALUES | READ | LOG | ASK | LAUNCH | SEARCH,
    "RunCode": TABLE | VALUES | REMOVE | LAUNCH | EXECUTE | LOG,
    "SandboxProxy": READ | {"s3:AbortMultipartUpload", "s3:PutObject"} | INTERFACES | LOG,
    "SearchFiles": TABLE | VALUES | EMBED | SEARCH | LOG,
    "IndexFile": TABLE
    | VALUES
    | {"s3:AbortMultipartUpload", "s3:DeleteObject"}
    | LIST
    | {"lambda:InvokeFunction"}
    | EMBED
    | SEARCH
    | SEND
    | RECEIVE
    | LOG,
    "ParseFile": INTERFACES | LOG,
    "AwaitToolOutputs": TABLE | VALUES | RESUME | LOG,
    "FinishRun": TABLE | VALUES | LOG,
    "Expire": TABLE | VALUES | REMOVE | LIST | START | RESUME | SEND | LAUNCH | LOG,
    "CheckSettings": LOG | KEYS,
    "Purge": TABLE | VALUES | DELETE | END | SEND | RECEIVE | LOG,
}

# Log delivery of a state machine cannot be narrowed: Step Functions' guide on logging gives this
# very list, on every resource.
DELIVERY = {
    "logs:CreateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:DescribeLogGroups",
    "logs:DescribeResourcePolicies",
    "logs:GetLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:UpdateLogDelivery",
}


@pytest.mark.parametrize("function", ALLOWED)
def test_a_function_may_do_exactly_what_it_needs(service: Template, function: str) -> None:
    assert service.actions(service.role_of(function)) == ALLOWED[function]


@pytest.mark.parametrize("trusted", ["ecs-tasks.amazonaws.com", "states.amazonaws.com"])
def test_a_service_may_assume_a_role_for_this_account_alone(
    service: Template, trusted: str
) -> None:
    trusts = [
        statement
        for role in service.of_type("IAM::Role").values()
        for statement in role["AssumeRolePolicyDocument"]["Statement"]
        if statement["Principal"].get("Service") == trusted
    ]
    assert trusts
    for trust in trusts:
        assert trust["Condition"] == {
            "StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
        }


def test_every_function_is_accounted_for(service: Template) -> None:
    assert set(service.of_type("Lambda::Function")) == set(ALLOWED)


def test_no_action_is_a_pattern(service: Template) -> None:
    for _role, statement in service.statements():
        assert not [action for action in listed(statement["Action"]) if "*" in str(action)]


def test_only_what_takes_no_resource_is_allowed_on_every_resource(service: Template) -> None:
    statements = [found for _, found in service.statements() if found["Effect"] == "Allow"]
    wide = [set(listed(one["Action"])) for one in statements if "*" in listed(one["Resource"])]
    assert sorted(wide, key=len) == [
        {"ecr:GetAuthorizationToken"},
        INTERFACES,
        INTERFACES,
        DELIVERY,
    ]


def test_objects_are_reached_below_their_prefix_only(service: Template) -> None:
    on_objects = [found for _, found in service.statements() if "s3:" in str(found["Action"])]
    listing = [found for found in on_objects if found["Action"] == "s3:ListBucket"]
    assert on_objects
    listed_below = {found["Condition"]["StringLike"]["s3:prefix"] for found in listing}
    assert listed_below == {"values/*", "uploads/*", "files/*", "texts/*", "parsed/*"}
    reached = [
        one for found in on_objects if found not in listing for one in listed(found["Resource"])
    ]
    named = {"Fn::Select": [1, {"Fn::Split": ["s3://", {"Ref": "ModelsFile"}]}]}
    last = [resource["Fn::Join"][1][-1] for resource in reached]
    assert last.count(named) == 4  # the roles of one policy
    below = {one for one in last if one != named}
    assert below == {"/values/*", "/files/*", "/uploads/*", "/texts/*", "/parsed/*"}


def test_only_the_sweep_reads_across_tenants(service: Template) -> None:
    readers = {role for role, found in service.statements() if "/index/due" in str(found)}
    assert readers == {service.role_of("Expire")}


def test_the_model_key_is_readable_only_where_one_is_named(service: Template) -> None:
    policies = [
        resource
        for resource in service.resources.values()
        if resource.get("Properties", {}).get("PolicyName") == "ReadModelKey"
    ]
    (policy,) = policies
    expected = {"Fn::Not": [{"Fn::Equals": [{"Ref": "ModelKey"}, ""]}]}
    assert service.body["Conditions"][policy["Condition"]] == expected


def test_the_run_machine_invokes_the_functions_of_its_states_only(service: Template) -> None:
    machine = service.only("StepFunctions::StateMachine")
    role = machine["RoleArn"]["Fn::GetAtt"][0]
    (invoke,) = (
        statement
        for owner, statement in service.statements()
        if owner == role and statement["Action"] == "lambda:InvokeFunction"
    )
    substitutions = machine["DefinitionSubstitutions"].values()
    assert sorted(map(str, invoke["Resource"])) == sorted(map(str, substitutions))


def test_only_the_gateways_log_role_has_a_policy_of_amazons(service: Template) -> None:
    managed = {
        id: role["ManagedPolicyArns"]
        for id, role in service.of_type("IAM::Role").items()
        if "ManagedPolicyArns" in role
    }
    (account,) = service.of_type("ApiGateway::Account").values()
    assert set(managed) == {account["CloudWatchRoleArn"]["Fn::GetAtt"][0]}
    assert "AmazonAPIGatewayPushToCloudWatchLogs" in str(managed)


def test_functions_are_invoked_by_the_gateway_and_by_rules_of_this_stack(
    service: Template,
) -> None:
    permissions = service.of_type("Lambda::Permission").values()
    for permission in permissions:
        assert permission["Principal"] in {"apigateway.amazonaws.com", "events.amazonaws.com"}
        assert "SourceArn" in permission


@pytest.mark.parametrize(
    ("parameter", "action", "functions"),
    [
        ("BedrockModels", "bedrock:InvokeModelWithResponseStream", ["CallModel"]),
        ("ModelKeys", "ssm:GetParameter", ["CallModel", "CheckSettings"]),
    ],
)
def test_models_may_be_asked_where_a_parameter_lists_them(
    service: Template, parameter: str, action: str, functions: list[str]
) -> None:
    (policy,) = (
        resource
        for resource in service.resources.values()
        if resource["Type"] == "AWS::IAM::Policy"
        and resource["Properties"]["PolicyName"] == parameter
    )
    (statement,) = policy["Properties"]["PolicyDocument"]["Statement"]
    assert statement == {"Action": action, "Effect": "Allow", "Resource": {"Ref": parameter}}
    roles = [{"Ref": service.role_of(function)} for function in functions]
    assert policy["Properties"]["Roles"] == roles
    none = {"Fn::Equals": [{"Fn::Join": [",", {"Ref": parameter}]}, ""]}
    assert service.body["Conditions"][policy["Condition"]] == {"Fn::Not": [none]}
    assert service.body["Parameters"][parameter]["Default"] == ""


@pytest.mark.parametrize(
    "arn",
    [
        "",
        "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-pro-v1:0",
        "arn:aws:bedrock:*::foundation-model/anthropic.claude-*",
        "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.amazon.nova-pro-v1:0",
        "arn:aws-us-gov:bedrock:us-gov-west-1:123456789012:application-inference-profile/a1b2c3",
    ],
)
def test_a_model_is_listed_by_its_arn(service: Template, arn: str) -> None:
    pattern = service.body["Parameters"]["BedrockModels"]["AllowedPattern"]
    assert re.fullmatch(pattern, arn)


@pytest.mark.parametrize(
    "arn",
    [
        "*",
        "amazon.nova-pro-v1:0",
        "arn:aws:bedrock:*::*",
        "arn:aws:bedrock:*::foundation-model/*",
        "arn:aws:s3:::bucket/key",
    ],
)
def test_not_every_model_can_be_allowed_at_once(service: Template, arn: str) -> None:
    pattern = service.body["Parameters"]["BedrockModels"]["AllowedPattern"]
    assert not re.fullmatch(pattern, arn)

"""A deployment's sessions end before its stack is deleted, in a deployment of its own name."""

from infra.local import LocalStack
from infra.stop_sessions import stop_sessions


def run_task(stack: LocalStack, cluster: str) -> str:
    ecs, network = stack.client("ecs"), stack.client("ec2")
    (subnet, *_) = network.describe_subnets()["Subnets"]
    (group, *_) = network.describe_security_groups()["SecurityGroups"]
    answer = ecs.run_task(
        cluster=cluster,
        taskDefinition=stack.resource("AssistantsService", "Sandbox"),
        launchType="FARGATE",
        networkConfiguration={
            "awsvpcConfiguration": {
                "subnets": [subnet["SubnetId"]],
                "securityGroups": [group["GroupId"]],
            }
        },
    )
    return str(answer["tasks"][0]["taskArn"])


def test_sessions_are_stopped_and_no_new_one_is_started() -> None:
    with LocalStack() as stack:
        cluster = stack.resource("AssistantsService", "Sandboxes")
        task = run_task(stack, cluster)
        assert stop_sessions(stack, "AssistantsService") == 1
        (described,) = stack.client("ecs").describe_tasks(cluster=cluster, tasks=[task])["tasks"]
        assert described["lastStatus"] == "STOPPED"
        rules = stack.client("events").list_rules()["Rules"]
        assert rules
        assert {rule["State"] for rule in rules} == {"DISABLED"}

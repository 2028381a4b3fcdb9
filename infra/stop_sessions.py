"""Stop what runs in a deployment's cluster, as CloudFormation deletes no cluster that has tasks.

`make destroy` does so first. It also disables the schedule that would start spare sessions again.
"""

import sys
from collections.abc import Iterator
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

CLUSTER = "Sandboxes"


def stop_sessions(session: Any, stack: str) -> int:
    """Disable the rules of `stack`, stop its sessions, and return their number."""
    events, ecs = session.client("events"), session.client("ecs")
    resources = list(_resources(session.client("cloudformation"), stack))
    for one in resources:
        if one["ResourceType"] == "AWS::Events::Rule":
            events.disable_rule(Name=one["PhysicalResourceId"])
    clusters = [one for one in resources if one["LogicalResourceId"] == CLUSTER]
    return sum(_stop_tasks(ecs, one["PhysicalResourceId"]) for one in clusters)


def _resources(cloudformation: Any, stack: str) -> Iterator[Any]:
    pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack)
    for page in pages:
        yield from page["StackResourceSummaries"]


def _stop_tasks(ecs: Any, cluster: str) -> int:
    pages = ecs.get_paginator("list_tasks").paginate(cluster=cluster, desiredStatus="RUNNING")
    tasks = [task for page in pages for task in page["taskArns"]]
    for task in tasks:
        ecs.stop_task(cluster=cluster, task=task, reason="The deployment is being destroyed")
    for start in range(0, len(tasks), 100):  # as many as one call describes
        ecs.get_waiter("tasks_stopped").wait(cluster=cluster, tasks=tasks[start : start + 100])
    return len(tasks)


def main() -> None:
    stack = sys.argv[1]
    try:
        print(f"{stack}: {stop_sessions(boto3, stack)} sessions stopped.")
    except (BotoCoreError, ClientError) as error:
        sys.exit(f"{stack}: the sessions cannot be stopped: {error}")


if __name__ == "__main__":
    main()

"""The code interpreter: sessions are Fargate tasks, started for a thread and ended by themselves.

Nothing of it runs while no thread has a session, and in the variant `public` nothing of it bills.
"""

from collections.abc import Iterable, Mapping

from aws_cdk import ArnFormat, Stack
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.constructs.labels import function_name, named
from infra.constructs.sandbox_network import SandboxNetwork
from infra.constructs.sandbox_task import SandboxTask
from infra.options import Options

PROXY = "SandboxProxy"


class CodeInterpreter(Construct):
    """Cluster, task definition and network of the sessions. It is told later who may use them."""

    def __init__(self, scope: Construct, id: str, options: Options) -> None:
        super().__init__(scope, id)
        isolated = options.code_interpreter == "isolated"
        self.network = SandboxNetwork(self, "Network", isolated=isolated)
        self._proxy = function_name(scope, PROXY)
        self._cluster = named(ecs.CfnCluster(self, "Sandboxes"))
        self._task = SandboxTask(self, "Task", options)
        if isolated:
            self._task.connect(self.network)

    @property
    def environment(self) -> Mapping[str, str]:
        """What the functions are told of it."""
        network = self.network
        return {
            "ASSISTANTS_SANDBOX_CLUSTER": self._cluster.ref,
            "ASSISTANTS_SANDBOX_TASK": self._task.definition.ref,
            "ASSISTANTS_SANDBOX_SUBNETS": ",".join(network.session_subnets.subnet_ids),
            "ASSISTANTS_SANDBOX_SECURITY_GROUP": network.sessions.security_group_id,
            "ASSISTANTS_SANDBOX_PUBLIC_IP": str(network.public_ip).lower(),
            "ASSISTANTS_SANDBOX_PROXY": self._proxy,
        }

    def allow(self, users: Iterable[iam.Role], *, proxy: iam.IRole, files: s3.IBucket) -> None:
        """Let `users` start, find and end sessions, and the `proxy` they call reach `files`."""
        for user in users:
            for statement in self._statements():
                user.add_to_policy(statement)
        self.network.admit_files(files, proxy)

    def _statements(self) -> Iterable[iam.PolicyStatement]:
        here = {"ArnEquals": {"ecs:cluster": self._cluster.attr_arn}}
        to_tasks = {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}}
        yield _allow(["ecs:RunTask"], self._task.definition.ref, here)
        yield _allow(["ecs:DescribeTasks", "ecs:StopTask"], self._tasks, here)
        yield _allow(["iam:PassRole"], self._task.execution_role.role_arn, to_tasks)
        yield _allow(["lambda:InvokeFunction"], self._proxy_arn)

    @property
    def _tasks(self) -> str:
        return Stack.of(self).format_arn(
            service="ecs", resource="task", resource_name=f"{self._cluster.ref}/*"
        )

    @property
    def _proxy_arn(self) -> str:
        return Stack.of(self).format_arn(
            service="lambda",
            resource="function",
            resource_name=self._proxy,
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )


def _allow(
    actions: list[str], resource: str, conditions: Mapping[str, object] | None = None
) -> iam.PolicyStatement:
    return iam.PolicyStatement(actions=actions, resources=[resource], conditions=conditions)

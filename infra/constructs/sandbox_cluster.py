"""The code interpreter's sandboxes: Fargate tasks, each started for a thread, that end themselves.

Without a session nothing runs, and with the option `public` nothing is billed.
"""

from collections.abc import Mapping, Sequence
from itertools import product

from aws_cdk import Stack
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.constructs.function import Function
from infra.constructs.labels import function_name, named
from infra.constructs.sandbox_network import SandboxNetwork
from infra.constructs.sandbox_task import SandboxTask
from infra.options import Options

PROXY = "SandboxProxy"
LAUNCHERS = ("CallModel", "RunCode", "Expire")  # when a run begins, for code, for the warm pool
USERS = ("RunCode",)
STOPPERS = (*LAUNCHERS, "Purge")  # Purge: those of deleted threads


class SandboxCluster(Construct):
    """Cluster, task definition and network of the sandboxes; `serve` connects the functions."""

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
        """Return the variables by which functions find the sandboxes."""
        network = self.network
        return {
            "ASSISTANTS_SANDBOX_CLUSTER": self._cluster.ref,
            "ASSISTANTS_SANDBOX_TASK": self._task.definition.ref,
            "ASSISTANTS_SANDBOX_SUBNETS": ",".join(network.session_subnets.subnet_ids),
            "ASSISTANTS_SANDBOX_SECURITY_GROUP": network.sessions.security_group_id,
            "ASSISTANTS_SANDBOX_PUBLIC_IP": str(network.public_ip).lower(),
            "ASSISTANTS_SANDBOX_PROXY": self._proxy,
        }

    def serve(self, functions: Mapping[str, Function], files: s3.IBucket) -> None:
        """Let functions launch, call and stop sandboxes, and the proxy read and write `files`."""

        def allow(names: Sequence[str], statements: Sequence[iam.PolicyStatement]) -> None:
            for name, statement in product(names, statements):
                functions[name].execution_role.add_to_policy(statement)

        proxy = functions[PROXY]
        here = {"ArnEquals": {"ecs:cluster": self._cluster.attr_arn}}
        to_tasks = {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}}
        run = _allow("ecs:RunTask", self._task.definition.ref, here)
        pass_ = _allow("iam:PassRole", self._task.execution_role.role_arn, to_tasks)
        find = _allow("ecs:DescribeTasks", self._tasks, here)
        call = _allow("lambda:InvokeFunction", proxy.function_arn)
        allow(LAUNCHERS, [run, pass_])
        allow(USERS, [find, call])
        allow(STOPPERS, [_allow("ecs:StopTask", self._tasks, here)])
        self.network.admit_files(files, proxy.execution_role)

    @property
    def _tasks(self) -> str:
        return Stack.of(self).format_arn(
            service="ecs", resource="task", resource_name=f"{self._cluster.ref}/*"
        )


def _allow(
    action: str, resource: str, conditions: Mapping[str, object] | None = None
) -> iam.PolicyStatement:
    return iam.PolicyStatement(actions=[action], resources=[resource], conditions=conditions)

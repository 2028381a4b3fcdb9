"""The task definition of a sandbox: its image, and as few rights as possible.

Without a task role the task holds no credentials. Fargate itself uses the execution role to pull
the image and to write the log; the task cannot see it.
"""

from collections.abc import Sequence

from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecr_assets as ecr_assets
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.constructs.architecture import ARCHITECTURES
from infra.constructs.labels import named, sourced
from infra.constructs.log_group import log_group
from infra.constructs.principals import service_principal
from infra.constructs.sandbox_network import PORT, SandboxNetwork
from infra.options import Options
from infra.repository import REPOSITORY

SOURCE = "functions/sandbox"
CONTAINER = "sandbox"
SUPERVISOR_MB = 300  # of the task's memory, for the daemon and the system
IMAGE_GIB = 16  # of the task's disk, for the image and the system
FARGATES_DISK_GIB = 20  # part of every task, and not accepted as a size

# Root needs these to give files and processes to the code's user, and to kill them.
CAPABILITIES = frozenset({"CHOWN", "KILL", "SETGID", "SETUID"})
VOLUMES = {"data": "/mnt/data", "scratch": "/tmp"}  # noqa: S108 - the container's own


class SandboxTask(Construct):
    """The definition of which each session runs one task."""

    def __init__(self, scope: Construct, id: str, options: Options) -> None:
        super().__init__(scope, id)
        architecture = ARCHITECTURES[options.architecture]
        self._log = log_group(self, "Log", options)
        self._image = ecr_assets.DockerImageAsset(
            self,
            "Image",
            directory=str(REPOSITORY / SOURCE),
            exclude=["**/__pycache__"],
            build_args={"PACKAGES": options.sandbox_packages},
            platform=architecture.images,
        )
        self.execution_role = self._execution_role()
        disk = options.sandbox_disk + IMAGE_GIB
        self.definition = ecs.CfnTaskDefinition(
            self,
            "Sandbox",
            requires_compatibilities=["FARGATE"],
            network_mode="awsvpc",
            runtime_platform=ecs.CfnTaskDefinition.RuntimePlatformProperty(
                cpu_architecture=architecture.tasks, operating_system_family="LINUX"
            ),
            cpu=str(options.sandbox_cpu),
            memory=str(options.sandbox_memory),
            ephemeral_storage=_storage(disk) if disk > FARGATES_DISK_GIB else None,
            execution_role_arn=self.execution_role.role_arn,
            volumes=[ecs.CfnTaskDefinition.VolumeProperty(name=name) for name in VOLUMES],
            container_definitions=[self._container(options)],
        )
        sourced(named(self.definition), SOURCE)

    def connect(self, network: SandboxNetwork) -> None:
        """Add endpoints to `network` that serve the execution role's actions and no others."""
        services = ec2.InterfaceVpcEndpointAwsService
        pulls = self._pulls(self.execution_role)
        writes = [self._writes(self.execution_role)]
        network.add_endpoints(
            {services.ECR: pulls, services.ECR_DOCKER: pulls, services.CLOUDWATCH_LOGS: writes}
        )

    def _container(self, options: Options) -> ecs.CfnTaskDefinition.ContainerDefinitionProperty:
        task = ecs.CfnTaskDefinition
        return task.ContainerDefinitionProperty(
            name=CONTAINER,
            image=self._image.image_uri,
            essential=True,
            readonly_root_filesystem=True,
            port_mappings=[task.PortMappingProperty(container_port=PORT)],
            environment=_environment(options),
            mount_points=[
                task.MountPointProperty(source_volume=name, container_path=path, read_only=False)
                for name, path in VOLUMES.items()
            ],
            linux_parameters=task.LinuxParametersProperty(
                init_process_enabled=True,
                capabilities=task.KernelCapabilitiesProperty(drop=_dropped()),
            ),
            log_configuration=_logging(self._log),
        )

    def _execution_role(self) -> iam.Role:
        tasks = service_principal("ecs-tasks")
        role = iam.Role(self, "ExecutionRole", assumed_by=tasks)
        for statement in (*self._pulls(), self._writes()):
            role.add_to_policy(statement)
        return role

    def _pulls(self, *roles: iam.IRole) -> Sequence[iam.PolicyStatement]:
        """Allow pulling this image; the action that gets a token for it takes no resource."""
        layers = ["BatchCheckLayerAvailability", "BatchGetImage", "GetDownloadUrlForLayer"]
        return [
            _allow([f"ecr:{one}" for one in layers], self._image.repository.repository_arn, roles),
            _allow(["ecr:GetAuthorizationToken"], "*", roles),
        ]

    def _writes(self, *roles: iam.IRole) -> iam.PolicyStatement:
        actions = ["logs:CreateLogStream", "logs:PutLogEvents"]
        return _allow(actions, self._log.log_group_arn, roles)


def _allow(
    actions: Sequence[str], resource: str, roles: Sequence[iam.IRole]
) -> iam.PolicyStatement:
    """Return a statement for a role, or for `roles` if it is part of an endpoint's policy."""
    return iam.PolicyStatement(
        actions=actions,
        resources=[resource],
        principals=[iam.ArnPrincipal(role.role_arn) for role in roles] or None,
    )


def _dropped() -> list[str]:
    """List all capabilities but four by name: on Fargate none can be added back to `ALL`."""
    return sorted({one.name for one in ecs.Capability} - {"ALL"} - CAPABILITIES)


def _storage(gibibytes: int) -> ecs.CfnTaskDefinition.EphemeralStorageProperty:
    return ecs.CfnTaskDefinition.EphemeralStorageProperty(size_in_gib=gibibytes)


def _environment(options: Options) -> list[ecs.CfnTaskDefinition.KeyValuePairProperty]:
    variables = {
        "SANDBOX_MEMORY_MB": options.sandbox_memory - SUPERVISOR_MB,
        "SANDBOX_DISK_MB": options.sandbox_disk * 1024,
    }
    pair = ecs.CfnTaskDefinition.KeyValuePairProperty
    return [pair(name=name, value=str(value)) for name, value in variables.items()]


def _logging(log: logs.LogGroup) -> ecs.CfnTaskDefinition.LogConfigurationProperty:
    return ecs.CfnTaskDefinition.LogConfigurationProperty(
        log_driver="awslogs",
        options={
            "awslogs-group": log.log_group_name,
            "awslogs-region": log.stack.region,
            "awslogs-stream-prefix": CONTAINER,
        },
    )

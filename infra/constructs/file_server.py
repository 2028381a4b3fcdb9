"""The file server, an option: uploads of 512 MB at the same base URL, by unchanged clients.

CloudFront replaces the gateway's address; it routes `/v1/files` to a small Fargate service and all
other paths to the gateway. It costs about $27 a month in us-east-1, used or not: the load balancer
16, the task 7 and its public address 4.
"""

from collections.abc import Mapping

from aws_cdk import Aws, CfnOutput, Duration, Fn
from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_cloudfront_origins as origins
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_elasticloadbalancingv2 as elb
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.constructs import grants
from infra.constructs.architecture import ARCHITECTURES, DeploymentArchitecture
from infra.constructs.encryption_key import key_statements
from infra.constructs.log_group import log_group
from infra.constructs.principals import service_principal
from infra.constructs.resources import Resources
from infra.constructs.rest_api import STAGE, RestApi
from infra.constructs.settings import without_models
from infra.constructs.zones import zones_of
from infra.options import Options
from infra.repository import REPOSITORY

PORT = 8080
PATH = f"/{STAGE}/files"
CPU, MEMORY_MB = 256, 512
SLOWEST_ANSWER = Duration.seconds(60)  # after a file's last byte; CloudFront's limit
GRANTS = (grants.use_table, grants.use_values, grants.write_files, grants.delete_files)
IN_THE_IMAGE = ("layers", "functions/file_server")


class FileServer(Construct):
    """The service, and the distribution in front of it and of the gateway."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        options: Options,
        *,
        gateway: RestApi,
        settings: Mapping[str, str],
        resources: Resources,
    ) -> None:
        super().__init__(scope, id)
        network = self._network(options)
        task = self._task(options, {**without_models(settings), **resources.environment})
        for statement in (*(grant(resources) for grant in GRANTS), *key_statements(options)):
            task.task_role.add_to_principal_policy(statement)
        balancer = self._balancer(network, self._service(network, task))
        distribution = self._distribution(gateway, balancer)
        url = f"https://{distribution.distribution_domain_name}/{STAGE}"
        CfnOutput(self, "BaseUrl", value=url).override_logical_id("FileServerBaseUrl")

    def _network(self, options: Options) -> ec2.Vpc:
        """Create a VPC without NAT: the task has a public address, S3 and DynamoDB an endpoint."""
        kind = ec2.SubnetType
        network = ec2.Vpc(
            self,
            "Network",
            **zones_of(options),
            nat_gateways=0,
            restrict_default_security_group=False,
            subnet_configuration=[
                ec2.SubnetConfiguration(name="Task", subnet_type=kind.PUBLIC),
                ec2.SubnetConfiguration(name="Balancer", subnet_type=kind.PRIVATE_ISOLATED),
            ],
        )
        service = ec2.GatewayVpcEndpointAwsService
        network.add_gateway_endpoint("S3", service=service.S3)
        network.add_gateway_endpoint("DynamoDb", service=service.DYNAMODB)
        return network

    def _task(self, options: Options, environment: Mapping[str, str]) -> ecs.FargateTaskDefinition:
        architecture = ARCHITECTURES[options.architecture]
        task = ecs.FargateTaskDefinition(
            self,
            "Task",
            cpu=CPU,
            memory_limit_mib=MEMORY_MB,
            runtime_platform=_platform(architecture),
            task_role=self._role("TaskRole"),
            execution_role=self._role("ExecutionRole"),
        )
        image = ecs.ContainerImage.from_asset(
            str(REPOSITORY),
            file="functions/file_server/Dockerfile",
            exclude=["*", *(f"!{folder}" for folder in IN_THE_IMAGE), "**/__pycache__"],
            platform=architecture.images,
        )
        log = log_group(self, "Log", options)
        task.add_container(
            "Server",
            image=image,
            environment={
                **environment,
                "AWS_DEFAULT_REGION": Aws.REGION,
                "POWERTOOLS_SERVICE_NAME": "file_server",
            },
            port_mappings=[ecs.PortMapping(container_port=PORT)],
            logging=ecs.LogDriver.aws_logs(stream_prefix="file_server", log_group=log),
        )
        return task

    def _role(self, id: str) -> iam.Role:
        return iam.Role(self, id, assumed_by=service_principal("ecs-tasks"))

    def _service(self, network: ec2.Vpc, task: ecs.FargateTaskDefinition) -> ecs.FargateService:
        return ecs.FargateService(
            self,
            "Service",
            cluster=ecs.Cluster(self, "Cluster", vpc=network),
            task_definition=task,
            desired_count=1,
            min_healthy_percent=100,
            assign_public_ip=True,
            vpc_subnets=ec2.SubnetSelection(subnet_type=ec2.SubnetType.PUBLIC),
            circuit_breaker=ecs.DeploymentCircuitBreaker(rollback=True),
        )

    def _balancer(
        self, network: ec2.Vpc, service: ecs.FargateService
    ) -> elb.ApplicationLoadBalancer:
        """Create a load balancer that only CloudFront reaches, by its interfaces in the VPC."""
        balancer = elb.ApplicationLoadBalancer(
            self, "Balancer", vpc=network, internet_facing=False, idle_timeout=Duration.minutes(5)
        )
        listener = balancer.add_listener("Listener", port=80, open=False)
        inside = ec2.Peer.ipv4(network.vpc_cidr_block)
        balancer.connections.allow_from(inside, ec2.Port.tcp(80), "CloudFront")
        listener.add_targets(
            "Server",
            port=PORT,
            protocol=elb.ApplicationProtocol.HTTP,
            targets=[service],
            deregistration_delay=Duration.minutes(5),
            health_check=elb.HealthCheck(path=f"/{STAGE}/openapi.json"),
        )
        return balancer

    def _distribution(
        self, gateway: RestApi, balancer: elb.ApplicationLoadBalancer
    ) -> cloudfront.Distribution:
        server = origins.VpcOrigin.with_application_load_balancer(
            balancer,
            protocol_policy=cloudfront.OriginProtocolPolicy.HTTP_ONLY,
            read_timeout=SLOWEST_ANSWER,
        )
        api = origins.HttpOrigin(
            Fn.select(2, Fn.split("/", gateway.base_url)), read_timeout=SLOWEST_ANSWER
        )
        return cloudfront.Distribution(
            self,
            "Distribution",
            default_behavior=_behavior(api),
            additional_behaviors={PATH: _behavior(server)},
            minimum_protocol_version=cloudfront.SecurityPolicyProtocol.TLS_V1_2_2021,
        )


def _platform(architecture: DeploymentArchitecture) -> ecs.RuntimePlatform:
    processor = ecs.CpuArchitecture.of(architecture.tasks)
    return ecs.RuntimePlatform(cpu_architecture=processor)


def _behavior(origin: cloudfront.IOrigin) -> cloudfront.BehaviorOptions:
    """Cache nothing, and pass on everything but the Host header."""
    policy = cloudfront.OriginRequestPolicy.ALL_VIEWER_EXCEPT_HOST_HEADER
    return cloudfront.BehaviorOptions(
        origin=origin,
        allowed_methods=cloudfront.AllowedMethods.ALLOW_ALL,
        cache_policy=cloudfront.CachePolicy.CACHING_DISABLED,
        origin_request_policy=policy,
        viewer_protocol_policy=cloudfront.ViewerProtocolPolicy.HTTPS_ONLY,
        compress=False,
    )

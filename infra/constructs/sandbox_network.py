"""The network of the sandboxes, and the traffic that it allows."""

from collections.abc import Mapping, Sequence

from aws_cdk import Aws
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.constructs.placement import Placement

PORT = 8080
HTTPS = 443


class SandboxNetwork(Construct):
    """Only the proxy function reaches the sandboxes, and it reaches only them and S3.

    `isolated`: no route leads to the internet; images and logs pass three endpoints, for a fixed
    price. Otherwise sandboxes pull their image by a public address, which code cannot use because
    it may not open a socket.
    """

    def __init__(self, scope: Construct, id: str, *, isolated: bool) -> None:
        super().__init__(scope, id)
        self.public_ip = not isolated
        kind = ec2.SubnetType
        place = kind.PRIVATE_ISOLATED if isolated else kind.PUBLIC
        self.vpc = self._vpc(place)
        self.session_subnets = self.vpc.select_subnets(subnet_group_name="Session")
        self.proxy_subnets = ec2.SubnetSelection(subnet_group_name="Proxy")
        self.proxies = self._group("Proxies", "The function that speaks to sessions")
        self.sessions = self._group("Sessions", "Sessions of the code interpreter")
        self.proxies.add_egress_rule(self.sessions, ec2.Port.tcp(PORT), "Sessions")
        self.sessions.add_ingress_rule(self.proxies, ec2.Port.tcp(PORT), "The proxy function")
        # The routes decide how far this reaches: S3, and the endpoints or the internet.
        for group in (self.proxies, self.sessions):
            group.add_egress_rule(ec2.Peer.any_ipv4(), ec2.Port.tcp(HTTPS), "Services of AWS")
        self._s3 = self._gateway_to_s3()

    @property
    def placement(self) -> Placement:
        """Return the place of the proxy function."""
        return Placement(self.vpc, self.proxy_subnets, self.proxies)

    def admit_files(self, bucket: s3.IBucket, role: iam.IRole) -> None:
        """Let the proxy's `role`, and nobody else, reach `bucket` from this network."""
        objects = ["s3:AbortMultipartUpload", "s3:GetObject", "s3:PutObject"]
        for actions, resource in (
            (objects, bucket.arn_for_objects("*")),
            (["s3:ListBucket"], bucket.bucket_arn),
        ):
            statement = iam.PolicyStatement(
                actions=actions,
                resources=[resource],
                principals=[iam.AnyPrincipal()],
                conditions={"ArnEquals": {"aws:PrincipalArn": role.role_arn}},
            )
            self._s3.add_to_policy(statement)

    def add_endpoints(
        self,
        allowed: Mapping[ec2.InterfaceVpcEndpointAwsService, Sequence[iam.PolicyStatement]],
    ) -> None:
        """Add endpoints for the `allowed` statements, in one zone, as each zone is billed."""
        group = self._group("Endpoints", "Images and logs of sessions")
        group.add_ingress_rule(self.sessions, ec2.Port.tcp(HTTPS), "Sessions")
        for service, statements in allowed.items():
            endpoint = ec2.InterfaceVpcEndpoint(
                self,
                service.short_name,
                vpc=self.vpc,
                service=service,
                open=False,
                security_groups=[group],
                subnets=ec2.SubnetSelection(subnets=self.session_subnets.subnets[:1]),
            )
            for statement in statements:
                endpoint.add_to_policy(statement)

    def _vpc(self, place: ec2.SubnetType) -> ec2.Vpc:
        isolated = ec2.SubnetType.PRIVATE_ISOLATED
        # Addresses that a public subnet assigns are not needed: the task asks for its own.
        public = {"map_public_ip_on_launch": False} if place == ec2.SubnetType.PUBLIC else {}
        return ec2.Vpc(
            self,
            "Vpc",
            max_azs=2,
            nat_gateways=0,
            restrict_default_security_group=False,
            subnet_configuration=[
                ec2.SubnetConfiguration(name="Session", subnet_type=place, **public),
                ec2.SubnetConfiguration(name="Proxy", subnet_type=isolated),
            ],
        )

    def _group(self, id: str, description: str) -> ec2.SecurityGroup:
        return ec2.SecurityGroup(
            self, id, vpc=self.vpc, description=description, allow_all_outbound=False
        )

    def _gateway_to_s3(self) -> ec2.GatewayVpcEndpoint:
        """Add the free endpoint of S3, open to the bucket that holds the image layers of ECR.

        https://docs.aws.amazon.com/AmazonECR/latest/userguide/vpc-endpoints.html
        """
        layers = f"arn:{Aws.PARTITION}:s3:::prod-{Aws.REGION}-starport-layer-bucket/*"
        gateway = self.vpc.add_gateway_endpoint("S3", service=ec2.GatewayVpcEndpointAwsService.S3)
        gateway.add_to_policy(
            iam.PolicyStatement(
                actions=["s3:GetObject"], resources=[layers], principals=[iam.AnyPrincipal()]
            )
        )
        return gateway

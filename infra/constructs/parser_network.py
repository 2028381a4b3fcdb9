"""The network of the function that reads files: no way out but to two prefixes of our bucket."""

from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.constructs.placement import Placement

HTTPS = 443


class ParserNetwork(Construct):
    """Subnets without a route to the internet, and an endpoint of S3; none of it is billed.

    Files arrive and texts leave by presigned URLs. S3 takes them for requests of the role that
    signed them, so the endpoint admits that role alone, whatever else holds the credentials of.
    """

    def __init__(self, scope: Construct, id: str) -> None:
        super().__init__(scope, id)
        self._vpc = ec2.Vpc(
            self,
            "Vpc",
            max_azs=2,
            nat_gateways=0,
            restrict_default_security_group=False,
            subnet_configuration=[
                ec2.SubnetConfiguration(name="Parser", subnet_type=ec2.SubnetType.PRIVATE_ISOLATED)
            ],
        )
        self._group = ec2.SecurityGroup(
            self,
            "Parsers",
            vpc=self._vpc,
            description="The function that reads files",
            allow_all_outbound=False,
        )
        self._group.add_egress_rule(ec2.Peer.any_ipv4(), ec2.Port.tcp(HTTPS), "S3")
        self._s3 = self._vpc.add_gateway_endpoint("S3", service=ec2.GatewayVpcEndpointAwsService.S3)

    @property
    def placement(self) -> Placement:
        """Return the place of the function."""
        subnets = ec2.SubnetSelection(subnet_group_name="Parser")
        return Placement(self._vpc, subnets, self._group)

    def admit_urls(self, bucket: s3.IBucket, signer: iam.IRole) -> None:
        """Let URLs that `signer` has signed get files and put texts, and nothing else pass."""
        for action, prefix in (("s3:GetObject", "files/*"), ("s3:PutObject", "parsed/*")):
            statement = iam.PolicyStatement(
                actions=[action],
                resources=[bucket.arn_for_objects(prefix)],
                principals=[iam.AnyPrincipal()],
                conditions={"ArnEquals": {"aws:PrincipalArn": signer.role_arn}},
            )
            self._s3.add_to_policy(statement)

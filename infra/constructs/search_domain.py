"""The search index as a domain of OpenSearch Service: always on, billed by the hour."""

from collections.abc import Sequence

from aws_cdk import aws_iam as iam
from aws_cdk import aws_opensearchservice as opensearch
from constructs import Construct

from infra.constructs.labels import named

VERSION = "OpenSearch_3.1"
INSTANCE = "t3.small.search"
DISK_GB = 10

SEARCH = ("es:ESHttpPost",)
FILL = (*SEARCH, "es:ESHttpPut")


class SearchDomain(Construct):
    """One small node without a replica, encrypted at rest and in transit.

    Only signed requests of the roles that `admit` names are answered.
    """

    def __init__(self, scope: Construct, id: str) -> None:
        super().__init__(scope, id)
        kind = opensearch.CfnDomain
        self._domain = named(
            kind(
                self,
                "SearchDomain",
                engine_version=VERSION,
                cluster_config=kind.ClusterConfigProperty(instance_type=INSTANCE, instance_count=1),
                ebs_options=kind.EBSOptionsProperty(
                    ebs_enabled=True, volume_type="gp3", volume_size=DISK_GB
                ),
                encryption_at_rest_options=kind.EncryptionAtRestOptionsProperty(enabled=True),
                node_to_node_encryption_options=kind.NodeToNodeEncryptionOptionsProperty(
                    enabled=True
                ),
                domain_endpoint_options=kind.DomainEndpointOptionsProperty(
                    enforce_https=True, tls_security_policy="Policy-Min-TLS-1-2-PFS-2023-10"
                ),
            )
        )

    @property
    def endpoint(self) -> str:
        return f"https://{self._domain.attr_domain_endpoint}"

    def admit(self, *, writers: Sequence[iam.Role], readers: Sequence[iam.Role]) -> None:
        """Allow access by method and path, as IAM sees no more of a request.

        A search is a POST, and so is a bulk write, so readers may post searches and counts only.
        """
        arn = self._domain.attr_arn
        for writer in writers:
            writer.add_to_policy(_allow(FILL, [f"{arn}/chunks-*", f"{arn}/_msearch"]))
        for reader in readers:
            reader.add_to_policy(_allow(SEARCH, [f"{arn}/_msearch", f"{arn}/chunks-*/_count"]))


def _allow(actions: Sequence[str], resources: list[str]) -> iam.PolicyStatement:
    return iam.PolicyStatement(actions=list(actions), resources=resources)

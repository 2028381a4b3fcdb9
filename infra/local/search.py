"""The local search index, in the place of an OpenSearch Serverless collection.

moto has no collections, so CloudFormation gets one here, whose endpoint is a file or the address of
a node that the user runs.
"""

from typing import Any, Self

from moto.core.common_models import CloudFormationModel

endpoints: dict[str, str] = {}
"""The endpoint of the index, by account."""


class Collection(CloudFormationModel):
    """`AWS::OpenSearchServerless::Collection`, which moto finds among its subclasses."""

    def __init__(self, account: str, region: str, name: str) -> None:
        self._account = account
        self._arn = f"arn:aws:aoss:{region}:{account}:collection/{name}"
        self.physical_resource_id = name

    @staticmethod
    def cloudformation_name_type() -> str:
        return "Name"

    @staticmethod
    def cloudformation_type() -> str:
        return "AWS::OpenSearchServerless::Collection"

    @classmethod
    def has_cfn_attr(cls, attr: str) -> bool:
        return attr in ("Arn", "CollectionEndpoint")

    def get_cfn_attribute(self, attribute_name: str) -> str:
        return self._arn if attribute_name == "Arn" else endpoints[self._account]

    @classmethod
    def create_from_cloudformation_json(
        cls,
        resource_name: str,
        cloudformation_json: dict[str, Any],  # noqa: ARG003
        account_id: str,
        region_name: str,
        **_: Any,
    ) -> Self:
        return cls(account_id, region_name, resource_name)

"""The search index as a collection of OpenSearch Serverless that bills no capacity while idle."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_opensearchserverless as serverless
from constructs import Construct

from infra.constructs.labels import named

# OpenSearch Compute Units of 6 GiB: none while idle, and a limit to the cost of a busy hour.
LEAST_CAPACITY, MOST_CAPACITY = 0, 8

# To change one of these takes another collection, which CloudFormation makes before it deletes the
# old one: their digest in the name keeps the two apart.
CREATE_ONLY = {"type": "VECTORSEARCH", "standby_replicas": "ENABLED"}
GENERATION = "NEXTGEN"
OWN_KEY = True  # encrypted with a key that AWS owns

SEARCH = ("aoss:DescribeIndex", "aoss:ReadDocument")
FILL = (*SEARCH, "aoss:CreateIndex", "aoss:WriteDocument")


class SearchCollection(Construct):
    """A vector search collection in its own group, encrypted with a key that AWS owns.

    Its endpoint is public, so that no function needs a network; requests are signed, and answered
    only for the roles that `admit` names.
    """

    def __init__(self, scope: Construct, id: str) -> None:
        super().__init__(scope, id)
        self._name = _name(Stack.of(self).stack_name)
        group = self._group()
        self._collection = named(
            serverless.CfnCollection(
                self,
                "SearchCollection",
                name=self._name,
                collection_group_name=group.name,
                type=CREATE_ONLY["type"],
                standby_replicas=CREATE_ONLY["standby_replicas"],
            )
        )
        # Tags are create-only, too: one for the whole application would replace the index.
        self._collection.add_property_deletion_override("Tags")
        encryption = self._policy("Encryption", {**self._rules(), "AWSOwnedKey": OWN_KEY})
        network = self._policy("Network", [{**self._rules(), "AllowFromPublic": True}])
        for needed in (encryption, network, group):
            self._collection.add_dependency(needed)

    def _group(self) -> serverless.CfnCollectionGroup:
        kind = serverless.CfnCollectionGroup
        group = kind(
            self,
            "SearchGroup",
            name=self._name,
            generation=GENERATION,
            standby_replicas=CREATE_ONLY["standby_replicas"],
            capacity_limits=kind.CapacityLimitsProperty(
                min_indexing_capacity_in_ocu=LEAST_CAPACITY,
                min_search_capacity_in_ocu=LEAST_CAPACITY,
                max_indexing_capacity_in_ocu=MOST_CAPACITY,
                max_search_capacity_in_ocu=MOST_CAPACITY,
            ),
        )
        return named(group)

    @property
    def endpoint(self) -> str:
        return self._collection.attr_collection_endpoint

    def admit(self, *, writers: Sequence[iam.Role], readers: Sequence[iam.Role]) -> None:
        """Allow access in the policies of the roles and in the collection's: both are checked."""
        for role in (*writers, *readers):
            role.add_to_policy(
                iam.PolicyStatement(
                    actions=["aoss:APIAccessAll"], resources=[self._collection.attr_arn]
                )
            )
        policy = [self._access(FILL, writers), self._access(SEARCH, readers)]
        named(
            serverless.CfnAccessPolicy(
                self,
                "SearchAccess",
                name=self._name,
                type="data",
                policy=Stack.of(self).to_json_string(policy),
            )
        )

    def _access(self, actions: Sequence[str], roles: Sequence[iam.Role]) -> Mapping[str, Any]:
        indexes = {
            "ResourceType": "index",
            "Resource": [f"index/{self._name}/chunks-*"],
            "Permission": list(actions),
        }
        return {"Rules": [indexes], "Principal": [role.role_arn for role in roles]}

    def _rules(self) -> dict[str, Any]:
        collection = {"ResourceType": "collection", "Resource": [f"collection/{self._name}"]}
        return {"Rules": [collection]}

    def _policy(self, kind: str, policy: object) -> serverless.CfnSecurityPolicy:
        text = Stack.of(self).to_json_string(policy)
        return named(
            serverless.CfnSecurityPolicy(
                self, f"Search{kind}", name=self._name, type=kind.lower(), policy=text
            )
        )


def _name(stack: str) -> str:
    """Return a name of at most 32 characters, another for each stack and create-only property."""
    created = json.dumps([stack, CREATE_ONLY, GENERATION, OWN_KEY], sort_keys=True)
    return f"{stack.lower()[:19]}-{hashlib.sha256(created.encode()).hexdigest()[:8]}"

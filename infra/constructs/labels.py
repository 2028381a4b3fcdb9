"""Labels in the template, by which people, tests and the local stack find resources and code."""

from typing import TypeVar, cast

from aws_cdk import CfnResource
from constructs import Construct

Labelled = TypeVar("Labelled", bound=Construct)


def named(construct: Labelled) -> Labelled:
    """Make the construct's id the logical id of its resource, without CDK's hash behind it."""
    _resource(construct).override_logical_id(construct.node.id)
    return construct


def sourced(construct: Labelled, folder: str) -> Labelled:
    """Note the folder of the repository that the code comes from; locally it is run from there."""
    _resource(construct).add_metadata("source", folder)
    return construct


def _resource(construct: Construct) -> CfnResource:
    return cast(CfnResource, construct.node.default_child)

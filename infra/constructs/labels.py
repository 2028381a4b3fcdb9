"""Labels in templates, by which people, tests and the local stack find resources and code."""

from typing import TypeVar, cast

from aws_cdk import CfnResource, Stack
from constructs import Construct

Labelled = TypeVar("Labelled", bound=Construct)


def named(construct: Labelled) -> Labelled:
    """Use the construct's id as the logical id of its resource, without the CDK's hash suffix."""
    _resource(construct).override_logical_id(construct.node.id)
    return construct


def function_name(scope: Construct, id: str) -> str:
    """Return the name by which functions call each other; references would be circular."""
    return f"{Stack.of(scope).stack_name}-{id}"


def sourced(construct: Labelled, folder: str) -> Labelled:
    """Record the repository folder of the code, from which the local stack runs it."""
    _resource(construct).add_metadata("source", folder)
    return construct


def _resource(construct: Construct) -> CfnResource:
    child = construct.node.default_child
    return construct if isinstance(construct, CfnResource) else cast(CfnResource, child)

"""Labels in the template, by which people, tests and the local stack find resources and code."""

from typing import TypeVar, cast

from aws_cdk import CfnResource, Stack
from constructs import Construct

Labelled = TypeVar("Labelled", bound=Construct)


def named(construct: Labelled) -> Labelled:
    """Make the construct's id the logical id of its resource, without CDK's hash behind it."""
    _resource(construct).override_logical_id(construct.node.id)
    return construct


def function_name(scope: Construct, id: str) -> str:
    """By which functions call each other; references between them would close a circle."""
    return f"{Stack.of(scope).stack_name}-{id}"


def sourced(construct: Labelled, folder: str) -> Labelled:
    """Note the folder of the repository that the code comes from; locally it is run from there."""
    _resource(construct).add_metadata("source", folder)
    return construct


def _resource(construct: Construct) -> CfnResource:
    child = construct.node.default_child
    return construct if isinstance(construct, CfnResource) else cast(CfnResource, child)

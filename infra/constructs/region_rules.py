"""CloudFormation rules that refuse a region before a stack creates anything there."""

from aws_cdk import Aws, CfnRule, CfnRuleAssertion, Fn
from constructs import Construct

from infra.options import Options
from infra.regions import region_limits


def add_region_rules(scope: Construct, options: Options) -> None:
    """Add a rule for each limit of `options`.

    They belong to the stack that is deployed first, though a later one has the resources.
    """
    for limit in region_limits(options):
        elsewhere = Fn.condition_not(Fn.condition_contains(list(limit.regions), Aws.REGION))
        CfnRule(
            scope,
            limit.id,
            assertions=[CfnRuleAssertion(assert_=elsewhere, assert_description=limit.advice)],
        )

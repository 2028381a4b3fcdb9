"""The findings of cfn-lint in a template."""

from cfnlint.api import lint
from cfnlint.config import ManualArgs

REGIONS = ["eu-central-1", "us-east-1"]
# The CDK repeats as DependsOn what a reference already says.
IGNORED = ["W3005"]


def findings(template: str) -> list[str]:
    """Lint a template for the regions that the service is deployed to."""
    matches = lint(template, config=ManualArgs(regions=REGIONS, ignore_checks=IGNORED))
    return [f"{match.rule.id} {match.path}: {match.message}" for match in matches]

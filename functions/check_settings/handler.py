"""Check the settings whenever the stack is deployed with others: a custom resource."""

from typing import Any

from assistants.bootstrap import check_settings


def handler(event: dict[str, Any], _: Any) -> None:
    """Take CloudFormation's event; the sentence that says what is wrong fails the deployment."""
    check_settings(event)

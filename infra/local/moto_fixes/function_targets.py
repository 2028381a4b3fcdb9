"""EventBridge cannot invoke a function: an event for one raises NotImplementedError."""

import copy
import datetime
import json
from typing import Any

from moto.events.models import Rule

from infra.local.moto_fixes.cached_clients import service_client


def fix() -> None:
    send = Rule.send_to_targets

    def send_to_all(self: Rule, original_event: Any, transform_input: bool = True) -> None:
        if not _matches(self, original_event):
            return
        others = copy.copy(self)
        others.targets = [target for target in self.targets if ":lambda:" not in target["Arn"]]
        send(others, original_event, transform_input)
        invoke_functions(self, original_event)

    Rule.send_to_targets = send_to_all  # type: ignore[method-assign]


def _matches(rule: Rule, event: Any) -> bool:
    """Return whether the rule takes the event; a schedule's empty pattern would match any."""
    pattern = rule.event_pattern
    return rule.state == "ENABLED" and bool(pattern.get_pattern()) and pattern.matches_event(event)


def invoke_functions(rule: Rule, event: Any) -> None:
    """Invoke the functions among the rule's targets, with the event or their constant input."""
    moment = datetime.datetime.fromtimestamp(float(event["time"]), datetime.UTC)
    message = {**event, "time": f"{moment:%Y-%m-%dT%H:%M:%SZ}"}
    for target in rule.targets:
        if ":lambda:" in target["Arn"]:
            service_client(rule.account_id, rule.region_name, "lambda").invoke(
                FunctionName=target["Arn"],
                InvocationType="Event",
                Payload=target.get("Input", json.dumps(message)).encode(),
            )

"""Run the scheduled rules of EventBridge, such as `rate(1 minute)`."""

import re
import time
import uuid
from functools import partial
from typing import Any

from moto.events.models import Rule, events_backends

from infra.local.function_spec import REGION
from infra.local.moto_fixes.function_targets import invoke_functions
from infra.local.timers import Timers

RATE = re.compile(r"rate\((\d+) (minute|hour|day)s?\)")
SECONDS = {"minute": 60, "hour": 3600, "day": 86400}


class UnsupportedScheduleError(Exception):
    """Raised when a schedule expression is not a rate."""


class Schedules:
    """The scheduled rules that an account has at the start."""

    def __init__(self, account: str, timers: Timers) -> None:
        self._timers = timers
        self.rules: dict[str, Rule] = {}
        for bus in events_backends[account][REGION].event_buses.values():
            for name, rule in bus.rules.items():
                if rule.scheduled_expression:
                    self.rules[name] = rule
                    self._repeat(rule, _period_seconds(rule.scheduled_expression))

    def fire(self, name: str) -> None:
        """Invoke the targets of the rule now."""
        rule = self.rules[name]
        event: dict[str, Any] = {
            "version": "0",
            "id": str(uuid.uuid4()),
            "detail-type": "Scheduled Event",
            "source": "aws.events",
            "account": rule.account_id,
            "time": time.time(),
            "region": rule.region_name,
            "resources": [rule.arn],
            "detail": {},
        }
        invoke_functions(rule, event)

    def _repeat(self, rule: Rule, seconds: float) -> None:
        self._timers.call_later(seconds, partial(self._fire_and_repeat, rule, seconds))

    def _fire_and_repeat(self, rule: Rule, seconds: float) -> None:
        if rule.state == "ENABLED":
            self.fire(rule.name)
        self._repeat(rule, seconds)


def _period_seconds(expression: str) -> int:
    match = RATE.fullmatch(expression)
    if match is None:
        raise UnsupportedScheduleError(f"{expression}: only rate(…) schedules run on this machine")
    return int(match[1]) * SECONDS[match[2]]

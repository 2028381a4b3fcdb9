"""The cost of runs on AWS: every billed unit counted, times its list price."""

import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.local import LocalStack
from infra.local.trace import states_passed
from tests.support.request_units import UnitMeter

PRICES = tomllib.loads(Path(__file__).with_name("prices.toml").read_text())
MILLION = 1_000_000
HTTP = ("Api", "Stream")


@dataclass(frozen=True)
class Bill:
    """What one run used. `gb_seconds` are those of this machine with its model."""

    written: float
    read: float
    calls: int
    transitions: int
    http_requests: int
    invocations: int
    gb_seconds: float

    @property
    def dollars(self) -> dict[str, float]:
        """Per 1,000 runs."""
        dynamodb, functions = PRICES["dynamodb"], PRICES["lambda"]
        millionths = {
            "DynamoDB": self.written * dynamodb["write_units_million"]
            + self.read * dynamodb["read_units_million"],
            "Step Functions": self.transitions * PRICES["step_functions"]["transitions_million"],
            "Lambda": self.invocations * functions["requests_million"]
            + self.gb_seconds * functions["arm_gb_seconds_million"],
            "API Gateway": self.http_requests * PRICES["api_gateway"]["rest_requests_million"],
        }
        each = {name: round(value * 1000 / MILLION, 4) for name, value in millionths.items()}
        return {**each, "all": round(sum(each.values()), 4)}


class Biller:
    """Bills for runs on a stack that nobody else uses at the time."""

    def __init__(self, stack: LocalStack) -> None:
        self._stack = stack
        self._units = UnitMeter(stack)

    def bill(self, conduct: Callable[[], Any]) -> Bill:
        """Bill what `conduct` does, up to the end of the run that it returns."""
        before = self._used()
        self._units.clear()
        self._stack.calls.clear()
        transitions = len(states_passed(self._stack, conduct().id))
        calls = sum(call.function is not None for call in self._stack.calls)
        used = {name: value - before[name] for name, value in self._used().items()}
        return Bill(
            written=self._units.written,
            read=self._units.read,
            calls=calls,
            transitions=transitions,
            http_requests=sum(round(used[name, "invocations"]) for name in HTTP),
            invocations=round(sum(n for (_, what), n in used.items() if what == "invocations")),
            gb_seconds=sum(n for (_, what), n in used.items() if what == "gb_seconds"),
        )

    def _used(self) -> dict[tuple[str, str], float]:
        used: dict[tuple[str, str], float] = {}
        for name, function in self._stack.functions.items():
            used[name, "invocations"] = function.invocations
            used[name, "gb_seconds"] = function.busy_seconds * function.spec.memory_mb / 1024
        return used

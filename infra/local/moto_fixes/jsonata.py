"""JSONata and variables do not work, as the function that evaluates them is None."""

import json
from typing import Any

import jsonata  # type: ignore[import-untyped]
from moto.stepfunctions.parser.asl.jsonata import jsonata as moto_jsonata


def fix() -> None:
    moto_jsonata._eval_jsonata = evaluate


def evaluate(expression: str) -> Any:
    """Return the expression's value as plain JSON."""
    return json.loads(json.dumps(jsonata.Jsonata(str(expression)).evaluate(None)))

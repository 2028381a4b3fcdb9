"""The load of a cold start: each function's import time and the size of its bundle."""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from infra.app import synthesize
from infra.local import LocalStack

BARE = "boto3.client('dynamodb')"
ROUNDS = 7
CLOCK = "import time; started = time.perf_counter(); {}; print(time.perf_counter() - started)"
NOWHERE = {
    "AWS_ACCESS_KEY_ID": "none",
    "AWS_SECRET_ACCESS_KEY": "none",
    "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
}


def import_times(stack: LocalStack) -> dict[str, float]:
    """Return milliseconds from a fresh interpreter to an imported handler, with bytecode.

    Bare boto3 with one client is measured for comparison. The fastest of several rounds counts:
    whatever else the machine does only adds. The very first round compiles.
    """
    statements = {BARE: f"import boto3; {BARE}"}
    environments = {}
    for name, function in stack.functions.items():
        statements[name] = f"import {function.spec.handler.rpartition('.')[0]}"
        environments[name] = function.spec.process_environment(0, NOWHERE)
    environments[BARE] = environments["Api"]
    rounds = [
        {name: _import(statement, environments[name]) for name, statement in statements.items()}
        for _ in range(ROUNDS + 1)
    ]
    return {name: min(times[name] for times in rounds[1:]) for name in statements}


def _import(statement: str, environment: Mapping[str, str]) -> float:
    command = [sys.executable, "-c", CLOCK.format(statement)]
    ended = subprocess.run(command, env=environment, capture_output=True, check=True)
    return round(float(ended.stdout) * 1000, 1)


def bundle_sizes(outdir: Path) -> dict[str, float]:
    """Megabytes, unzipped and with bytecode, of each function and its layers as `cdk deploy` ships.

    Synthesizes to `outdir`, which builds the layers unless it has them.

    Raises InterpreterNotFoundError.
    """
    synthesize(outdir, bundle=True)
    template = json.loads((outdir / "AssistantsService.template.json").read_text())
    resources = template["Resources"]
    sizes = {}
    for name, resource in resources.items():
        if resource["Type"] == "AWS::Lambda::Function":
            properties = resource["Properties"]
            layers = [resources[layer["Ref"]]["Properties"] for layer in properties["Layers"]]
            contents = [properties["Code"], *(layer["Content"] for layer in layers)]
            sizes[name] = round(sum(_size(outdir, content) for content in contents) / 1e6, 1)
    return sizes


def _size(outdir: Path, content: Mapping[str, Any]) -> int:
    asset = outdir / f"asset.{content['S3Key'].removesuffix('.zip')}"
    return sum(path.stat().st_size for path in asset.rglob("*") if path.is_file())

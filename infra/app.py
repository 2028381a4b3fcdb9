"""The CDK application: two stacks, one for what must survive and one for what can be redeployed."""

import json
import os
import sys
from pathlib import Path
from typing import Any

from aws_cdk import App
from pydantic import ValidationError

from infra.bundling import InterpreterNotFoundError
from infra.options import Options
from infra.repository import REPOSITORY
from infra.stacks.data import DataStack
from infra.stacks.service import ServiceStack


def synthesize(outdir: Path, *, bundle: bool) -> None:
    """Write the cloud assembly to `outdir`.

    Without `bundle` nothing is built or checked: the assets point at their sources, which is what
    runs on this machine, and the templates are the same. Raises
    InterpreterNotFoundError, and pydantic's ValidationError for a context value of the wrong kind.
    """
    skip_bundling: dict[str, Any] = {} if bundle else {"aws:cdk:bundling-stacks": []}
    app = App(
        outdir=str(outdir),
        context={**context_defaults(), **skip_bundling},
        analytics_reporting=False,
        tree_metadata=bundle,
        stack_traces=bundle,
        builtin_cloud_formation_validation=bundle,
    )
    options = Options.of(app)
    data = DataStack(app, "AssistantsData", options)
    ServiceStack(app, "AssistantsService", options, data=data)
    app.synth()


def context_defaults() -> dict[str, Any]:
    """The context of cdk.json, which only the CDK command line reads by itself."""
    return dict(json.loads((REPOSITORY / "cdk.json").read_text())["context"])


def main() -> None:
    # The CDK command line says where it wants the assembly; by hand it is the folder it looks in.
    outdir = Path(os.environ.get("CDK_OUTDIR", REPOSITORY / "cdk.out"))
    try:
        synthesize(outdir, bundle=True)
    except (InterpreterNotFoundError, ValidationError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()

"""The CDK application: one stack for the data, which must survive, and one for the service."""

import json
import os
import sys
from pathlib import Path
from typing import Any

from aws_cdk import App
from pydantic import ValidationError

from infra.bundling import InterpreterNotFoundError
from infra.options import Options
from infra.regions import UnsupportedRegionError, check_region
from infra.repository import REPOSITORY
from infra.stacks.data import DataStack
from infra.stacks.service import ServiceStack


def synthesize(outdir: Path, *, bundle: bool) -> None:
    """Write the cloud assembly to `outdir`.

    Without `bundle` nothing is built or validated, and the assets point at their sources, as the
    local stack needs them; the templates are the same.

    Raises InterpreterNotFoundError, UnsupportedRegionError, and pydantic's ValidationError for a
    context value of the wrong type.
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
    # The CDK's command line knows the region of the credentials; templates are of no region.
    check_region(options, os.environ.get("CDK_DEFAULT_REGION"))
    data = DataStack(app, f"{options.name}Data", options)
    ServiceStack(app, f"{options.name}Service", options, data=data)
    app.synth()


def context_defaults() -> dict[str, Any]:
    """Return the context of cdk.json, which only the CDK's command line reads by itself."""
    return dict(json.loads((REPOSITORY / "cdk.json").read_text())["context"])


def main() -> None:
    # The CDK's command line names the folder; `make synth` writes to the one it reads by default.
    outdir = Path(os.environ.get("CDK_OUTDIR", REPOSITORY / "cdk.out"))
    try:
        synthesize(outdir, bundle=True)
    except (InterpreterNotFoundError, UnsupportedRegionError, ValidationError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()

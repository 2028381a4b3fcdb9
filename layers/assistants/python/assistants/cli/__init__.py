"""The command `assistants`, for whoever may write to the deployment's table."""

import argparse
import os
import sys
from collections.abc import Sequence

from assistants import __version__
from assistants.cli import keys, reindex
from assistants.cli.deployment import NAME, Deployment, NotDeployedError
from assistants.domain.errors import ApiError


def main(arguments: Sequence[str] | None = None) -> int:
    chosen = _parser().parse_args(arguments)
    deployment = Deployment(chosen.table, chosen.bucket, chosen.index_queue, chosen.deployment)
    try:
        return int(chosen.run(deployment, chosen))
    except (ApiError, NotDeployedError, ValueError) as error:
        print(f"assistants: {error}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="assistants")
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    for option, what in (
        ("--table", "the table"),
        ("--bucket", "the bucket"),
        ("--index-queue", "the URL of the index queue"),
    ):
        variable = f"ASSISTANTS{option[1:].replace('-', '_').upper()}"
        parser.add_argument(
            option,
            default=os.environ.get(variable),
            help=f"{what} (default: ${variable}, or the output of the deployed stack)",
        )
    parser.add_argument(
        "--deployment",
        default=NAME,
        help="the name that the deployment was given by -c name= (default: %(default)s)",
    )
    commands = parser.add_subparsers(required=True)
    keys.add_commands(commands)
    reindex.add_command(commands)
    return parser

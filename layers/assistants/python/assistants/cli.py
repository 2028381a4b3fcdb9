"""`assistants keys create|list|revoke`: manages API keys, with write access to the table."""

import argparse
import os
import sys
from collections.abc import Sequence

from assistants import __version__
from assistants.adapters.aws import client
from assistants.adapters.dynamodb.items import item_model
from assistants.adapters.dynamodb.large_values import LargeValues
from assistants.adapters.dynamodb.table import DynamoTable
from assistants.adapters.system_clock import SystemClock
from assistants.domain.errors import ApiError
from assistants.services.api_keys import ApiKeys


def main(arguments: Sequence[str] | None = None) -> int:
    chosen = _parser().parse_args(arguments)
    try:
        return int(chosen.run(_api_keys(chosen.table), chosen))
    except (ApiError, ValueError) as error:
        print(f"assistants: {error}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="assistants")
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    parser.add_argument(
        "--table",
        default=os.environ.get("ASSISTANTS_TABLE"),
        help="the table (default: $ASSISTANTS_TABLE, or what the stack AssistantsData names)",
    )
    keys = parser.add_subparsers(required=True).add_parser("keys").add_subparsers(required=True)
    create = keys.add_parser("create", help="issue a key; it is shown this once")
    create.add_argument("--project", default="default", help="the tenant that the key opens")
    create.add_argument("--name", default="", help="what you will know it by")
    create.set_defaults(run=_create)
    list_ = keys.add_parser("list", help="the keys of a project")
    list_.add_argument("--project", default="default")
    list_.set_defaults(run=_list)
    revoke = keys.add_parser("revoke", help="refuse a key within a minute")
    revoke.add_argument("id", help="key_..., as list shows it")
    revoke.add_argument("--project", default="default")
    revoke.set_defaults(run=_revoke)
    return parser


def _api_keys(table: str | None) -> ApiKeys:
    values = LargeValues("", lambda: client("s3"))  # a key's rows are never large
    dynamo_table = DynamoTable(item_model(table or _deployed_table()), values)
    return ApiKeys(dynamo_table, SystemClock(), auth="keys")


def _deployed_table() -> str:
    stacks = client("cloudformation").describe_stacks(StackName="AssistantsData")["Stacks"]
    outputs = {each["OutputKey"]: each["OutputValue"] for each in stacks[0]["Outputs"]}
    return str(outputs["TableName"])


def _create(keys: ApiKeys, chosen: argparse.Namespace) -> int:
    key, secret = keys.create(chosen.project, chosen.name)
    print(f"{key.id} opens project {key.project}. This is the only time the key is shown:")
    print(secret)
    return 0


def _list(keys: ApiKeys, chosen: argparse.Namespace) -> int:
    for key in keys.list(chosen.project):
        print(f"{key.id}  {key.project}  {key.created_at}  {key.name}")
    return 0


def _revoke(keys: ApiKeys, chosen: argparse.Namespace) -> int:
    key = keys.revoke(chosen.project, chosen.id)
    print(f"{key.id} is revoked.")
    return 0

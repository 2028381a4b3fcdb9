"""`assistants keys create|list|revoke`: issue API keys."""

import argparse
from typing import TYPE_CHECKING

from assistants.adapters.system_clock import SystemClock
from assistants.cli.deployment import Deployment
from assistants.services.api_keys import ApiKeys

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]


def add_commands(commands: "Commands") -> None:
    keys = commands.add_parser("keys", help="issue API keys").add_subparsers(required=True)
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


def _api_keys(deployment: Deployment) -> ApiKeys:
    return ApiKeys(deployment.key_table, SystemClock(), auth="keys")


def _create(deployment: Deployment, chosen: argparse.Namespace) -> int:
    key, secret = _api_keys(deployment).create(chosen.project, chosen.name)
    print(f"{key.id} opens project {key.project}. This is the only time the key is shown:")
    print(secret)
    return 0


def _list(deployment: Deployment, chosen: argparse.Namespace) -> int:
    for key in _api_keys(deployment).list(chosen.project):
        print(f"{key.id}  {key.project}  {key.created_at}  {key.name}")
    return 0


def _revoke(deployment: Deployment, chosen: argparse.Namespace) -> int:
    key = _api_keys(deployment).revoke(chosen.project, chosen.id)
    print(f"{key.id} is revoked.")
    return 0

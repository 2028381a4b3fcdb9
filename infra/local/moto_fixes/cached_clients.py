"""A task state creates a boto3 client each time, in some 8 ms, for the server at MOTO_PORT.

One client per service suffices, and clients that know their account's endpoint let several stacks
run in one process.
"""

import functools
import sys
from typing import Any

import boto3
from botocore.config import Config
from moto.stepfunctions.parser.asl.component.state.exec.state_task.credentials import (
    StateCredentials,
)
from moto.stepfunctions.parser.asl.utils import boto_client

from infra.local.recorder import OWN_KEY

CONNECTIONS = 1000  # as many as executions may wait for functions at once

endpoints: dict[str, str] = {}
"""The URL of the endpoint, by account."""


def fix() -> None:
    original = boto_client.boto_client_for
    for module in tuple(sys.modules.values()):  # also those that imported the name
        if getattr(module, "boto_client_for", None) is original:
            module.boto_client_for = client_for  # type: ignore[attr-defined]


def client_for(region: str, service: str, state_credentials: StateCredentials) -> Any:
    """Return a client for the calls of a state machine with this role."""
    return service_client(state_credentials.role_arn.split(":")[4], region, service)


def service_client(account: str, region: str, service: str) -> Any:
    """Return a client for the calls of a service in this account."""
    return _client(region, service, endpoints[account])


@functools.cache
def _client(region: str, service: str, endpoint_url: str) -> Any:
    return boto3.session.Session().client(
        service,  # type: ignore[call-overload]
        region_name=region,
        endpoint_url=endpoint_url,
        aws_access_key_id=OWN_KEY,
        aws_secret_access_key="none",  # noqa: S106
        config=Config(
            parameter_validation=False,
            max_pool_connections=CONNECTIONS,
            retries={"total_max_attempts": 1},
            connect_timeout=None,
            read_timeout=None,
        ),
    )

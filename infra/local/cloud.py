"""A local AWS account: its endpoint, the functions that run in it, and clients for it."""

import itertools
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self

import boto3
from botocore.config import Config
from moto.events.models import events_backends
from moto.stepfunctions.parser.models import stepfunctions_parser_backends

from infra.local import moto_fixes, search
from infra.local.asynchronous import AsynchronousInvoker
from infra.local.concurrency import LIMIT
from infra.local.ecs_api import EcsApi
from infra.local.endpoint import AwsEndpoint
from infra.local.function_spec import REGION, LocalFunctionSpec
from infra.local.functions import FunctionHost
from infra.local.lambda_api import LambdaApi
from infra.local.moto_fixes.cached_clients import endpoints
from infra.local.recorder import OWN_KEY, Recorder

# No emulator has models: calls go to Bedrock itself, if the user sets its endpoint and API key.
BEDROCK = ("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", "AWS_BEARER_TOKEN_BEDROCK")
# With two busy threads, one response in ten waits 34 ms at Python's 5 ms, and 0.04 ms at this.
SWITCH_SECONDS = 0.0005
ACCOUNTS = itertools.count(123456789012)


class Cloud:
    """One account; several of them can live in one process.

    Its search index is a file, or the node at `search_endpoint` (`http://…`, without a login).
    At most `concurrency` functions run at once.
    """

    def __init__(self, search_endpoint: str | None = None, concurrency: int = LIMIT) -> None:
        moto_fixes.apply()
        sys.setswitchinterval(SWITCH_SECONDS)
        self.account = f"{next(ACCOUNTS):012}"
        self.calls = Recorder()
        self.functions = FunctionHost(self._aws_environment, concurrency)
        self.asynchronous = AsynchronousInvoker(self.functions.timers)
        self.tasks = EcsApi(self.account)
        self.endpoint = AwsEndpoint(
            self.account, LambdaApi(self.functions, self.asynchronous), self.tasks, self.calls
        )
        self.endpoint_url = self.endpoint.url
        endpoints[self.account] = self.endpoint_url
        self._files = TemporaryDirectory(prefix="assistants-search-")
        index = f"sqlite:{Path(self._files.name, 'index.sqlite')}"
        search.endpoints[self.account] = search_endpoint or index
        self._session = boto3.session.Session()

    def client(self, service: str, *, recorded: bool = True) -> Any:
        """Return a boto3 client of this account; the stack's own calls need not be recorded."""
        return self._session.client(
            service,  # type: ignore[call-overload]
            region_name=REGION,
            endpoint_url=self.endpoint_url,
            aws_access_key_id="AKIA" + "A" * 16 if recorded else OWN_KEY,
            aws_secret_access_key="none",  # noqa: S106
            config=Config(max_pool_connections=100),
        )

    def close(self) -> None:
        """Stop executions, functions and tasks, and close the endpoint."""
        for bus in events_backends[self.account][REGION].event_buses.values():
            for rule in bus.rules.values():
                rule.disable()  # its targets are about to stop, too
        for machine in stepfunctions_parser_backends[self.account][REGION].state_machines:
            for execution in machine.executions:
                machine.stop_execution(execution.execution_arn)
        self.functions.close()
        self.tasks.close()
        self.endpoint.close()
        self._files.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _aws_environment(self, function: LocalFunctionSpec) -> Mapping[str, str]:
        return {
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_ACCESS_KEY_ID": self.calls.access_key(function.logical_id),
            "AWS_SECRET_ACCESS_KEY": "none",
            **{name: os.environ[name] for name in BEDROCK if name in os.environ},
        }

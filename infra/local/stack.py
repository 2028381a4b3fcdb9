"""The local stack: the application's template, deployed and served on this machine."""

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

from infra.local.assembly import Assembly, StackTemplate
from infra.local.cloud import Cloud
from infra.local.concurrency import LIMIT
from infra.local.deployment import DeployedStack, DeploymentError, deploy
from infra.local.public_api import PublicApi
from infra.local.queues import queue_mappings
from infra.local.rest_api import RestApiDefinition
from infra.local.schedules import Schedules
from infra.local.settings import check_models, keep_secrets, with_defaults
from infra.local.synthesis import cached_assembly
from infra.repository import REPOSITORY


class LocalStack:
    """Run an assembly, by default the application's, until it is closed.

    `parameters` are those of its templates; keys among them may be given by value. `port` 0 is any
    free one. `search_endpoint` is an OpenSearch node to use instead of the embedded index.
    `concurrency` is the account's limit: how many functions may run at once.

    Raises `SynthesisError`, `InvalidParameterError`, `DeploymentError`, `UnsupportedScheduleError`
    and `ListenError`.
    """

    def __init__(
        self,
        parameters: Mapping[str, str] | None = None,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        search_endpoint: str | None = None,
        concurrency: int = LIMIT,
        assembly: Assembly | None = None,
        sources: Path = REPOSITORY,
    ) -> None:
        self.parameters = with_defaults(parameters or {}) if assembly is None else parameters or {}
        with ExitStack() as undo:
            self._cloud = undo.enter_context(Cloud(search_endpoint, concurrency))
            kept = keep_secrets(self._cloud, self.parameters)
            check_models(kept)
            self._deployed = deploy(self._cloud, assembly or cached_assembly(), kept, sources)
            for mapping in queue_mappings(self._cloud, self._deployed):
                undo.callback(mapping.close)
            self.schedules = Schedules(self._cloud.account, self._cloud.functions.timers)
            self._api = PublicApi(
                _rest_api(self._deployed), self._cloud.functions, self._cloud.account, host, port
            )
            undo.callback(self._api.close)
            self._undo = undo.pop_all()
        self.base_url, self.account = self._api.base_url, self._cloud.account
        self.endpoint, self.endpoint_url = self._cloud.endpoint, self._cloud.endpoint_url
        self.calls = self._cloud.calls
        self.functions, self.tasks = self._cloud.functions, self._cloud.tasks

    @property
    def outputs(self) -> dict[str, str]:
        """Return the outputs of all stacks."""
        return {name: value for one in self._deployed for name, value in one.outputs.items()}

    @property
    def templates(self) -> list[StackTemplate]:
        """Return the templates that are deployed."""
        return [one.stack for one in self._deployed]

    def resource(self, stack: str, logical_id: str) -> str:
        """Return the physical id of a resource. Raises KeyError."""
        (deployed,) = (one for one in self._deployed if one.stack.name == stack)
        return deployed.resources[logical_id]

    def client(self, service: str) -> Any:
        """Return a boto3 client of the stack's account."""
        return self._cloud.client(service)

    def close(self) -> None:
        """Stop everything that the stack has started."""
        self._undo.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _rest_api(deployed: list[DeployedStack]) -> RestApiDefinition:
    for one in deployed:
        if api := RestApiDefinition.of(one.stack):
            return api
    raise DeploymentError("No template has a REST API.")

"""The model port over all providers: the catalog says which of them a name belongs to."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from assistants.domain.errors import InvalidRequestError
from assistants.domain.model import Catalog
from assistants.domain.model_route import ModelEndpoint, Provider
from assistants.ports.chat_model import ChatModel, Delta, ModelError, ModelRequest


class ModelRouter:
    """Clients of providers are made when they are first asked, one for each endpoint."""

    def __init__(
        self, catalog: Catalog, providers: Mapping[Provider, Callable[[ModelEndpoint], ChatModel]]
    ) -> None:
        self._catalog = catalog
        self._providers = providers
        self._made: dict[ModelEndpoint, ChatModel] = {}

    def stream(self, request: ModelRequest) -> Iterator[Delta]:
        try:
            route = self._catalog.route(request.model)
        except InvalidRequestError as error:  # the catalog has changed since the run was created
            raise ModelError("server_error", error.message) from error
        endpoint = route.endpoint
        if endpoint not in self._made:
            self._made[endpoint] = self._providers[endpoint.provider](endpoint)
        model = self._made[endpoint]
        yield from model.stream(replace(request, model=route.target or request.model))

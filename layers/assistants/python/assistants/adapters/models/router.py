"""Routes requests to the provider of the model, by the catalog."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from assistants.domain.errors import InvalidRequestError
from assistants.domain.model import Catalog
from assistants.domain.model_route import ModelEndpoint, Provider
from assistants.ports.chat_model import ChatModel, Delta, ModelError, ModelRequest


class ModelRouter:
    """Implement `ChatModel`. Create one client per endpoint, on first use."""

    def __init__(
        self, catalog: Catalog, providers: Mapping[Provider, Callable[[ModelEndpoint], ChatModel]]
    ) -> None:
        self._catalog = catalog
        self._providers = providers
        self._clients: dict[ModelEndpoint, ChatModel] = {}

    def stream(self, request: ModelRequest) -> Iterator[Delta]:
        try:
            route = self._catalog.route(request.model)
        except InvalidRequestError as error:  # the catalog has changed since the run was created
            raise ModelError("server_error", error.message) from error
        endpoint = route.endpoint
        if endpoint not in self._clients:
            self._clients[endpoint] = self._providers[endpoint.provider](endpoint)
        model = self._clients[endpoint]
        yield from model.stream(replace(request, model=route.target or request.model))

"""The model port over all providers: the catalog says which of them a name belongs to."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from assistants.domain.errors import InvalidRequest
from assistants.domain.model import Catalog, Provider
from assistants.ports.chat_model import ChatModel, Delta, ModelError, ModelRequest


class ModelRouter:
    """Providers are made when they are first asked."""

    def __init__(self, catalog: Catalog, providers: Mapping[Provider, Callable[[], ChatModel]]):
        self._catalog = catalog
        self._providers = providers
        self._made: dict[Provider, ChatModel] = {}

    def stream(self, request: ModelRequest) -> Iterator[Delta]:
        try:
            route = self._catalog.route(request.model)
        except InvalidRequest as error:  # the catalog has changed since the run was created
            raise ModelError("server_error", error.message) from error
        if route.provider not in self._made:
            self._made[route.provider] = self._providers[route.provider]()
        model = self._made[route.provider]
        yield from model.stream(replace(request, model=route.target or request.model))

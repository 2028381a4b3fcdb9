"""Models that can be used: the API's object, and the table that maps names to providers."""

from fnmatch import fnmatchcase
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from assistants.domain.errors import InvalidRequest, NotFound, unsupported_model
from assistants.domain.schema import Object

Provider = Literal["openai-compatible", "demo"]


class Model(Object):
    id: str
    object: Literal["model"] = "model"
    created: int
    owned_by: str


class ModelRoute(BaseModel):
    """Where a model name leads: the provider, and the name that provider knows (null: the same)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    provider: Provider = "openai-compatible"
    target: str | None = None
    context: int = Field(default=128_000, ge=1024)  # tokens


class Catalog:
    """Model names and patterns (`gpt-4*`) in the order given; the first that matches decides."""

    def __init__(self, routes: dict[str, ModelRoute], *, endpoint_configured: bool) -> None:
        self._routes = dict(routes)
        if endpoint_configured:
            self._routes.setdefault("*", ModelRoute())

    def route(self, model: str) -> ModelRoute:
        """Raises `InvalidRequest` (`unsupported_model`) for a name that leads nowhere."""
        for pattern, route in self._routes.items():
            if fnmatchcase(model, pattern):
                return route
        raise unsupported_model(
            model, "Map it to a provider in ASSISTANTS_MODELS, or set ASSISTANTS_MODEL_URL."
        )

    def model(self, name: str) -> Model:
        """Raises `NotFound` (`model_not_found`) in the words of the original."""
        try:
            return Model(id=name, created=0, owned_by=self.route(name).provider)
        except InvalidRequest as error:
            raise NotFound(
                f"The model '{name}' does not exist", param="model", code="model_not_found"
            ) from error

    def models(self) -> list[Model]:
        """The names that can be asked for; a pattern is listed as it is written."""
        return [
            Model(id=name, created=0, owned_by=route.provider)
            for name, route in self._routes.items()
        ]

"""Models: the API's object, and the catalog that maps their names to providers."""

import re
from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any, Literal

from pydantic import ValidationError

from assistants.domain.errors import InvalidRequestError, NotFoundError, unsupported_model
from assistants.domain.model_route import ModelRoute
from assistants.domain.schema import Object

_WILDCARDS = re.compile(r"\[[^]]*\]|[*?]")


class Model(Object):
    id: str
    object: Literal["model"] = "model"
    created: int
    owned_by: str


class InvalidCatalogError(ValueError):
    """Raised when an entry of `ASSISTANTS_MODELS` is invalid; the message names it."""

    def __init__(self, name: str, problem: str) -> None:
        super().__init__(f"ASSISTANTS_MODELS, '{name}': {problem}")


class Catalog:
    """Map model names and shell patterns (`gpt-4*`) to routes, or as aliases to other names.

    An entry with exactly the name wins; else the pattern with the most literal characters, then
    with the fewest wildcards, then the first in alphabetical order.
    """

    def __init__(
        self, entries: Mapping[str, ModelRoute | str], *, endpoint_configured: bool
    ) -> None:
        self._entries = dict(entries)
        if endpoint_configured:
            self._entries.setdefault("*", ModelRoute())
        self._patterns = sorted(filter(_WILDCARDS.search, self._entries), key=_specificity)

    @classmethod
    def read(cls, models: Mapping[str, Any], *, endpoint_configured: bool) -> "Catalog":
        """Parse `ASSISTANTS_MODELS`. Raises `InvalidCatalogError`."""
        entries = {name: _entry_of(name, entry) for name, entry in models.items()}
        catalog = cls(entries, endpoint_configured=endpoint_configured)
        for name, entry in entries.items():
            if isinstance(entry, str):
                catalog._check_alias(name, entry)
            elif entry.endpoint == ModelRoute().endpoint and not endpoint_configured:
                raise InvalidCatalogError(name, "needs a url, as ASSISTANTS_MODEL_URL is not set")
        return catalog

    def route(self, model: str) -> ModelRoute:
        """Return the route of a model name, with its target filled in.

        Raises `InvalidRequestError` (`unsupported_model`) for a name without a route.
        """
        name, entry = model, self._entry(model)
        if isinstance(entry, str):
            name, entry = entry, self._entry(entry)
        if not isinstance(entry, ModelRoute):
            raise unsupported_model(
                model, "Map it to a provider in ASSISTANTS_MODELS, or set ASSISTANTS_MODEL_URL."
            )
        return entry if entry.target else entry.model_copy(update={"target": name})

    def model(self, name: str) -> Model:
        """Return a model by name. Raises `NotFoundError` (`model_not_found`)."""
        try:
            return Model(id=name, created=0, owned_by=self.route(name).provider)
        except InvalidRequestError as error:
            raise NotFoundError(
                f"The model '{name}' does not exist", param="model", code="model_not_found"
            ) from error

    def models(self) -> list[Model]:
        """Return the names and aliases in the configured order, without patterns."""
        return [self.model(name) for name in self._entries if name not in self._patterns]

    def _check_alias(self, name: str, other: str) -> None:
        entry = self._entry(other)
        if entry is None:
            raise InvalidCatalogError(name, f"'{other}' is neither mapped nor matches a pattern")
        if isinstance(entry, str):
            raise InvalidCatalogError(name, f"'{other}' is itself an alias")

    def _entry(self, name: str) -> ModelRoute | str | None:
        matching = (pattern for pattern in self._patterns if fnmatchcase(name, pattern))
        return self._entries.get(name) or self._entries.get(next(matching, ""))


def _entry_of(name: str, entry: Any) -> ModelRoute | str:
    if isinstance(entry, str):
        return entry
    try:
        return ModelRoute.model_validate(entry)
    except ValidationError as error:
        problem = error.errors()[0]
        member = "".join(f"{step}: " for step in problem["loc"])
        raise InvalidCatalogError(name, f"{member}{problem['msg']}") from error


def _specificity(pattern: str) -> tuple[int, int, str]:
    """Return a sort key that puts the most specific pattern first."""
    return -len(_WILDCARDS.sub("", pattern)), len(_WILDCARDS.findall(pattern)), pattern

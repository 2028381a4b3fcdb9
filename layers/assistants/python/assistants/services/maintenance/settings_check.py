"""Check that the settings of a deployment can be followed, before it serves anybody."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from assistants.domain.model import Catalog, InvalidCatalogError
from assistants.domain.model_route import ModelRoute
from assistants.settings import InvalidSettingsError, Settings

# The first part of an inference profile's id: where Bedrock may answer a request.
GEOGRAPHIES = frozenset({"apac", "au", "ca", "eu", "global", "jp", "us", "us-gov"})
EMBEDDING_FAMILIES = ("titan-embed-text", "cohere.embed")
WILDCARDS = frozenset("*?[")


@dataclass(frozen=True)
class Access:
    """What the deployment's roles may use: lists of ARNs, perhaps with wildcards.

    Without file search there are no `embedding_models`.
    """

    models: Sequence[str]
    keys: Sequence[str]
    embedding_models: Sequence[str] | None


@dataclass(frozen=True)
class SettingsCheck:
    """`read_models` and `check_key` read from AWS, and raise `InvalidSettingsError`."""

    read_models: Callable[[str], Mapping[str, Any]]
    check_key: Callable[[str, str], None]

    def check(self, variables: Mapping[str, str], access: Access) -> None:
        """Raise `InvalidSettingsError` for the first setting that nobody could follow."""
        settings = Settings.checked(variables)
        self._check_models(settings, access)
        if settings.model_key:
            self.check_key("ASSISTANTS_MODEL_KEY", settings.model_key)
        if access.embedding_models is not None:
            self._check_embeddings(settings, access.embedding_models)

    def _check_models(self, settings: Settings, access: Access) -> None:
        file = settings.models_file
        models = self.read_models(file) if file else settings.models
        try:
            Catalog.read(models, endpoint_configured=settings.model_url is not None)
        except InvalidCatalogError as error:
            raise InvalidSettingsError(f"{error}.") from error
        for name, entry in models.items():
            if not isinstance(entry, str):
                self._check_route(name, ModelRoute.model_validate(entry), access)

    def _check_route(self, name: str, route: ModelRoute, access: Access) -> None:
        where = f"ASSISTANTS_MODELS, '{name}'"
        target = route.target or name
        if route.provider == "bedrock" and (route.target or not WILDCARDS & set(name)):
            _check_bedrock(where, target, "BedrockModels", access.models)
        if route.key:
            path = route.key.removeprefix("ssm:/")
            if not _allows(access.keys, "parameter", path):
                raise InvalidSettingsError(
                    f"{where}: the parameter ModelKeys does not allow {route.key}: add "
                    f"arn:aws:ssm:<region>:<account>:parameter/{path}."
                )
            self.check_key(where, route.key)

    def _check_embeddings(self, settings: Settings, allowed: Sequence[str]) -> None:
        where = "ASSISTANTS_EMBEDDING_MODEL"
        if settings.embedding_key:
            self.check_key("ASSISTANTS_EMBEDDING_KEY", settings.embedding_key)
        provider, _, model = settings.embedding_model.partition(":")
        if provider == "bedrock" and not settings.embedding_url:
            if not any(family in model for family in EMBEDDING_FAMILIES):
                raise InvalidSettingsError(
                    f"{where}: {model} is neither a Titan nor a Cohere model for embeddings of "
                    "text; bedrock:amazon.titan-embed-text-v2:0 is one."
                )
            _check_bedrock(where, model, "EmbeddingModels", allowed)


def _check_bedrock(where: str, target: str, parameter: str, allowed: Sequence[str]) -> None:
    """Check that IAM will let the model be asked: a profile also needs what it routes to."""
    missing = [
        f"arn:aws:bedrock:{place}:{kind}/{id}"
        for kind, place, id in _needed(target)
        if not _allows(allowed, kind, id)
    ]
    if missing:
        raise InvalidSettingsError(
            f"{where}: the parameter {parameter} does not allow {target}: add {','.join(missing)}."
        )


def _needed(target: str) -> Iterator[tuple[str, str, str]]:
    """Yield kind, region with account, and id of each resource that a request for it touches."""
    if target.startswith("arn:"):
        _, _, _, region, account, resource = target.split(":", 5)
        kind, _, id = resource.partition("/")
        yield kind, f"{region}:{account}", id
        return
    geography, _, model = target.partition(".")
    if geography in GEOGRAPHIES:
        yield "inference-profile", "*:*", target
        yield "foundation-model", "*:", model
    else:
        yield "foundation-model", "*:", target


def _allows(arns: Sequence[str], kind: str, id: str) -> bool:
    """Compare what follows region and account: `foundation-model/amazon.titan-…-v2:0`."""
    return any(fnmatchcase(f"{kind}/{id}", arn.split(":", 5)[-1]) for arn in arns)

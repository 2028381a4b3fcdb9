"""The stack's parameters on this machine: from the environment, with local defaults."""

import json
import re
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from assistants.domain.model import Catalog, InvalidCatalogError
from assistants.settings import PREFIX, Settings
from infra.local.cloud import Cloud
from infra.local.parameters import InvalidParameterError

MINILM = {"EmbeddingModel": "minilm", "EmbeddingDimensions": "384"}
DEMO = '{"demo": {"provider": "demo"}, "*": "demo"}'
OWN = frozenset(
    {
        "ASSISTANTS_HOST",
        "ASSISTANTS_PORT",
        "ASSISTANTS_SEARCH_ENDPOINT",
        "ASSISTANTS_CONCURRENCY",
    }
)


def parameters_of(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the parameters in an environment: `ModelUrl` for `ASSISTANTS_MODEL_URL`."""
    return {
        _parameter(name): value
        for name, value in environment.items()
        if name.startswith(PREFIX) and name not in OWN
    }


def with_defaults(parameters: Mapping[str, str]) -> dict[str, str]:
    """Add the local defaults: any API key and any browser page are accepted.

    Unless the user configures models, the demo model answers to every name, and MiniLM embeds texts
    on this machine.
    """
    has_model = parameters.get("ModelUrl") or parameters.get("Models")
    models = {} if has_model else {"Models": DEMO}
    has_embeddings = parameters.get("EmbeddingUrl") or parameters.get("EmbeddingModel")
    embeddings = {} if has_embeddings else MINILM
    return {"Auth": "open", "CorsOrigins": "*", **models, **embeddings, **parameters}


def check_models(parameters: Mapping[str, str]) -> None:
    """Check that functions can start with the models. Raises `InvalidParameterError`."""
    names = ("MODELS", "MODEL_URL", "EMBEDDING_MODEL", "EMBEDDING_URL", "EMBEDDING_DIMENSIONS")
    given = {PREFIX + name: parameters.get(_parameter(name), "") for name in names}
    try:
        chosen = Settings.read(given)
        Catalog.read(chosen.models, endpoint_configured=chosen.model_url is not None)
    except ValidationError as error:
        first = error.errors()[0]
        where = "".join(f"ASSISTANTS_{str(place).upper()}: " for place in first["loc"])
        reason = first["msg"].removeprefix("Value error, ")
        raise InvalidParameterError(f"{where}{reason}.") from error
    except InvalidCatalogError as error:
        raise InvalidParameterError(f"{error}.") from error


def _parameter(variable: str) -> str:
    return variable.removeprefix(PREFIX).title().replace("_", "")


def keep_secrets(cloud: Cloud, parameters: Mapping[str, str]) -> dict[str, str]:
    """Move keys that are given by value to SSM, and put references into the parameters."""
    kept = dict(parameters)
    for name, value in parameters.items():
        if name.endswith("Key") and value:
            kept[name] = _kept(cloud, re.sub(r"(?<!^)(?=[A-Z])", "-", name).lower(), value)
    if models := _models(parameters):
        for number, route in enumerate(models.values()):
            if isinstance(route, dict) and isinstance(key := route.get("key"), str):
                route["key"] = _kept(cloud, f"models/{number}", key)
        kept["Models"] = json.dumps(models)
    return kept


def _models(parameters: Mapping[str, str]) -> dict[str, Any]:
    """Return the models, or none if they are malformed, which `check_models` reports."""
    try:
        models = json.loads(parameters.get("Models") or "{}")
    except ValueError:
        return {}
    return models if isinstance(models, dict) else {}


def _kept(cloud: Cloud, name: str, key: str) -> str:
    if key.startswith("ssm:"):
        return key
    path = f"/assistants/{name}"
    cloud.client("ssm", recorded=False).put_parameter(Name=path, Value=key, Type="SecureString")
    return f"ssm:{path}"

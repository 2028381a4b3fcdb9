"""The stack's parameters on this machine: from the environment, with local defaults."""

import json
import re
from collections.abc import Mapping
from typing import Any

from assistants.settings import PREFIX
from infra.local.cloud import Cloud

MINILM = {"EmbeddingModel": "minilm", "EmbeddingDimensions": "384"}
DEMO = '{"demo": {"provider": "demo"}, "*": "demo"}'
LONGEST_MODELS = 800
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


def keep_models(cloud: Cloud, parameters: Mapping[str, str]) -> dict[str, str]:
    """Move a map of models that is too long for a parameter to S3, as one would on AWS."""
    models = parameters.get("Models", "")
    if len(models) <= LONGEST_MODELS:
        return dict(parameters)
    s3 = cloud.client("s3", recorded=False)
    bucket = f"models-{cloud.account}"
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="models.json", Body=models.encode())
    return {**parameters, "Models": "", "ModelsFile": f"s3://{bucket}/models.json"}


def _models(parameters: Mapping[str, str]) -> dict[str, Any]:
    """Return the models, or none if they are malformed, which the deployment reports."""
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

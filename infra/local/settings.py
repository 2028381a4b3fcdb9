"""The stack's parameters on this machine: from the environment, with defaults of its own."""

import re
from collections.abc import Mapping

from infra.local.cloud import Cloud

PREFIX = "ASSISTANTS_"
DEMO = '{"*": {"provider": "demo"}}'
OWN = frozenset({"ASSISTANTS_HOST", "ASSISTANTS_PORT"})


def parameters_of(environment: Mapping[str, str]) -> dict[str, str]:
    """`ASSISTANTS_MODEL_URL` is the parameter `ModelUrl`."""
    return {
        name.removeprefix(PREFIX).title().replace("_", ""): value
        for name, value in environment.items()
        if name.startswith(PREFIX) and name not in OWN
    }


def with_defaults(parameters: Mapping[str, str]) -> dict[str, str]:
    """Open to any key; without a model of the user's own, each name is the demo model's."""
    has_model = parameters.get("ModelUrl") or parameters.get("Models")
    return {"Auth": "open", **({} if has_model else {"Models": DEMO}), **parameters}


def keep_secrets(cloud: Cloud, parameters: Mapping[str, str]) -> dict[str, str]:
    """Put a key that is given itself into SSM; a parameter holds only the reference to it."""
    kept = dict(parameters)
    for name, value in parameters.items():
        if name.endswith("Key") and value and not value.startswith("ssm:"):
            path = "/assistants/" + re.sub(r"(?<!^)(?=[A-Z])", "-", name).lower()
            ssm = cloud.client("ssm", recorded=False)
            ssm.put_parameter(Name=path, Value=value, Type="SecureString")
            kept[name] = f"ssm:{path}"
    return kept

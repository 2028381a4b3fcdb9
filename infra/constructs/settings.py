"""Settings of the service: CloudFormation parameters that become environment variables.

They are made from `assistants.settings`, which holds their defaults, bounds and descriptions. A
deployment with other parameters changes them; none needs a new synthesis.
"""

from collections.abc import Mapping
from typing import Any

from aws_cdk import CfnParameter
from constructs import Construct

from assistants.settings import PREFIX, Settings

MODEL_KEY, EMBEDDING_KEY = "ASSISTANTS_MODEL_KEY", "ASSISTANTS_EMBEDDING_KEY"

# The stack knows these itself.
RESOURCES = frozenset(
    {
        "table",
        "bucket",
        "state_machine",
        "purge_queue",
        "sandbox_cluster",
        "sandbox_task",
        "sandbox_subnets",
        "sandbox_security_group",
        "sandbox_public_ip",
        "sandbox_proxy",
        "search_endpoint",
        "index_queue",
        "parse_function",
    }
)

# No parameter takes a secret, as parameters are shown to whoever may look at the stack.
KEY_REFERENCE = r"(ssm:(/[A-Za-z0-9_.-]+)+)?"


def parameter_name(variable: str) -> str:
    """`ASSISTANTS_MODEL_URL` is the parameter `ModelUrl`."""
    return variable.removeprefix(PREFIX).title().replace("_", "")


def declare_settings(scope: Construct) -> Mapping[str, str]:
    """Declare each setting's parameter; the environment that refers to them, by variable."""
    schemas = Settings.model_json_schema()["properties"]
    return {
        f"{PREFIX}{field.upper()}": _declare(scope, field, schema).value_as_string
        for field, schema in schemas.items()
        if field not in RESOURCES
    }


def _declare(scope: Construct, field: str, schema: Mapping[str, Any]) -> CfnParameter:
    number = schema.get("type") in {"integer", "number"}
    return CfnParameter(
        scope,
        parameter_name(f"{PREFIX}{field.upper()}"),
        description=schema["description"],
        type="Number" if number else "String",
        # An empty variable is not set.
        default=schema["default"] if number else schema["default"] or "",
        allowed_values=schema.get("enum"),
        allowed_pattern=KEY_REFERENCE if field.endswith("_key") else None,
        min_value=schema.get("minimum"),
        max_value=schema.get("maximum"),
    )

"""Settings of the service: CloudFormation parameters that become environment variables.

They derive from `assistants.settings`, which holds their defaults, bounds and descriptions. To
change one takes a deployment with other parameters, not a new synthesis.
"""

from collections.abc import Mapping
from typing import Any

from aws_cdk import CfnParameter
from constructs import Construct

from assistants.settings import PREFIX, Settings

MODEL_KEY, EMBEDDING_KEY = "ASSISTANTS_MODEL_KEY", "ASSISTANTS_EMBEDDING_KEY"

# The stack sets these itself.
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

# No parameter takes a secret, as everyone who may describe the stack can read them.
KEY_REFERENCE = r"(ssm:(/[A-Za-z0-9_.-]+)+)?"


def parameter_name(variable: str) -> str:
    """Return the parameter of a variable: `ModelUrl` for `ASSISTANTS_MODEL_URL`."""
    return variable.removeprefix(PREFIX).title().replace("_", "")


def declare_settings(scope: Construct) -> Mapping[str, str]:
    """Declare a parameter for each setting; return the variables that refer to them."""
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
        # The service takes an empty variable for unset.
        default=schema["default"] if number else schema["default"] or "",
        allowed_values=schema.get("enum"),
        allowed_pattern=KEY_REFERENCE if field.endswith("_key") else None,
        min_value=schema.get("minimum"),
        max_value=schema.get("maximum"),
    )

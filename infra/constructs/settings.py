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
MODELS, MODELS_FILE = "ASSISTANTS_MODELS", "ASSISTANTS_MODELS_FILE"

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
LONGEST = 400  # of a text whose setting has no limit of its own; Lambda takes 4,096 bytes in all


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


def without_models(settings: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of a process that calls no model: the map of models may be long."""
    return {name: value for name, value in settings.items() if name not in {MODELS, MODELS_FILE}}


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
        min_value=schema.get("minimum"),
        max_value=schema.get("maximum"),
        **({} if number or "enum" in schema else _text_constraints(schema)),
    )


def _text_constraints(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return the constraints of a text, or of a list of texts; an empty one is always taken."""
    one = schema.get("items") or {**schema, **next(iter(schema.get("anyOf", [{}])))}
    pattern = one["pattern"].removeprefix("^").removesuffix("$")
    several = f"{pattern}([, ]+{pattern})*" if "items" in schema else pattern
    return {
        "allowed_pattern": f"({several})?",
        "constraint_description": f"be empty, or like {one['examples'][0]}",
        "max_length": one.get("maxLength", LONGEST),
    }

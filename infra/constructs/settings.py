"""Settings of the service: CloudFormation parameters that become environment variables.

A redeployment with other parameters changes them; no setting needs a new synthesis. No parameter
holds a secret: `ModelKey` names where the secret lies.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from aws_cdk import CfnParameter
from constructs import Construct

PREFIX = "ASSISTANTS_"


@dataclass(frozen=True)
class Setting:
    """One `ASSISTANTS_*` variable; its bounds are checked by CloudFormation before a deployment."""

    variable: str
    description: str
    type: str = "String"
    default: str | int = ""
    allowed_values: tuple[str, ...] | None = None
    allowed_pattern: str | None = None
    min_value: int | None = None
    max_value: int | None = None

    @property
    def parameter(self) -> str:
        """`ASSISTANTS_MODEL_URL` is the parameter `ModelUrl`."""
        return self.variable.removeprefix(PREFIX).title().replace("_", "")


MODEL_KEY = Setting(
    "ASSISTANTS_MODEL_KEY",
    "Where the model's key lies: ssm:/name of a SecureString parameter; empty for none",
    allowed_pattern=r"(ssm:(/[A-Za-z0-9_.-]+)+)?",
)

SETTINGS = (
    Setting(
        "ASSISTANTS_AUTH",
        "keys: only issued API keys; open: any bearer key, each its own tenant",
        default="keys",
        allowed_values=("keys", "open"),
    ),
    Setting(
        "ASSISTANTS_MODEL_URL",
        "OpenAI-compatible base URL for every model name without another route",
        allowed_pattern=r"(https?://\S+)?",
    ),
    MODEL_KEY,
    Setting(
        "ASSISTANTS_MODEL_TIMEOUT_SECONDS",
        "Silence of the model's provider that fails the turn",
        type="Number",
        default=120,
        min_value=1,
    ),
    Setting("ASSISTANTS_MODELS", "JSON: model name patterns and aliases to providers"),
    Setting(
        "ASSISTANTS_RUN_TTL_SECONDS",
        "Life of a run until it expires",
        type="Number",
        default=600,
        min_value=1,
        max_value=840,
    ),
    Setting("ASSISTANTS_CORS_ORIGINS", "Browser origins allowed, separated by commas"),
    Setting(
        "ASSISTANTS_LOG_LEVEL",
        "Least severe level that is logged",
        default="INFO",
        allowed_values=("DEBUG", "INFO", "WARNING", "ERROR"),
    ),
)


def declare(scope: Construct) -> Mapping[str, str]:
    """Declare each setting's parameter; the environment that refers to them, by variable."""
    return {setting.variable: _declare(scope, setting).value_as_string for setting in SETTINGS}


def _declare(scope: Construct, setting: Setting) -> CfnParameter:
    return CfnParameter(
        scope,
        setting.parameter,
        description=setting.description,
        type=setting.type,
        default=setting.default,
        allowed_values=list(setting.allowed_values) if setting.allowed_values else None,
        allowed_pattern=setting.allowed_pattern,
        min_value=setting.min_value,
        max_value=setting.max_value,
    )

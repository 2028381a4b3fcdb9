"""The settings of a deployment, read from the environment."""

import json
from collections.abc import Collection, Mapping
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

PREFIX = "ASSISTANTS_"

# The dimensions that an embedding model can be asked for.
DIMENSIONS: Mapping[str, Collection[int]] = {
    "bedrock:amazon.titan-embed-text-v2:0": (256, 512, 1024),
    "bedrock:cohere.embed-v4:0": (256, 512, 1024, 1536),
    "minilm": (384,),
    "text-embedding-3-large": range(1, 3073),
    "text-embedding-3-small": range(1, 1537),
    "text-embedding-ada-002": (1536,),
}
LOCAL_MODELS = frozenset({"minilm"})  # answered by the process itself, not at embedding_url


class InvalidSettingsError(ValueError):
    """Raised when settings cannot be followed; says in one sentence which to change, and how."""


# CloudFormation checks the same patterns and lengths, and shows the examples.
Url = Annotated[
    str,
    Field(
        pattern=r"^https?://[^\s/]+(/\S*)?$", max_length=160, examples=["https://models.example/v1"]
    ),
]
KeyReference = Annotated[
    str,
    Field(pattern=r"^ssm:(/[A-Za-z0-9_.-]+)+$", max_length=128, examples=["ssm:/my/model-key"]),
]
FileReference = Annotated[
    str,
    Field(
        pattern=r"^s3://[a-z0-9][a-z0-9.-]+/[A-Za-z0-9!_.()/-]+$",
        max_length=160,
        examples=["s3://my-bucket/models-1.json"],
    ),
]
Origin = Annotated[
    str, Field(pattern=r"^(\*|[a-z][a-z0-9+.-]*://[^\s,/]+)$", examples=["https://app.example"])
]


def _json(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) and value else value or {}


def _words(value: Any) -> Any:
    return tuple(value.replace(",", " ").split()) if isinstance(value, str) else value


def _either(choices: Collection[int]) -> str:
    return " or ".join(map(str, choices))


class Settings(BaseModel):
    """Field `model_url` is the variable `ASSISTANTS_MODEL_URL`. Empty variables count as unset."""

    model_config = ConfigDict(frozen=True, protected_namespaces=())

    auth: Literal["keys", "open"] = Field(
        default="keys",
        description="keys: only issued keys. open: any key, each its own tenant.",
    )
    model_url: Url | None = Field(
        default=None, description="An OpenAI-compatible base URL (…/v1) for every unmapped model."
    )
    model_key: KeyReference | None = Field(
        default=None, description="ssm:/name of the SecureString with that endpoint's key."
    )
    model_timeout_seconds: float = Field(
        default=120, ge=1, le=900, description="Silence of the provider that fails the turn."
    )
    models: Annotated[dict[str, Any], BeforeValidator(_json)] = Field(
        default={},
        description="JSON: model name or pattern -> {provider, target, ...} or a name.",
        json_schema_extra={
            "pattern": r"^\s*\{[\s\S]*\}\s*$",
            "maxLength": 800,
            "examples": ['{"gpt-4o": {"provider": "bedrock", "target": "..."}}'],
        },
    )
    models_file: FileReference | None = Field(
        default=None, description="s3://bucket/key of that JSON, if it is longer than 800."
    )
    embedding_model: str = Field(
        default="bedrock:amazon.titan-embed-text-v2:0",
        pattern=r"^\S+$",
        max_length=160,
        examples=["bedrock:amazon.titan-embed-text-v2:0"],
        description="bedrock:<model>, one of the endpoint's, or minilm (on a laptop only).",
    )
    embedding_dimensions: int = Field(
        default=1024, ge=1, le=16_000, description="Of the vectors that this model answers."
    )
    embedding_url: Url | None = Field(
        default=None, description="An OpenAI-compatible base URL (…/v1) of the embedding model."
    )
    embedding_key: KeyReference | None = Field(
        default=None, description="ssm:/name of the SecureString with that endpoint's key."
    )
    sandbox_spares: int = Field(
        default=0,
        ge=0,
        le=50,
        description="Code interpreter sessions in the warm pool, each billed.",
    )
    run_ttl_seconds: int = Field(
        default=600, ge=1, le=840, description="Life of a run until it is expired."
    )
    cors_origins: Annotated[tuple[Origin, ...], BeforeValidator(_words)] = Field(
        default=(), description="Browser origins that may call the API."
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO", description="From which severity on lines are logged."
    )
    table: str = Field(default="", description="The DynamoDB table. Set by the stack.")
    bucket: str = Field(default="", description="The S3 bucket. Set by the stack.")
    purge_queue: str = Field(default="", description="The purge queue's URL. Set by the stack.")
    state_machine: str = Field(default="", description="The run machine's ARN. Set by the stack.")
    sandbox_cluster: str = Field(
        default="", description="The sessions' cluster; none: no code interpreter. Set by stack."
    )
    sandbox_task: str = Field(default="", description="The sessions' definition. Set by the stack.")
    sandbox_subnets: Annotated[tuple[str, ...], BeforeValidator(_words)] = Field(
        default=(), description="Where sessions run. Set by the stack."
    )
    sandbox_security_group: str = Field(
        default="", description="What reaches sessions, and what they reach. Set by the stack."
    )
    sandbox_public_ip: bool = Field(
        default=False, description="Sessions fetch their image by an address. Set by the stack."
    )
    sandbox_proxy: str = Field(default="", description="Name of SandboxProxy. Set by the stack.")
    search_endpoint: str = Field(
        default="", description="https://… or sqlite:/path; none: no file search. Set by stack."
    )
    index_queue: str = Field(default="", description="The index queue's URL. Set by the stack.")
    parse_function: str = Field(default="", description="Name of ParseFile. Set by the stack.")

    @model_validator(mode="after")
    def _embedding_model_is_known(self) -> "Settings":
        model = self.embedding_model
        if self.embedding_url is None and not model.startswith(("bedrock:", *LOCAL_MODELS)):
            raise ValueError("embedding_model is bedrock:<model>, minilm, or one at embedding_url")
        possible = DIMENSIONS.get(model, (self.embedding_dimensions,))
        if self.embedding_dimensions not in possible:
            choice = f"1 to {possible[-1]}" if isinstance(possible, range) else _either(possible)
            raise ValueError(f"{model} has embedding_dimensions of {choice}")
        return self

    @model_validator(mode="after")
    def _models_are_given_once(self) -> "Settings":
        if self.models and self.models_file:
            raise ValueError("models and models_file exclude each other: leave one of them empty")
        return self

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> "Settings":
        """Parse the variables. Raises `ValidationError`."""
        members = {
            name.removeprefix(PREFIX).lower(): value
            for name, value in environment.items()
            if name.startswith(PREFIX) and value
        }
        return cls.model_validate(members)

    @classmethod
    def checked(cls, environment: Mapping[str, str]) -> "Settings":
        """Read them. Raises `InvalidSettingsError`, a sentence, for the first that is wrong."""
        try:
            return cls.read(environment)
        except ValidationError as error:
            first = error.errors()[0]
            name = "".join(f"{PREFIX}{str(field).upper()}: " for field in first["loc"][:1])
            reason = first["msg"].removeprefix("Value error, ")
            raise InvalidSettingsError(f"{name}{reason}.") from error

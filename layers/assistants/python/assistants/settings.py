"""The settings of a deployment, read from the environment."""

import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

PREFIX = "ASSISTANTS_"


def _json(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) and value else value or {}


def _words(value: Any) -> Any:
    return tuple(value.replace(",", " ").split()) if isinstance(value, str) else value


class Settings(BaseModel):
    """Field `model_url` is the variable `ASSISTANTS_MODEL_URL`. Empty variables count as unset."""

    model_config = ConfigDict(frozen=True, protected_namespaces=())

    auth: Literal["keys", "open"] = Field(
        default="keys",
        description="keys: only issued keys. open: any key, each its own tenant.",
    )
    model_url: str | None = Field(
        default=None, description="An OpenAI-compatible base URL (…/v1) for every unmapped model."
    )
    model_key: str | None = Field(
        default=None, description="ssm:/name of the SecureString with that endpoint's key."
    )
    model_timeout_seconds: float = Field(
        default=120, gt=0, description="Silence of the provider that fails the turn."
    )
    models: Annotated[dict[str, Any], BeforeValidator(_json)] = Field(
        default={}, description="JSON: model name or pattern -> {provider, target, ...} or a name."
    )
    embedding_model: str = Field(
        default="bedrock:amazon.titan-embed-text-v2:0",
        description="bedrock:<model>, one of the endpoint's, or minilm (on a laptop only).",
    )
    embedding_dimensions: int = Field(
        default=1024, ge=1, le=16_000, description="Of the vectors that this model answers."
    )
    embedding_url: str | None = Field(
        default=None, description="An OpenAI-compatible base URL (…/v1) of the embedding model."
    )
    embedding_key: str | None = Field(
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
    cors_origins: Annotated[tuple[str, ...], BeforeValidator(_words)] = Field(
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
        provider = self.embedding_model.partition(":")[0]
        if self.embedding_url is None and provider not in ("bedrock", "minilm"):
            raise ValueError("embedding_model is bedrock:<model>, minilm, or one at embedding_url")
        if provider == "minilm" and self.embedding_dimensions != 384:
            raise ValueError("minilm has embedding_dimensions of 384")
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

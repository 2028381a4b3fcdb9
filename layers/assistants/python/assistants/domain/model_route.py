"""Where a model name leads: a provider, the model's name there, and its capabilities."""

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, HttpUrl, field_validator, model_validator

from assistants.domain.tool import ReasoningEffort

Provider = Literal["openai-compatible", "bedrock", "demo"]
Capability = Literal[
    "vision",  # images in messages
    "tools",  # calls of functions and of the built-in tools
    "tool_choice",  # being made to call a tool
    "json_object",
    "json_schema",  # of answers, and of the arguments of functions that are `strict`
    "reasoning",  # `reasoning_effort`
    "temperature",
    "top_p",
]
CachePoint = Literal["tools", "system", "messages"]

_EVERYTHING: frozenset[Capability] = frozenset(get_args(Capability))
# Capabilities that the service can use at a provider. A request to an OpenAI-compatible one is
# passed on as the client made it.
_POSSIBLE: dict[Provider, frozenset[Capability]] = {
    "openai-compatible": _EVERYTHING,
    "bedrock": _EVERYTHING - {"json_object"},
    "demo": _EVERYTHING - {"vision", "reasoning"},
}
# Assumed of a model whose route does not list its capabilities; the provider refuses the rest.
# Many models of Bedrock take either `temperature` or `top_p`, but not both.
_EXPECTED: dict[Provider, frozenset[Capability]] = {
    **_POSSIBLE,
    "bedrock": frozenset({"vision", "tools", "tool_choice", "temperature"}),
}
# Bedrock's own limits: `InferenceConfiguration` and, without extended thinking, `OutputConfig`.
_MAX_TEMPERATURE: dict[Provider, float] = {"bedrock": 1.0}
_EFFORTS: dict[Provider, tuple[ReasoningEffort, ...]] = {"bedrock": ("low", "medium", "high")}


class ModelEndpoint(NamedTuple):
    """The key of a provider's client. `url` and `key` are None where the deployment's settings
    apply.
    """

    provider: Provider
    url: str | None
    key: str | None


class ModelRoute(BaseModel):
    """One entry of `ASSISTANTS_MODELS`.

    Without a `target` the provider gets the name that the client asked for. `context` is in tokens.
    `cache` names the parts of a prompt after which the provider sets a cache point.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    provider: Provider = "openai-compatible"
    target: str | None = Field(default=None, min_length=1)
    context: int = Field(default=128_000, ge=1024)
    capabilities: frozenset[Capability] = Field(
        default_factory=lambda members: _EXPECTED[members["provider"]]
    )
    cache: tuple[CachePoint, ...] = ()
    url: str | None = None
    key: str | None = Field(default=None, pattern=r"^ssm:/")

    @model_validator(mode="before")
    @classmethod
    def _former_name(cls, entry: Any) -> Any:
        """Accept `abilities`, the former name of `capabilities`."""
        if not isinstance(entry, Mapping) or "abilities" not in entry:
            return entry
        if "capabilities" in entry:
            raise ValueError("give capabilities alone: abilities is its former name")
        renamed = {**entry, "capabilities": entry["abilities"]}
        del renamed["abilities"]
        return renamed

    @field_validator("url")
    @classmethod
    def _is_a_url(cls, url: str | None) -> str | None:
        if url is not None:
            HttpUrl(url)
        return url

    @model_validator(mode="after")
    def _fits_the_provider(self) -> Self:
        if impossible := sorted(self.capabilities - _POSSIBLE[self.provider]):
            raise ValueError(f"provider {self.provider} cannot do {', '.join(impossible)}")
        if self.provider != "openai-compatible" and (self.url or self.key):
            raise ValueError(f"provider {self.provider} takes no url and no key")
        if self.key and not self.url:
            raise ValueError("a key of its own needs a url of its own")
        if self.cache and self.provider != "bedrock":
            raise ValueError(f"provider {self.provider} takes no cache points")
        return self

    @property
    def endpoint(self) -> ModelEndpoint:
        return ModelEndpoint(self.provider, self.url, self.key)

    @property
    def max_temperature(self) -> float | None:
        return _MAX_TEMPERATURE.get(self.provider)

    @property
    def efforts(self) -> tuple[ReasoningEffort, ...]:
        """Return the values of `reasoning_effort` that a model with `reasoning` takes."""
        return _EFFORTS.get(self.provider, get_args(ReasoningEffort))

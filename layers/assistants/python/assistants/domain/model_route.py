"""Where a model name leads: a provider, the name it knows there, and what the model can do."""

from typing import Literal, NamedTuple, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, HttpUrl, field_validator, model_validator

from assistants.domain.tool import ReasoningEffort

Provider = Literal["openai-compatible", "bedrock", "demo"]
Ability = Literal[
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

_EVERYTHING: frozenset[Ability] = frozenset(get_args(Ability))
# What the service can ask of a provider. An OpenAI-compatible one is asked as the client asked.
_POSSIBLE: dict[Provider, frozenset[Ability]] = {
    "openai-compatible": _EVERYTHING,
    "bedrock": _EVERYTHING - {"json_object"},
    "demo": _EVERYTHING - {"vision", "reasoning"},
}
# What is expected of a model whose route does not say. What it cannot do then, it refuses itself.
# Of `temperature` and `top_p` many models of Bedrock take either, but not both.
_EXPECTED: dict[Provider, frozenset[Ability]] = {
    **_POSSIBLE,
    "bedrock": frozenset({"vision", "tools", "tool_choice", "temperature"}),
}
# Bedrock's own limits: `InferenceConfiguration` and, without extended thinking, `OutputConfig`.
_MAX_TEMPERATURE: dict[Provider, float] = {"bedrock": 1.0}
_EFFORTS: dict[Provider, tuple[ReasoningEffort, ...]] = {"bedrock": ("low", "medium", "high")}


class ModelEndpoint(NamedTuple):
    """What a provider's client is made for; null where the deployment's own settings hold."""

    provider: Provider
    url: str | None
    key: str | None


class ModelRoute(BaseModel):
    """One entry of `ASSISTANTS_MODELS`. `target` null is the name that was asked for; `context` is
    in tokens; `cache` names the parts of a prompt behind which the provider may cache it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    provider: Provider = "openai-compatible"
    target: str | None = Field(default=None, min_length=1)
    context: int = Field(default=128_000, ge=1024)
    abilities: frozenset[Ability] = Field(
        default_factory=lambda members: _EXPECTED[members["provider"]]
    )
    cache: tuple[CachePoint, ...] = ()
    url: str | None = None
    key: str | None = Field(default=None, pattern=r"^ssm:/")

    @field_validator("url")
    @classmethod
    def _is_a_url(cls, url: str | None) -> str | None:
        if url is not None:
            HttpUrl(url)
        return url

    @model_validator(mode="after")
    def _fits_the_provider(self) -> Self:
        if impossible := sorted(self.abilities - _POSSIBLE[self.provider]):
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
        """The values of `reasoning_effort` that can be asked for, if the model reasons."""
        return _EFFORTS.get(self.provider, get_args(ReasoningEffort))

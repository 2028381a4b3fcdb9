"""Settings that nobody could follow fail the deployment, with a sentence that says what to do."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from assistants.services.maintenance.settings_check import Access, SettingsCheck
from assistants.settings import InvalidSettingsError

TITAN = "arn:aws:bedrock:*::foundation-model/amazon.titan-embed-text-v2:0"
CLAUDE = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
PROFILES = "arn:aws:bedrock:*:*:inference-profile/us.anthropic.*"
MODELS = "arn:aws:bedrock:*::foundation-model/anthropic.*"
KEY_ARN = "arn:aws:ssm:eu-west-1:123456789012:parameter/models/mistral"
MISTRAL = {"mistral": {"url": "https://m.example/v1", "key": "ssm:/models/mistral"}}
UNREADABLE = "ssm:/nobody/wrote/it"


def read_models(url: str) -> Mapping[str, Any]:
    return {"claude": {"provider": "bedrock", "target": CLAUDE}}


def check_key(setting: str, reference: str) -> None:
    if reference == UNREADABLE:
        raise InvalidSettingsError(f"{setting}: {reference} cannot be read.")


def check(
    models: Mapping[str, Any] | None = None,
    *,
    allowed: tuple[str, ...] = (),
    keys: tuple[str, ...] = (),
    embeddings: tuple[str, ...] | None = (TITAN,),
    **settings: str,
) -> None:
    variables = {f"ASSISTANTS_{name.upper()}": value for name, value in settings.items()}
    if models is not None:
        variables["ASSISTANTS_MODELS"] = json.dumps(models)
    access = Access(allowed, keys, embeddings)
    SettingsCheck(read_models, check_key).check(variables, access)


def bedrock(target: str | None, name: str = "claude") -> dict[str, Any]:
    return {name: {"provider": "bedrock", **({"target": target} if target else {})}}


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"models": {"gpt": "claude", **bedrock(CLAUDE)}, "allowed": (PROFILES, MODELS)},
        {"models": bedrock(CLAUDE), "allowed": ("*",)},
        {"models": bedrock("anthropic.claude-3"), "allowed": (MODELS,)},
        {"models": bedrock(f"{TITAN[:-20]}x"), "allowed": (f"{TITAN[:-20]}*",)},
        {"models": bedrock(None, "anthropic.*")},
        {"models": MISTRAL, "keys": ("", KEY_ARN)},
        {"models_file": "s3://bucket/models.json", "allowed": (PROFILES, MODELS)},
        {"model_url": "https://m.example/v1", "model_key": "ssm:/k"},
        {"embeddings": None, "embedding_model": "bedrock:amazon.nova-embed"},
        {"embedding_url": "https://e.example", "embedding_model": "bge", "embeddings": ()},
    ],
)
def test_settings_that_can_be_followed_are_taken(arguments: dict[str, Any]) -> None:
    check(**arguments)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"models_file": "s3://bucket/models.json"}, "ASSISTANTS_MODELS, 'claude': the parameter"),
        (
            {"models": bedrock(CLAUDE)},
            f"BedrockModels does not allow {CLAUDE}: add "
            f"arn:aws:bedrock:*:*:inference-profile/{CLAUDE},"
            f"arn:aws:bedrock:*::foundation-model/{CLAUDE[3:]}.",
        ),
        (
            {"models": bedrock(CLAUDE), "allowed": (PROFILES,)},
            f"add arn:aws:bedrock:*::foundation-model/{CLAUDE[3:]}.",
        ),
        ({"models": {"gpt": "claude"}}, "'claude' is neither mapped nor matches a pattern."),
        ({"models": {"a": {"provider": "azure"}}}, "ASSISTANTS_MODELS, 'a': provider: Input"),
        ({"models": {"a": {}}}, "needs a url, as ASSISTANTS_MODEL_URL is not set."),
        ({"models": MISTRAL}, "ModelKeys does not allow ssm:/models/mistral: add arn:aws:ssm:"),
        (
            {
                "models": {"m": {"url": "https://m.example", "key": UNREADABLE}},
                "keys": ("arn:aws:ssm:eu-west-1:123456789012:parameter/nobody/*",),
            },
            f"ASSISTANTS_MODELS, 'm': {UNREADABLE} cannot be read.",
        ),
        ({"model_key": UNREADABLE}, f"ASSISTANTS_MODEL_KEY: {UNREADABLE} cannot be read."),
        ({"embedding_key": UNREADABLE}, f"ASSISTANTS_EMBEDDING_KEY: {UNREADABLE} cannot be read."),
        ({"embedding_model": "bedrock:amazon.nova-embed"}, "neither a Titan nor a Cohere model"),
        (
            {"embeddings": ()},
            f"EmbeddingModels does not allow amazon.titan-embed-text-v2:0: add {TITAN}.",
        ),
        ({"embedding_dimensions": "768"}, "has embedding_dimensions of 256 or 512 or 1024."),
        ({"run_ttl_seconds": "soon"}, "ASSISTANTS_RUN_TTL_SECONDS: "),
    ],
)
def test_what_is_wrong_is_one_sentence_that_says_what_to_do(
    arguments: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(InvalidSettingsError) as caught:
        check(**arguments)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)

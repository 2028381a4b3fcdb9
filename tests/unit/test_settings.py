"""Settings from the environment: good and bad values."""

import pytest
from pydantic import ValidationError

from assistants.settings import Settings


def read(**environment: str) -> Settings:
    return Settings.read({f"ASSISTANTS_{name.upper()}": each for name, each in environment.items()})


def test_nothing_needs_to_be_set() -> None:
    settings = Settings.read({})
    assert (settings.auth, settings.run_ttl_seconds, settings.model_timeout_seconds) == (
        "keys",
        600,
        120,
    )
    assert (settings.model_url, settings.models, settings.cors_origins) == (None, {}, ())


def test_an_empty_variable_is_not_set() -> None:
    names = (name for name in Settings.model_fields)
    assert read(**dict.fromkeys(names, "")) == Settings()


def test_other_variables_are_nothing_to_us() -> None:
    assert Settings.read({"AUTH": "open", "PATH": "/bin", "assistants_auth": "open"}) == Settings()


def test_values_are_read_as_what_they_are() -> None:
    settings = read(
        auth="open",
        model_timeout_seconds="1.5",
        run_ttl_seconds="840",
        models='{"gpt-4*": {"provider": "demo"}, "gpt-5": "gpt-4o"}',
        cors_origins="https://a.example, https://b.example  https://c.example",
    )
    assert settings.auth == "open"
    assert settings.model_timeout_seconds == 1.5
    assert settings.run_ttl_seconds == 840
    assert settings.models == {"gpt-4*": {"provider": "demo"}, "gpt-5": "gpt-4o"}
    assert settings.cors_origins == (
        "https://a.example",
        "https://b.example",
        "https://c.example",
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("auth", "none"),
        ("model_timeout_seconds", "0"),
        ("model_timeout_seconds", "soon"),
        ("run_ttl_seconds", "0"),
        ("run_ttl_seconds", "841"),
        ("models", "{"),
        ("models", "[]"),
        ("models", '"demo"'),
        ("log_level", "LOUD"),
    ],
)
def test_a_value_that_cannot_be_followed_is_named(name: str, value: str) -> None:
    with pytest.raises(ValidationError, match=name):
        read(**{name: value})


def test_every_setting_says_what_it_means() -> None:
    assert all(field.description for field in Settings.model_fields.values())


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"embedding_model": "bedrock:cohere.embed-v4:0", "embedding_dimensions": "1536"},
        {"embedding_model": "minilm", "embedding_dimensions": "384"},
        {"embedding_model": "text-embedding-3-small", "embedding_url": "https://api.example/v1"},
    ],
)
def test_an_embedding_model_of_each_kind_is_taken(environment: dict[str, str]) -> None:
    assert read(**environment).embedding_dimensions >= 384


@pytest.mark.parametrize(
    ("environment", "reason"),
    [
        ({"embedding_model": "text-embedding-3-small"}, "one at embedding_url"),
        ({"embedding_model": "minilm"}, "embedding_dimensions of 384"),
        ({"embedding_dimensions": "0"}, "greater than or equal to 1"),
    ],
)
def test_an_embedding_model_that_nobody_answers_for_is_refused(
    environment: dict[str, str], reason: str
) -> None:
    with pytest.raises(ValidationError, match=reason):
        read(**environment)

"""Names of models: what they lead to, and what is asked of a model that cannot do it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistants.domain.errors import InvalidRequestError, NotFoundError
from assistants.domain.model import Catalog, InvalidCatalogError
from assistants.domain.model_route import ModelEndpoint, ModelRoute

CLAUDE = {"provider": "bedrock", "target": "us.anthropic.claude-sonnet-4-5-20250929-v1:0"}


def catalog(models: dict[str, Any], *, endpoint: bool = False) -> Catalog:
    return Catalog.read(models, endpoint_configured=endpoint)


def target(catalog: Catalog, name: str) -> str | None:
    return catalog.route(name).target


def test_the_most_specific_entry_decides_in_any_order_of_entries() -> None:
    entries = {
        "*": {"provider": "bedrock", "target": "any"},
        "gpt-4*": {"provider": "bedrock", "target": "four"},
        "gpt-4o*": {"provider": "bedrock", "target": "four-o"},
        "gpt-4o": {"provider": "bedrock", "target": "exactly"},
        "ft:gpt-4o:*": {"provider": "bedrock", "target": "fine-tuned"},
    }
    expected = {
        "gpt-4o": "exactly",
        "gpt-4o-mini": "four-o",
        "gpt-4-1106-preview": "four",
        "ft:gpt-4o:acme::8Xyz": "fine-tuned",
        "o3": "any",
    }
    for order in (entries, dict(reversed(entries.items()))):
        found = catalog(order)
        assert {name: target(found, name) for name in expected} == expected


PATTERNS = st.text("ab*?", min_size=1, max_size=5)


@given(st.sets(PATTERNS, min_size=1, max_size=6), st.text("ab", max_size=6), st.randoms())
def test_the_order_of_entries_never_matters(patterns: set[str], name: str, random: Any) -> None:
    entries = {one: {"provider": "bedrock", "target": one} for one in sorted(patterns)}
    shuffled = list(entries.items())
    random.shuffle(shuffled)
    found = [_target_or_none(catalog(each), name) for each in (entries, dict(shuffled))]
    assert found[0] == found[1]


def _target_or_none(catalog: Catalog, name: str) -> str | None:
    try:
        return target(catalog, name)
    except InvalidRequestError:
        return None


def test_an_alias_leads_where_another_name_leads() -> None:
    found = catalog(
        {"claude": CLAUDE, "gpt-4*": "claude", "gpt-4-1106-preview": "gpt-5"}, endpoint=True
    )
    assert found.route("gpt-4o") == found.route("claude")
    assert found.route("gpt-4-1106-preview") == ModelRoute(target="gpt-5")


def test_a_name_without_a_target_is_its_own() -> None:
    found = catalog({"anthropic.*": {"provider": "bedrock"}}, endpoint=True)
    assert target(found, "anthropic.claude-3-haiku-20240307-v1:0") == (
        "anthropic.claude-3-haiku-20240307-v1:0"
    )
    assert target(found, "gpt-4o") == "gpt-4o"


@pytest.mark.parametrize("name", ["capabilities", "abilities"])
def test_capabilities_are_read_by_their_name_and_by_their_former_one(name: str) -> None:
    entry = {**CLAUDE, name: ["tools", "vision"]}
    assert catalog({"claude": entry}).route("claude").capabilities == {"tools", "vision"}
    assert name in entry


def test_a_route_has_an_endpoint_of_its_own_or_the_deployments() -> None:
    own = {"url": "https://models.example/v1", "key": "ssm:/models/key"}
    found = catalog({"mistral": own, "claude": CLAUDE}, endpoint=True)
    assert found.route("mistral").endpoint == ModelEndpoint("openai-compatible", *own.values())
    assert found.route("claude").endpoint == ModelEndpoint("bedrock", None, None)
    assert found.route("gpt-4o").endpoint == ModelEndpoint("openai-compatible", None, None)


def test_the_error_for_an_unmapped_name_says_what_to_configure() -> None:
    with pytest.raises(InvalidRequestError) as caught:
        catalog({"claude": CLAUDE}).route("gpt-4o")
    assert (caught.value.param, caught.value.code) == ("model", "unsupported_model")
    assert caught.value.message.startswith(
        "The requested model 'gpt-4o' cannot be used with the Assistants API."
    )
    assert "ASSISTANTS_MODELS" in caught.value.message


def test_names_are_listed_and_read_but_patterns_are_not_names() -> None:
    found = catalog({"claude": CLAUDE, "gpt-4o": "claude", "gpt-*": "claude"}, endpoint=True)
    assert [(model.id, model.owned_by) for model in found.models()] == [
        ("claude", "bedrock"),
        ("gpt-4o", "bedrock"),
    ]
    assert found.model("gpt-3.5-turbo").id == "gpt-3.5-turbo"
    with pytest.raises(NotFoundError) as caught:
        catalog({"claude": CLAUDE}).model("gpt-4o")
    assert caught.value.code == "model_not_found"


@pytest.mark.parametrize(
    ("models", "problem"),
    [
        ({"m": {"provider": "azure"}}, "'m': provider: Input should be"),
        ({"m": {"provder": "bedrock"}}, "'m': provder: Extra inputs are not permitted"),
        ({"m": {**CLAUDE, "capabilities": ["sight"]}}, "'m': capabilities: "),
        ({"m": {**CLAUDE, "capabilities": ["json_object"]}}, "bedrock cannot do json_object"),
        ({"m": {**CLAUDE, "abilities": ["sight"]}}, "'m': capabilities: "),
        (
            {"m": {**CLAUDE, "capabilities": ["tools"], "abilities": ["tools"]}},
            "give capabilities alone: abilities is its former name",
        ),
        ({"m": {**CLAUDE, "context": 10}}, "'m': context: "),
        ({"m": {**CLAUDE, "url": "https://x.example"}}, "takes no url and no key"),
        ({"m": {"url": "models.example/v1"}}, "'m': url: "),
        ({"m": {"url": "https://x.example", "key": "sk-secret"}}, "'m': key: "),
        ({"m": {"key": "ssm:/k"}}, "needs a url of its own"),
        ({"m": {"provider": "demo", "cache": ["system"]}}, "takes no cache points"),
        ({"m": {}}, "'m': needs a url, as ASSISTANTS_MODEL_URL is not set"),
        ({"m": "n"}, "'m': 'n' is neither mapped nor matches a pattern"),
        ({"a": "b", "b": "c", "c": CLAUDE}, "'a': 'b' is itself an alias"),
        ({"gpt-4*": "gpt-4o"}, "'gpt-4*': 'gpt-4o' is itself an alias"),
        ({"m": ["bedrock"]}, "'m': Input should be"),
    ],
)
def test_a_catalog_that_cannot_be_followed_says_which_entry_and_why(
    models: dict[str, Any], problem: str
) -> None:
    with pytest.raises(InvalidCatalogError) as caught:
        catalog(models)
    assert str(caught.value).startswith("ASSISTANTS_MODELS, '")
    assert problem in str(caught.value)
    assert "sk-secret" not in str(caught.value)

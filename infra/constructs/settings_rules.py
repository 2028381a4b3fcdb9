"""CloudFormation rules for settings that contradict each other: no stack is touched by them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from aws_cdk import CfnRule, CfnRuleAssertion, Fn, ICfnRuleConditionExpression
from constructs import Construct

from assistants.settings import DIMENSIONS, LOCAL_MODELS, PREFIX


@dataclass(frozen=True)
class SettingsRule:
    """`allowed` must hold, if `condition` does; else the deployment fails with `sentence`."""

    id: str
    condition: ICfnRuleConditionExpression | None
    allowed: ICfnRuleConditionExpression
    sentence: str


def add_settings_rules(scope: Construct, settings: Mapping[str, str]) -> None:
    """Add the rules to the stack whose parameters `settings` refer to."""
    for rule in _rules({name.removeprefix(PREFIX): value for name, value in settings.items()}):
        assertion = CfnRuleAssertion(assert_=rule.allowed, assert_description=rule.sentence)
        CfnRule(scope, rule.id, rule_condition=rule.condition, assertions=[assertion])


def _rules(values: Mapping[str, str]) -> Iterator[SettingsRule]:
    for kind in ("MODEL", "EMBEDDING"):
        name = kind.title()
        yield SettingsRule(
            f"{name}KeyNeedsUrl",
            _given(values[f"{kind}_KEY"]),
            _given(values[f"{kind}_URL"]),
            f"{name}Key is the key of the endpoint at {name}Url: set that, too.",
        )
    yield SettingsRule(
        "ModelsAreGivenOnce",
        _given(values["MODELS_FILE"]),
        Fn.condition_equals(values["MODELS"], ""),
        "Models and ModelsFile exclude each other: leave one of them empty.",
    )
    yield from _embedding_rules(values["EMBEDDING_MODEL"], values)


def _embedding_rules(model: str, values: Mapping[str, str]) -> Iterator[SettingsRule]:
    elsewhere = [one for one in DIMENSIONS if ":" not in one and one not in LOCAL_MODELS]
    yield SettingsRule(
        "EmbeddingModelHasAnEndpoint",
        Fn.condition_contains(elsewhere, model),
        _given(values["EMBEDDING_URL"]),
        "This EmbeddingModel is asked at an endpoint: set EmbeddingUrl, "
        "as https://api.openai.com/v1.",
    )
    finite = {name: some for name, some in DIMENSIONS.items() if not isinstance(some, range)}
    for number, (name, dimensions) in enumerate(sorted(finite.items())):
        choice = [str(one) for one in sorted(dimensions)]
        yield SettingsRule(
            f"EmbeddingDimensionsFit{number}",
            Fn.condition_equals(model, name),
            Fn.condition_contains(choice, values["EMBEDDING_DIMENSIONS"]),
            f"{name} answers vectors of {' or '.join(choice)}: set EmbeddingDimensions to that.",
        )


def _given(value: str) -> ICfnRuleConditionExpression:
    return Fn.condition_not(Fn.condition_equals(value, ""))

"""The tables of the documentation say what the code says."""

import ast
import inspect
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from assistants.domain.model_route import ModelRoute
from assistants.http.call import Endpoint
from assistants.http.routes import ROUTES
from assistants.settings import PREFIX, Settings
from infra.constructs.settings import RESOURCES
from infra.options import Options
from infra.repository import REPOSITORY
from tests.support.markdown import Page, spans_of

README = Page.read("README.md")
CONFIGURATION = Page.read("docs/configuration.md")
ROUTE_ROWS = Page.read("docs/routes.md").rows()
MACHINE = json.loads((REPOSITORY / "statemachines" / "run.asl.json").read_text())
DEFAULTS = json.loads((REPOSITORY / "cdk.json").read_text())["context"]


def states(machine: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Each state of the machine and of its Map, by name."""
    found: dict[str, dict[str, Any]] = {}
    for name, state in machine["States"].items():
        found[name] = state
        if "ItemProcessor" in state:
            found |= states(state["ItemProcessor"])
    return found


def module_of(endpoint: Endpoint) -> str:
    """`runs` of `assistants.http.endpoints.runs`."""
    return endpoint.__module__.rsplit(".", 1)[-1]


def streams(path: str) -> bool:
    """A path has one integration: it streams when any of its methods does."""
    return any(route.streams for route in ROUTES if route.path == path)


def called(endpoint: Endpoint) -> Iterator[str]:
    """The names of everything that an endpoint calls."""
    for node in ast.walk(ast.parse(inspect.getsource(endpoint))):
        if isinstance(node, ast.Call):
            function = node.func
            yield function.attr if isinstance(function, ast.Attribute) else ast.unparse(function)


def test_the_route_table_lists_every_route() -> None:
    declared = [
        [
            f"`{route.method} /v1{route.path}`",
            f"`{module_of(route.endpoint)}.{route.endpoint.__name__}`",
            "`stream`" if streams(route.path) else "`api`",
        ]
        for route in ROUTES
    ]
    assert [row[:3] for row in ROUTE_ROWS] == declared


@pytest.mark.parametrize(
    ("endpoint", "use_cases"),
    [(route.endpoint, spans_of(row[3])) for route, row in zip(ROUTES, ROUTE_ROWS, strict=True)],
    ids=[row[1] for row in ROUTE_ROWS],
)
def test_an_endpoint_calls_the_use_case_of_its_row(
    endpoint: Endpoint, use_cases: list[str]
) -> None:
    methods = {use_case.rpartition(".")[2] for use_case in use_cases}
    assert methods <= set(called(endpoint))


def test_the_readme_lists_every_resource_and_its_operations() -> None:
    declared: dict[str, list[str]] = {}
    for route in ROUTES[:-1]:  # the last one is the OpenAPI document
        operations = declared.setdefault(module_of(route.endpoint), [])
        operations.append(route.endpoint.__name__.rstrip("_"))
    listed = {
        row[3].removeprefix("`http/endpoints/").removesuffix(".py`"): row[2].split(", ")
        for row in README.section("Routes").rows()
    }
    assert {name: sorted(named) for name, named in listed.items()} == {
        name: sorted(operations) for name, operations in declared.items()
    }


def test_the_readme_gives_every_resource_its_paths() -> None:
    prefixes = {
        row[3].removeprefix("`http/endpoints/").removesuffix(".py`"): spans_of(row[1])
        for row in README.section("Routes").rows()
    }
    for route in ROUTES[:-1]:
        paths = prefixes[module_of(route.endpoint)]
        assert any(f"{route.path}/".startswith(f"{path}/") for path in paths)


def test_the_state_table_lists_every_state_with_its_comment() -> None:
    listed = {row[0]: row[1] for row in README.section("States of a run").rows()}
    assert listed == {f"`{name}`": str(state["Comment"]) for name, state in states(MACHINE).items()}


def test_the_state_table_says_which_states_follow() -> None:
    listed = {
        row[0].strip("`"): row[2].split(", ") for row in README.section("States of a run").rows()
    }
    assert listed == {name: following(state) for name, state in states(MACHINE).items()}


def following(state: dict[str, Any]) -> list[str]:
    """The names of the states that follow, those for errors marked."""
    if state.get("End") or state["Type"] == "Succeed":
        return ["end"]
    choices = [choice["Next"] for choice in state.get("Choices", ())]
    last = [state[key] for key in ("Next", "Default") if key in state]
    errors = [f"{catch['Next']} (error)" for catch in state.get("Catch", ())]
    return [*choices, *last, *errors]


def test_the_settings_table_lists_every_setting() -> None:
    members = Settings.model_json_schema()["properties"]
    declared = [
        [f"`{PREFIX}{name.upper()}`", shown(schema["default"]), schema["description"]]
        for name, schema in members.items()
        if name not in RESOURCES
    ]
    assert CONFIGURATION.section("Settings").rows() == declared


def shown(default: object) -> str:
    return f"`{default}`" if default or default == 0 else "none"


def test_the_context_table_lists_every_option_with_its_default() -> None:
    listed: dict[str, str] = {}
    for names, defaults, _ in CONFIGURATION.section("Context options").rows():
        values = defaults.split(", ")
        options = spans_of(names)
        listed |= zip(options, values if len(values) > 1 else values * len(options), strict=True)
    declared = {
        name: "none" if DEFAULTS[name] is None else str(DEFAULTS[name])
        for name in Options.model_fields
    }
    assert listed == {
        name: value.lower() if value in ("True", "False") else value
        for name, value in declared.items()
    }


def test_the_model_table_lists_every_field_of_a_route() -> None:
    listed = [name for row in CONFIGURATION.section("Models").rows() for name in spans_of(row[0])]
    assert sorted(listed) == sorted(ModelRoute.model_fields)


def test_the_prices_of_the_readme_are_on_the_pages_that_explain_them() -> None:
    explained = "".join(
        Page.read(f"docs/{name}.md").text for name in ("code-interpreter", "file-search")
    )
    bills = Page.read("docs/performance.md").section("What a run costs").text
    prices = re.findall(r"\$([\d.]*\d)", README.section("What it costs").text)
    assert len(prices) > 6
    assert not [price for price in prices if f"${price}" not in explained and price not in bills]

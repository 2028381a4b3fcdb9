"""The README's tables say what the code says."""

import json
import re

import pytest

from assistants.http.routes import ROUTES
from assistants.settings import PREFIX, Settings
from infra.constructs.settings import RESOURCES
from infra.repository import REPOSITORY

README = (REPOSITORY / "README.md").read_text()
MACHINE = json.loads((REPOSITORY / "statemachines" / "run.asl.json").read_text())


def rows(heading: str) -> list[list[str]]:
    """The cells of the table below a heading."""
    section = README.split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[2:]]


def states(machine: dict[str, object]) -> dict[str, dict[str, object]]:
    """Each state of the machine and of its Map, by name."""
    found: dict[str, dict[str, object]] = {}
    for name, state in machine["States"].items():  # type: ignore[attr-defined]
        found[name] = state
        if "ItemProcessor" in state:
            found |= states(state["ItemProcessor"])
    return found


def test_the_route_table_lists_every_route() -> None:
    declared = [
        [
            f"`{route.method} /v1{route.path}`",
            f"`{route.endpoint.__module__.rsplit('.', 1)[-1]}.{route.endpoint.__name__}`",
            "`stream`" if streams(route.path) else "`api`",
        ]
        for route in ROUTES
    ]
    assert [row[:3] for row in rows("Routes")] == declared


def streams(path: str) -> bool:
    """A path has one integration: it streams when any of its methods does."""
    return any(route.streams for route in ROUTES if route.path == path)


def test_the_state_table_lists_every_state_with_its_comment() -> None:
    listed = {row[0]: row[1] for row in rows("States of a run")}
    assert listed == {f"`{name}`": str(state["Comment"]) for name, state in states(MACHINE).items()}


def test_the_settings_table_lists_every_setting() -> None:
    members = Settings.model_json_schema()["properties"]
    declared = [
        [f"`{PREFIX}{name.upper()}`", shown(schema["default"]), schema["description"]]
        for name, schema in members.items()
        if name not in RESOURCES
    ]
    assert rows("Settings") == declared


def shown(default: object) -> str:
    return f"`{default}`" if default or default == 0 else "none"


@pytest.mark.parametrize("target", sorted(set(re.findall(r"`make ([a-z-]+)", README))))
def test_every_make_target_that_the_readme_names_exists(target: str) -> None:
    assert re.search(rf"^{target}:", (REPOSITORY / "Makefile").read_text(), re.MULTILINE)


@pytest.mark.parametrize("path", sorted(set(re.findall(r"\]\(([^)#:]+)\)", README))))
def test_every_file_that_the_readme_links_to_exists(path: str) -> None:
    assert (REPOSITORY / path).exists()


@pytest.mark.parametrize("packages", ["core", "full"])
def test_every_package_of_the_code_interpreter_is_listed(packages: str) -> None:
    lines = (REPOSITORY / f"functions/sandbox/requirements/{packages}.in").read_text().splitlines()
    wanted = {line for line in lines if line and not line.startswith(("#", "-"))}
    section = README.split("## Code interpreter\n", 1)[1].split("\n## ", 1)[0]
    assert wanted <= set(re.findall(r"[\w.-]*[\w-]", section))

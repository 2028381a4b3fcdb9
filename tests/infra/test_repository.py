"""CI, hooks and update rules of the repository name commands and folders that exist."""

import os
import re
import tomllib
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from infra.repository import REPOSITORY

MAKEFILE = (REPOSITORY / "Makefile").read_text()
MANIFESTS = {
    "pip": "pyproject.toml",
    "npm": "package-lock.json",
    "github-actions": ".github/workflows/ci.yml",
    "docker": "Dockerfile",
}


def read(path: str) -> Any:
    return yaml.safe_load((REPOSITORY / path).read_text())


def recipe(target: str) -> list[str]:
    """The commands of a target of the Makefile."""
    match = re.search(rf"^{target}:.*\n((?:\t.+\n)+)", MAKEFILE, re.MULTILINE)
    assert match, target
    return [line.strip().removeprefix("@") for line in match[1].splitlines()]


def watched() -> list[tuple[str, str]]:
    """Each kind of package that Dependabot updates, with its folder."""
    updates = read(".github/dependabot.yml")["updates"]
    return [
        (update["package-ecosystem"], folder)
        for update in updates
        for folder in update.get("directories") or [update["directory"]]
    ]


def test_the_workflow_runs_what_every_other_ci_runs() -> None:
    (job,) = read(".github/workflows/ci.yml")["jobs"].values()
    assert job["steps"][-1]["run"].split()[-1] == ".ci/run"
    assert os.access(REPOSITORY / ".ci/run", os.X_OK)


def test_a_commit_runs_the_commands_of_make_lint() -> None:
    hooks = read(".pre-commit-config.yaml")["repos"][0]["hooks"]
    assert [hook["entry"] for hook in hooks if "stages" not in hook] == recipe("lint")


@pytest.mark.parametrize(
    ("message", "accepted"),
    [
        ("Keep a key\n\nIt was lost.\n", True),
        ("Merge branch 'docs'\n", True),
        (f"{'x' * 72}\n\nIt was lost.\n", True),
        (f"{'x' * 73}\n\nIt was lost.\n", False),
        ("Keep a key\n", False),
        ("Keep a key\nIt was lost.\n", False),
        ("Keep a key\n\n# Please enter the commit message\n", False),
    ],
)
def test_a_commit_message_has_a_short_subject_and_a_body(message: str, accepted: bool) -> None:
    hooks = read(".pre-commit-config.yaml")["repos"][0]["hooks"]
    (hook,) = [hook for hook in hooks if hook.get("stages") == ["commit-msg"]]
    assert bool(re.search(hook["entry"], message, re.MULTILINE | re.DOTALL)) is accepted


@pytest.mark.parametrize(("kind", "folder"), watched())
def test_dependabot_finds_packages_in_each_folder(kind: str, folder: str) -> None:
    assert (REPOSITORY / folder.strip("/") / MANIFESTS[kind]).is_file()


def test_what_the_coverage_leaves_out_exists() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
    layer = REPOSITORY / "layers/assistants"
    omitted = project["tool"]["coverage"]["run"]["omit"]
    assert [pattern for pattern in omitted if not list(layer.glob(pattern))] == []


def test_the_measured_tests_exist() -> None:
    measured = re.search(r"^MEASURED := (.+)$", MAKEFILE, re.MULTILINE)
    assert measured
    assert all((REPOSITORY / folder).is_dir() for folder in measured[1].split())

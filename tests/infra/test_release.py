"""The version of the package, its section in the changelog and its tag agree."""

import os
import re
import subprocess
from datetime import date
from itertools import pairwise
from pathlib import Path

import pytest
from packaging.version import Version

import assistants
from infra.repository import REPOSITORY

CHANGELOG = REPOSITORY / "CHANGELOG.md"
PACKAGE = Path("layers/assistants/python/assistants")
SECTION = re.compile(r"^## \[(?P<version>.+)\] - (?P<released>.+)$", re.MULTILINE)
LINK = re.compile(r"^\[(?P<version>\d.*)\]: \.\./\.\./releases/tag/(?P<tag>.+)$", re.MULTILINE)
KINDS = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


def versions() -> list[str]:
    return [section["version"] for section in SECTION.finditer(CHANGELOG.read_text())]


def test_the_first_section_of_the_changelog_describes_the_packages_version() -> None:
    assert versions()[0] == assistants.__version__


def test_sections_go_back_in_time_and_only_the_first_may_lack_a_date() -> None:
    first, *others = SECTION.finditer(CHANGELOG.read_text())
    assert all(Version(newer) > Version(older) for newer, older in pairwise(versions()))
    assert first["released"] == "Unreleased" or date.fromisoformat(first["released"])
    assert all(date.fromisoformat(other["released"]) for other in others)


def test_changes_are_grouped_by_their_kind() -> None:
    kinds = set(re.findall(r"^### (.+)$", CHANGELOG.read_text(), re.MULTILINE))
    assert kinds
    assert kinds <= KINDS


def test_every_section_links_to_the_tag_of_its_version() -> None:
    links = {link["version"]: link["tag"] for link in LINK.finditer(CHANGELOG.read_text())}
    assert links == {version: f"v{version}" for version in versions()}


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with this Makefile and a released version 1.2.3."""
    (tmp_path / "Makefile").write_text((REPOSITORY / "Makefile").read_text())
    (tmp_path / "CHANGELOG.md").write_text("# Changelog\n\n## [1.2.3] - 2026-12-31\n")
    (tmp_path / PACKAGE).mkdir(parents=True)
    (tmp_path / PACKAGE / "__init__.py").write_text('__version__ = "1.2.3"\n')
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "config", "user.name", "A maintainer")
    git(tmp_path, "config", "user.email", "maintainer@example.com")
    commit(tmp_path)
    return tmp_path


def git(repository: Path, *arguments: str) -> str:
    command = ["git", "-C", str(repository), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def commit(repository: Path) -> None:
    git(repository, "add", "--all")
    git(repository, "commit", "--quiet", "--message", "Release")


def make_tag(repository: Path) -> subprocess.CompletedProcess[str]:
    command = ["make", "--silent", "--directory", str(repository), "tag"]
    environment = {**os.environ, "LC_ALL": "C"}
    return subprocess.run(command, env=environment, capture_output=True, text=True)


def test_a_dated_version_is_tagged_once(repository: Path) -> None:
    assert make_tag(repository).returncode == 0
    assert git(repository, "tag", "--points-at", "HEAD").split() == ["v1.2.3"]
    assert "already exists" in make_tag(repository).stderr


@pytest.mark.parametrize("section", ["## [1.2.3] - Unreleased", "## [1.2.2] - 2026-12-31"])
def test_a_version_without_a_date_is_not_tagged(repository: Path, section: str) -> None:
    (repository / "CHANGELOG.md").write_text(f"# Changelog\n\n{section}\n")
    commit(repository)
    assert "CHANGELOG.md does not date 1.2.3." in make_tag(repository).stderr
    assert git(repository, "tag") == ""


def test_a_working_tree_with_changes_is_not_tagged(repository: Path) -> None:
    (repository / "Makefile").write_text((REPOSITORY / "Makefile").read_text() + "\n")
    assert "not committed" in make_tag(repository).stderr
    assert git(repository, "tag") == ""

"""The dependency layer, pyproject.toml and requirements.lock name the same versions."""

import re
import tomllib
from collections.abc import Mapping

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from infra.repository import REPOSITORY

LAYER = REPOSITORY / "layers/dependencies/requirements.txt"


def pins(file: str) -> Mapping[str, str]:
    """Read the version of each package; options and hashes have lines of their own."""
    lines = (REPOSITORY / file).read_text().splitlines()
    pinned = [re.match(r"([A-Za-z0-9._-]+)==(\S+)", line) for line in lines]
    return {canonicalize_name(match[1]): match[2] for match in pinned if match}


def declared() -> list[Requirement]:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    return [Requirement(text) for text in project["dependencies"]]


@pytest.mark.parametrize("requirement", declared(), ids=lambda requirement: requirement.name)
def test_what_pyproject_declares_is_in_the_layer(requirement: Requirement) -> None:
    version = pins("layers/dependencies/requirements.txt")[canonicalize_name(requirement.name)]
    assert requirement.specifier.contains(version)


def test_tests_run_on_the_versions_of_the_layer() -> None:
    locked = pins("requirements.lock")
    layer = pins("layers/dependencies/requirements.txt")
    assert {name: locked[name] for name in layer} == dict(layer)


def test_each_package_of_the_layer_is_pinned_by_hash() -> None:
    pinned = re.split(r"\n(?=[A-Za-z0-9])", LAYER.read_text())
    assert len(pinned) == len(pins("layers/dependencies/requirements.txt"))
    assert [package for package in pinned if "--hash=sha256:" not in package] == []


def test_boto3_is_bundled_as_the_runtimes_own_differs() -> None:
    assert "boto3" in pins("layers/dependencies/requirements.txt")

"""The synthesized templates, made once a session and shared by everything that reads them."""

from pathlib import Path

import pytest

from infra.app import synthesize
from tests.infra.template import Template


@pytest.fixture(scope="session")
def assembly(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that `cdk deploy` would take."""
    outdir = tmp_path_factory.mktemp("assembly")
    synthesize(outdir, bundle=False)
    return outdir


@pytest.fixture(scope="session")
def data(assembly: Path) -> Template:
    return Template.read(assembly / "AssistantsData.template.json")


@pytest.fixture(scope="session")
def service(assembly: Path) -> Template:
    return Template.read(assembly / "AssistantsService.template.json")

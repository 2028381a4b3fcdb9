"""One option chooses the processor of functions, layers and images."""

import json
from pathlib import Path

import pytest

from infra.app import context_defaults
from infra.options import Options
from infra.stacks.data import DataStack
from infra.stacks.service import ServiceStack
from tests.infra.template import Template, app_with

WORDS = {
    "arm64": {"arm64", "ARM64", "linux/arm64"},
    "x86_64": {"x86_64", "X86_64", "linux/amd64"},
}


def processors(folder: Path) -> set[str]:
    """Every word for a processor in the service's template and in the list of its images."""
    template = Template.read(folder / "AssistantsService.template.json")
    images = json.loads((folder / "AssistantsService.assets.json").read_text())["dockerImages"]
    functions = template.of_type("Lambda::Function").values()
    layers = template.of_type("Lambda::LayerVersion").values()
    tasks = template.of_type("ECS::TaskDefinition").values()
    assert min(map(len, (functions, layers, tasks, images))) >= 2
    return {
        *(name for one in functions for name in one["Architectures"]),
        *(name for one in layers for name in one["CompatibleArchitectures"]),
        *(one["RuntimePlatform"]["CpuArchitecture"] for one in tasks),
        *(one["source"]["platform"] for one in images.values()),
    }


@pytest.mark.parametrize("architecture", WORDS)
def test_functions_layers_and_images_are_of_the_processor_that_is_chosen(architecture: str) -> None:
    app = app_with(architecture=architecture, file_server=True)
    options = Options.of(app)
    data = DataStack(app, "AssistantsData", options)
    ServiceStack(app, "AssistantsService", options, data=data)
    assert processors(Path(app.synth().directory)) == WORDS[architecture]


def test_arm64_is_the_default() -> None:
    assert context_defaults()["architecture"] == "arm64"

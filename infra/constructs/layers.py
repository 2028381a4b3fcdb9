"""The layers: third-party packages, those for retrieval, `assistants`, and the streaming loop."""

import hashlib
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import jsii
from aws_cdk import AssetHashType, BundlingOptions, DockerImage, ILocalBundling, Stack
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra import bundling
from infra.constructs.labels import named, sourced
from infra.options import Options
from infra.repository import REPOSITORY

RUNTIME = lambda_.Runtime.PYTHON_3_13
ARCHITECTURE = lambda_.Architecture.ARM_64

Fill = Callable[[Path], None]


class Layers(Construct):
    """Two layers for every function, and one each for those that stream or use retrieval."""

    def __init__(self, scope: Construct, id: str, options: Options) -> None:
        super().__init__(scope, id)
        # Looked up here, as an error inside the bundling would reach the user through Node.
        compiles = options.bytecode and Stack.of(self).bundling_required
        interpreter = bundling.find_interpreter(bundling.LAMBDA.python) if compiles else None
        recipe = _recipe(options)
        dependencies = _Bundling(_fill_with("dependencies"), interpreter)
        retrieval = _Bundling(_fill_with("retrieval"), interpreter)
        assistants = _Bundling(_fill_assistants, interpreter)
        self._shared = [
            _layer(scope, "Dependencies", _bundled(dependencies, recipe)),
            _layer(scope, "Assistants", _bundled(assistants, recipe)),
        ]
        self._retrieval = _layer(scope, "Retrieval", _bundled(retrieval, recipe))
        self._streaming = _layer(scope, "Streaming")

    def of(self, *, streams: bool, retrieval: bool = False) -> Sequence[lambda_.LayerVersion]:
        chosen = [(self._retrieval, retrieval), (self._streaming, streams)]
        return [*self._shared, *(layer for layer, wanted in chosen if wanted)]


@jsii.implements(ILocalBundling)
class _Bundling:
    """Fill a layer's folder, then add bytecode if there is an interpreter for it."""

    def __init__(self, fill: Fill, interpreter: Path | None) -> None:
        self._fill = fill
        self._interpreter = interpreter

    # `image` is named because jsii passes options by name only to a method that names one.
    def try_bundle(self, output_dir: str, *, image: DockerImage, **_options: Any) -> bool:  # noqa: ARG002
        layer = Path(output_dir)
        self._fill(layer)
        if self._interpreter:
            bundling.compile_bytecode(layer, self._interpreter)
        return True


def _fill_with(name: str) -> Fill:
    requirements = REPOSITORY / f"layers/{name}/requirements.txt"
    return lambda layer: bundling.install_requirements(
        requirements, layer / "python", bundling.LAMBDA
    )


def _fill_assistants(layer: Path) -> None:
    package = REPOSITORY / "layers/assistants/python"
    shutil.copytree(package, layer / "python", ignore=shutil.ignore_patterns("__pycache__"))


def _layer(
    scope: Construct, id: str, bundled: BundlingOptions | None = None
) -> lambda_.LayerVersion:
    source = f"layers/{id.lower()}"
    code = lambda_.Code.from_asset(
        str(REPOSITORY / source),
        exclude=["**/__pycache__"],
        asset_hash_type=AssetHashType.SOURCE,
        bundling=bundled,
    )
    layer = lambda_.LayerVersion(
        scope,
        id,
        code=code,
        compatible_runtimes=[RUNTIME],
        compatible_architectures=[ARCHITECTURE],
    )
    return sourced(named(layer), source)


def _bundled(local: _Bundling, recipe: str) -> BundlingOptions:
    # No container runs: the command makes the asset's hash change with the recipe.
    return BundlingOptions(image=DockerImage.from_registry("none"), command=[recipe], local=local)


def _recipe(options: Options) -> str:
    text = Path(bundling.__file__).read_text() + Path(__file__).read_text()
    return hashlib.sha256(f"{text}{options.bytecode}".encode()).hexdigest()

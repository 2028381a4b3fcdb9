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
from infra.constructs.architecture import ARCHITECTURES
from infra.constructs.labels import named, sourced
from infra.options import Options
from infra.repository import REPOSITORY

RUNTIME = lambda_.Runtime.PYTHON_3_13

Fill = Callable[[Path], None]


class Layers(Construct):
    """Two layers for every function, and one each for those that stream or use retrieval."""

    def __init__(self, scope: Construct, id: str, options: Options) -> None:
        super().__init__(scope, id)
        # Looked up here, as an error inside the bundling would reach the user through Node.
        compiles = options.bytecode and Stack.of(self).bundling_required
        architecture = ARCHITECTURES[options.architecture]
        target = architecture.layers
        interpreter = bundling.find_interpreter(target.python) if compiles else None

        def layer(id: str, fill: Fill | None) -> lambda_.LayerVersion:
            bundled = _bundled(_Bundling(fill, interpreter), _recipe(options)) if fill else None
            return _layer(scope, id, architecture.functions, bundled)

        self._shared = [
            layer("Dependencies", _fill_with("dependencies", target)),
            layer("Assistants", _fill_assistants),
        ]
        self._retrieval = layer("Retrieval", _fill_with("retrieval", target))
        self._streaming = layer("Streaming", None)

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


def _fill_with(name: str, target: bundling.Target) -> Fill:
    requirements = REPOSITORY / f"layers/{name}/requirements.txt"
    return lambda layer: bundling.install_requirements(requirements, layer / "python", target)


def _fill_assistants(layer: Path) -> None:
    package = REPOSITORY / "layers/assistants/python"
    shutil.copytree(package, layer / "python", ignore=shutil.ignore_patterns("__pycache__"))


def _layer(
    scope: Construct,
    id: str,
    architecture: lambda_.Architecture,
    bundled: BundlingOptions | None,
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
        compatible_architectures=[architecture],
    )
    return sourced(named(layer), source)


def _bundled(local: _Bundling, recipe: str) -> BundlingOptions:
    # No container runs: the command makes the asset's hash change with the recipe.
    return BundlingOptions(image=DockerImage.from_registry("none"), command=[recipe], local=local)


def _recipe(options: Options) -> str:
    text = Path(bundling.__file__).read_text() + Path(__file__).read_text()
    return hashlib.sha256(f"{text}{options.bytecode}{options.architecture}".encode()).hexdigest()

"""Read a cloud assembly, which `cdk synth` writes: templates and the names of their assets."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class StackTemplate:
    """One stack of the assembly; `objects` are the keys of its assets in the bootstrap bucket."""

    name: str
    template: Mapping[str, Any]
    objects: tuple[str, ...]

    @property
    def body(self) -> str:
        """Return the template as CloudFormation accepts it."""
        return json.dumps(self.template)

    def resources(self, kind: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Yield logical id and declaration of each resource of the CloudFormation type `kind`."""
        for logical_id, resource in self.template["Resources"].items():
            if resource["Type"] == kind:
                yield logical_id, resource


class Assembly:
    """The assembly in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._artifacts = json.loads((folder / "manifest.json").read_text())["artifacts"]

    @cached_property
    def stacks(self) -> list[StackTemplate]:
        """Return the stacks, each after those that it depends on."""
        needs = {name: artifact.get("dependencies", []) for name, artifact in self._items()}
        order = TopologicalSorter(needs).static_order()
        return [self._read(name) for name in order if name in needs]

    def _items(self) -> Iterator[tuple[str, Any]]:
        for name, artifact in self._artifacts.items():
            if artifact["type"] == "aws:cloudformation:stack":
                yield name, artifact

    def _read(self, name: str) -> StackTemplate:
        artifact = self._artifacts[name]
        template = json.loads((self._folder / artifact["properties"]["templateFile"]).read_text())
        stack_name = artifact["properties"].get("stackName", name)
        return StackTemplate(stack_name, template, tuple(self._object_keys(artifact)))

    def _object_keys(self, artifact: Mapping[str, Any]) -> Iterator[str]:
        for name in artifact.get("dependencies", []):
            if self._artifacts[name]["type"] == "cdk:asset-manifest":
                manifest = self._folder / self._artifacts[name]["properties"]["file"]
                for asset in json.loads(manifest.read_text())["files"].values():
                    for destination in asset["destinations"].values():
                        yield destination["objectKey"]


def logical_id(value: Any) -> str | None:
    """Return the resource in `{"Ref": X}` or `{"Fn::GetAtt": [X, ...]}`, or None."""
    match value:
        case {"Ref": str(name)} | {"Fn::GetAtt": [str(name), *_]}:
            return name
    return None

"""The hosted tools of a deployment, code interpreter and file search, each of them optional."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.constructs.file_search_index import INDEXER, PARSER, FileSearchIndex
from infra.constructs.function import Function
from infra.constructs.placement import Placement
from infra.constructs.sandbox_cluster import PROXY, SandboxCluster
from infra.options import Options


@dataclass(frozen=True)
class OptionalTools:
    """The constructs of the tools; None means that the tool is switched off."""

    code_interpreter: SandboxCluster | None
    file_search: FileSearchIndex | None

    @classmethod
    def create(cls, scope: Construct, options: Options) -> Self:
        """Create the tools that are switched on."""
        interprets, searches = options.code_interpreter != "off", options.file_search != "off"
        return cls(
            SandboxCluster(scope, "CodeInterpreter", options) if interprets else None,
            FileSearchIndex(scope, "FileSearch", options) if searches else None,
        )

    @property
    def environment(self) -> Mapping[str, str]:
        """Return the variables by which functions find the tools."""
        return {
            **(self.code_interpreter.environment if self.code_interpreter else {}),
            **(self.file_search.environment if self.file_search else {}),
        }

    @property
    def placements(self) -> Mapping[str, Placement]:
        """Return the places of the functions that run in the network of a tool, by their ids."""
        interpreter, search = self.code_interpreter, self.file_search
        return {
            **({PROXY: interpreter.network.placement} if interpreter else {}),
            **({PARSER: search.network.placement} if search else {}),
        }

    @property
    def unused_functions(self) -> frozenset[str]:
        """Return the ids of the functions that serve only a tool that is switched off."""
        proxy = () if self.code_interpreter else (PROXY,)
        indexing = () if self.file_search else (INDEXER, PARSER)
        return frozenset((*proxy, *indexing))

    def serve(
        self, functions: Mapping[str, Function], settings: Mapping[str, str], files: s3.IBucket
    ) -> None:
        """Give `functions` the rights that the tools take; `files` is the bucket of files."""
        if self.file_search:
            self.file_search.serve(functions, settings, files)
        if self.code_interpreter:
            self.code_interpreter.serve(functions, files)

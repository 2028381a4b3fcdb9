"""Parse keys: which project a row belongs to, and its kind."""

from dataclasses import dataclass

from assistants.domain.ids import ProjectId
from assistants.ports.table import Key


@dataclass(frozen=True, slots=True)
class Place:
    """The parsed partition key of a due row. `kind` is `t` for runs, else one of the kinds in
    `keys`; `rest` are the components that follow it.
    """

    project: ProjectId
    kind: str
    rest: tuple[str, ...]


def place_of(key: Key) -> Place:
    """Parse the key of a row of the `due` index."""
    _, project, kind, *rest = key.partition.split("#")
    return Place(ProjectId(project), kind, tuple(rest))

"""Read a key back: which project it belongs to, and what kind of row it is."""

from dataclasses import dataclass

from assistants.domain.ids import ProjectId
from assistants.ports.table import Key


@dataclass(frozen=True, slots=True)
class Place:
    """`kind` is `t` (a run's) or a kind of `keys`; `rest` follows it in the partition."""

    project: ProjectId
    kind: str
    rest: tuple[str, ...]


def place_of(key: Key) -> Place:
    """Read the place of a row that the `due` index names."""
    _, project, kind, *rest = key.partition.split("#")
    return Place(ProjectId(project), kind, tuple(rest))

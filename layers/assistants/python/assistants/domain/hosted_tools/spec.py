"""The form in which a hosted tool is described."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, get_args

from assistants.domain.formats import Use
from assistants.domain.schema import Part


class HostedToolEntry(Part):
    """A hosted tool among the `tools` of an assistant; each tool narrows `type` to its name."""

    type: str


@dataclass(frozen=True, kw_only=True)
class HostedToolSpec:
    """All that the service needs to know of a hosted tool to offer it, to show its calls, and to
    have them answered. `docs/extending.md` says what else a new tool takes.

    Models call it as a function with one `argument`, which fits `schema`. A call's entry in its
    step begins with `first_members`. While the model writes the argument, a string, the member
    `shown_argument` grows with it.
    """

    entry: type[HostedToolEntry]
    state: str  # of the run machine; it answers the calls
    argument: str
    schema: Mapping[str, Any]
    description: str  # for the model
    first_members: Mapping[str, Any] = field(default_factory=dict)
    shown_argument: str | None = None
    takes_files_for: Use | None = None  # messages may attach files for it
    cites: bool = False  # its answers hold markers that the model copies into its text

    @property
    def name(self) -> str:
        """Return the name by which API, models and the run machine know the tool."""
        [name] = get_args(self.entry.model_fields["type"].annotation)
        return str(name)

    def to_function(self) -> dict[str, Any]:
        """Return the tool in the form of chat completions."""
        schema = {
            "type": "object",
            "properties": {self.argument: self.schema},
            "required": [self.argument],
            "additionalProperties": False,
        }
        function = {"name": self.name, "description": self.description, "parameters": schema}
        return {"type": "function", "function": function}

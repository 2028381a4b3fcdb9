"""Assistants: create, list, get, modify, delete."""

from dataclasses import dataclass

from assistants.domain.assistant import Assistant, AssistantCreate, AssistantModify
from assistants.domain.capabilities import MODEL_PARAMETERS, check_capabilities
from assistants.domain.errors import no_such
from assistants.domain.ids import ASSISTANT, ProjectId, check_id
from assistants.domain.model import Catalog
from assistants.domain.page import Cursor, Page
from assistants.domain.schema import Deleted
from assistants.domain.tool import ToolResources
from assistants.ports.clock import Clock
from assistants.ports.table import ConflictError, Create, Delete, Row, Table
from assistants.services.storage import keys
from assistants.services.storage.pagination import page
from assistants.services.storage.updates import modify, set_members
from assistants.services.threads.tool_resources import ToolResourceProvisioner
from assistants.services.tools.availability import ToolAvailability

# Members that a null resets; for the others null means "not set".
_CLEARABLE = frozenset({"name", "description", "instructions", "reasoning_effort"})


@dataclass(frozen=True)
class Assistants:
    table: Table
    catalog: Catalog
    tool_availability: ToolAvailability
    provisioner: ToolResourceProvisioner
    clock: Clock

    def create(self, project: ProjectId, body: AssistantCreate, assistant_id: str) -> Assistant:
        self.tool_availability.check_tools(body.tools)
        provided = self.provisioner.provide(project, body.tool_resources, assistant_id)
        members = {**set_members(body), "tool_resources": provided.resources}
        assistant = Assistant(id=assistant_id, created_at=int(self.clock.time()), **members)
        check_capabilities(assistant, self.catalog.route(assistant.model))
        key = keys.assistant(project, assistant.id)
        row = Row(key, assistant.model_dump(mode="json"))
        try:
            self.table.commit(Create(row), *provided.writes)
        except ConflictError:
            return self.get(project, assistant_id)
        self.provisioner.begin(project, provided)
        return assistant

    def list(self, project: ProjectId, cursor: Cursor) -> Page[Assistant]:
        return page(self.table, keys.assistants(project), "", cursor, _load)

    def get(self, project: ProjectId, assistant_id: str) -> Assistant:
        return _load(self._row(project, assistant_id))

    def modify(self, project: ProjectId, assistant_id: str, body: AssistantModify) -> Assistant:
        """Change the members that are named, and of tool resources those of the named tools.

        Two modifications at once both take effect.
        """
        self.tool_availability.check_tools(body.tools)
        self.tool_availability.check_resources(project, body.tool_resources)
        changes = set_members(body, clearable=_CLEARABLE)

        def change(row: Row) -> Assistant:
            before = _load(row)
            assistant = before.model_copy(update=changes)
            if body.tool_resources is not None:
                resources = before.tool_resources or ToolResources()
                replaced = resources.replaced(body.tool_resources)
                assistant = assistant.model_copy(update={"tool_resources": replaced})
            if changes.keys() & MODEL_PARAMETERS:
                check_capabilities(assistant, self.catalog.route(assistant.model))
            return assistant

        return modify(self.table, read=lambda: self._row(project, assistant_id), change=change)

    def delete(self, project: ProjectId, assistant_id: str) -> Deleted:
        key = keys.assistant(project, check_id(assistant_id, ASSISTANT, "assistant_id"))
        try:
            self.table.commit(Delete(key, expected=True))
        except ConflictError as conflict:
            raise no_such("assistant", assistant_id) from conflict
        return Deleted(id=assistant_id, object="assistant.deleted")

    def _row(self, project: ProjectId, assistant_id: str) -> Row:
        key = keys.assistant(project, check_id(assistant_id, ASSISTANT, "assistant_id"))
        [row] = self.table.get(key)
        if row is None:
            raise no_such("assistant", assistant_id)
        return row


def _load(row: Row) -> Assistant:
    return Assistant.model_validate(row.body)

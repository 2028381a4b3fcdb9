"""Assistants: create, list, get, modify, delete."""

from dataclasses import dataclass

from assistants.domain.assistant import Assistant, AssistantCreate, AssistantModify
from assistants.domain.capabilities import ASKED_OF_MODELS, check_abilities
from assistants.domain.errors import no_such
from assistants.domain.ids import ASSISTANT, check_id
from assistants.domain.model import Catalog
from assistants.domain.page import Cursor, Page
from assistants.domain.schema import Deleted
from assistants.domain.tool import ToolResources
from assistants.ports.clock import Clock
from assistants.ports.table import Conflict, Create, Delete, Row, Store
from assistants.services.storage import keys
from assistants.services.storage.pagination import page
from assistants.services.storage.updates import given, modify
from assistants.services.threads.tool_resources import ResourceProvision
from assistants.services.tools.availability import HostedTools

# Members that a null resets; for the others null means "not given".
_CLEARABLE = frozenset({"name", "description", "instructions", "reasoning_effort"})


@dataclass(frozen=True)
class Assistants:
    store: Store
    catalog: Catalog
    hosted_tools: HostedTools
    provision: ResourceProvision
    clock: Clock

    def create(self, project: str, body: AssistantCreate, assistant_id: str) -> Assistant:
        self.hosted_tools.check_tools(body.tools)
        provided = self.provision.provide(project, body.tool_resources, assistant_id)
        members = {**given(body), "tool_resources": provided.resources}
        assistant = Assistant(id=assistant_id, created_at=int(self.clock.time()), **members)
        check_abilities(assistant, self.catalog.route(assistant.model))
        key = keys.assistant(project, assistant.id)
        row = Row(key, assistant.model_dump(mode="json"))
        try:
            self.store.commit(Create(row), *provided.writes)
        except Conflict:
            return self.get(project, assistant_id)
        self.provision.begin(project, provided)
        return assistant

    def list(self, project: str, cursor: Cursor) -> Page[Assistant]:
        return page(self.store, keys.assistants(project), "", cursor, _load)

    def get(self, project: str, assistant_id: str) -> Assistant:
        return _load(self._row(project, assistant_id))

    def modify(self, project: str, assistant_id: str, body: AssistantModify) -> Assistant:
        """Changes only the members that are named, and of tool resources those of the named tools.
        Two modifications at once both take effect.
        """
        self.hosted_tools.check_tools(body.tools)
        self.hosted_tools.check_resources(project, body.tool_resources)
        changes = given(body, clearable=_CLEARABLE)

        def change(row: Row) -> Assistant:
            before = _load(row)
            assistant = before.model_copy(update=changes)
            if body.tool_resources is not None:
                resources = before.tool_resources or ToolResources()
                replaced = resources.replaced(body.tool_resources)
                assistant = assistant.model_copy(update={"tool_resources": replaced})
            if changes.keys() & ASKED_OF_MODELS:
                check_abilities(assistant, self.catalog.route(assistant.model))
            return assistant

        return modify(self.store, read=lambda: self._row(project, assistant_id), change=change)

    def delete(self, project: str, assistant_id: str) -> Deleted:
        key = keys.assistant(project, check_id(assistant_id, ASSISTANT, "assistant_id"))
        try:
            self.store.commit(Delete(key, expected=True))
        except Conflict as conflict:
            raise no_such("assistant", assistant_id) from conflict
        return Deleted(id=assistant_id, object="assistant.deleted")

    def _row(self, project: str, assistant_id: str) -> Row:
        key = keys.assistant(project, check_id(assistant_id, ASSISTANT, "assistant_id"))
        [row] = self.store.get(key)
        if row is None:
            raise no_such("assistant", assistant_id)
        return row


def _load(row: Row) -> Assistant:
    return Assistant.model_validate(row.body)
